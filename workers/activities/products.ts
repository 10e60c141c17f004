/** Which products are Enterprise Mobility + Security, and which already hold it (facts: microsoft-apis 4.2). */

export const EMS_SKU = 'efccb6f7-5641-4e0e-bd10-b4976e1bf68e';
/** The service plan that proves a directory premium licence (AAD_PREMIUM). */
export const DIRECTORY_PREMIUM_PLAN = '41781fb2-bc02-4b7c-bd55-b576c07bb09d';

/** Product and SKU of new commerce, or the legacy offer, in lower case, to the SKU under which Graph shows the seats. */
const GRAPH_SKUS: Readonly<Record<string, string>> = {
  'cfq7ttc0lht4:0001': EMS_SKU,
  'cfq7ttc0lfj1:0001': 'b05e124f-c7cc-45a0-a6aa-8cf78c946968',
  'cfq7ttc0lf8q:0001': '18181a46-0d4e-45cd-891e-60aabd171b4e',
  'cfq7ttc0lf8r:0001': '6fd2c87f-b296-42f0-b197-1e91e994b900',
  'cfq7ttc0lf8s:0002': 'c7df2760-2c81-4ef7-b578-5b5392b571df',
  'cfq7ttc0lf8s:0001': '26d45bd9-adf1-46cd-a9e1-51e9a5524128',
  'cfq7ttc0lh18:0001': '3b555118-da6a-4418-894f-7df1e2096870',
  'cfq7ttc0ldpb:0001': 'f245ecc8-75af-4f8e-b61f-27d8114de5f3',
  'cfq7ttc0lchc:0002': 'cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46',
  'cfq7ttc0lflx:0001': '05e9a617-0261-4cee-bb44-138d3ef5d965',
  'cfq7ttc0lflz:0002': '06ebc4ee-1bb5-47dd-8120-11324bc54e06',
  'cfq7ttc0lfls:0002': '078d2b04-f1bd-4111-bbd4-b4b1b354cef4',
  'cfq7ttc0lfk5:0001': '84a661c4-e949-4bd2-a560-ed7766fcaf2b',
  'cfq7ttc0lch4:0009': '061f9ace-7d42-4136-88ac-31dc755f143f',
  '79c29af7-3cd0-4a6f-b182-a81e31dec84e': EMS_SKU,
  '91fd106f-4b2c-4938-95ac-f54f74e9a239': '18181a46-0d4e-45cd-891e-60aabd171b4e',
  '796b6b5f-613c-4e24-a17c-eba730d49c02': '6fd2c87f-b296-42f0-b197-1e91e994b900',
  'a044b16a-1861-4308-8086-a3a3b506fac2': 'c7df2760-2c81-4ef7-b578-5b5392b571df',
  '031c9e47-4802-4248-838e-778fb1d2cc05': 'f245ecc8-75af-4f8e-b61f-27d8114de5f3',
  '2b3b8d2d-10aa-4be4-b5fd-7f2feb0c3091': '05e9a617-0261-4cee-bb44-138d3ef5d965',
  '16c9f982-a827-4003-a88e-e75df1927f27': '078d2b04-f1bd-4111-bbd4-b4b1b354cef4',
  '51e95709-dc35-4780-9040-22278cb7c0e1': '061f9ace-7d42-4136-88ac-31dc755f143f',
};

/** EMS E3 as new commerce, as legacy offer, and the legacy offers for non-profits and governments. */
const EMS_OFFERS = new Set([
  'cfq7ttc0lht4:0001',
  '79c29af7-3cd0-4a6f-b182-a81e31dec84e',
  'e6409072-4dc4-42e8-92c1-a24abed5d524',
  '461d7db7-ec67-4671-bf9b-22efde413f0f',
]);

/** Graph SKUs whose plans include those of EMS E3: EMS E5, Microsoft 365 Business Premium (also EEA), E3 and E5. */
const SKUS_WITH_EMS = new Set([
  'b05e124f-c7cc-45a0-a6aa-8cf78c946968',
  'cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46',
  'a3f586b6-8cce-4d9b-99d6-55238397f77a',
  '05e9a617-0261-4cee-bb44-138d3ef5d965',
  '06ebc4ee-1bb5-47dd-8120-11324bc54e06',
]);

/** `product:sku` of a catalogue item id, or the legacy offer's GUID. The availability behind it changes at will. */
function offerKey(offerId: string): string {
  return offerId.toLowerCase().split(':').slice(0, 2).join(':');
}

export function graphSkuOf(offerId: string): string | null {
  return GRAPH_SKUS[offerKey(offerId)] ?? null;
}

export function isEms(offerId: string, graphSkuId: string | null): boolean {
  return EMS_OFFERS.has(offerKey(offerId)) || graphSkuId === EMS_SKU;
}

export function containsEms(offerId: string, graphSkuId: string | null): boolean {
  return isEms(offerId, graphSkuId) || (graphSkuId !== null && SKUS_WITH_EMS.has(graphSkuId));
}

/** Whether a user who holds this Graph SKU has the service plans of EMS E3. */
export function skuContainsEms(graphSkuId: string): boolean {
  return graphSkuId === EMS_SKU || SKUS_WITH_EMS.has(graphSkuId);
}
