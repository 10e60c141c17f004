/** Products on sale: real identifiers (facts 4.2), invented monthly prices in USD. */
export interface ServicePlan {
  readonly id: string;
  readonly name: string;
  readonly service: string;
}

export interface Product {
  readonly productId: string;
  readonly sku: string;
  /** Graph `skuId`; `provisioningId` in the catalogue. */
  readonly skuId: string;
  readonly skuPartNumber: string;
  readonly title: string;
  readonly monthlyPrice: number;
  readonly maximumQuantity: number;
  readonly plans: readonly ServicePlan[];
}

const plan = (name: string, id: string, service: string): ServicePlan => ({ name, id, service });

const AAD_PREMIUM = plan('AAD_PREMIUM', '41781fb2-bc02-4b7c-bd55-b576c07bb09d', 'AADPremiumService');
const AAD_PREMIUM_P2 = plan('AAD_PREMIUM_P2', 'eec0eb4f-6444-4f95-aba0-50c24d67f998', 'AADPremiumService');
const INTUNE_A = plan('INTUNE_A', 'c1ec4a95-1f05-45b3-a911-aa3fa01094f5', 'SCO');
const RMS = plan('RMS_S_ENTERPRISE', 'bea4c11e-220a-4e6d-8eb8-8ea15d019f90', 'RMSOnline');
const EMS_PLANS = [
  AAD_PREMIUM,
  plan('MFA_PREMIUM', '8a256a2b-b617-496d-b51b-e76466e88db0', 'MultiFactorService'),
  INTUNE_A,
  RMS,
  plan('RMS_S_PREMIUM', '6c57d4b6-3b23-47a5-9bc9-69f17b4947b3', 'RMSOnline'),
  plan('ADALLOM_S_DISCOVERY', '932ad362-64a8-4783-9106-97849a1a30b9', 'Adallom'),
  plan('EXCHANGE_S_FOUNDATION', '113feb6c-3fe4-4440-bddc-54d774bf0318', 'exchange'),
];
const E3_PLANS = [
  plan('EXCHANGE_S_ENTERPRISE', 'efb87545-963c-4e0d-99df-69c6916d9eb0', 'exchange'),
  plan('SHAREPOINTENTERPRISE', '5dbe027f-2339-4123-9542-606e4d348a72', 'SharePoint'),
  plan('OFFICESUBSCRIPTION', '43de0ff5-c92c-492b-9116-175376d08c38', 'MicrosoftOffice'),
  plan('TEAMS1', '57ff2da0-773e-42df-b2af-ffb7a2317929', 'TeamspaceAPI'),
  plan('INTUNE_O365', '882e1d05-acd1-4ccb-8708-6ee03664b117', 'SCO'),
  RMS,
];
const BUSINESS_PLANS = [
  plan('EXCHANGE_S_STANDARD', '9aaf7827-d63c-4b61-89c3-182f06f82e5c', 'exchange'),
  plan('SHAREPOINTSTANDARD', 'c7699d2e-19aa-44de-8edf-1736da088ca1', 'SharePoint'),
  plan('OFFICE_BUSINESS', '094e7854-93fc-4d55-b2c0-3ab5369ebdc1', 'MicrosoftOffice'),
];

type Row = readonly [
  catalogue: string,
  skuId: string,
  skuPartNumber: string,
  title: string,
  monthlyPrice: number,
  plans: readonly ServicePlan[],
  maximumQuantity?: number,
];

const ROWS: readonly Row[] = [
  [
    'CFQ7TTC0LHT4:0001',
    'efccb6f7-5641-4e0e-bd10-b4976e1bf68e',
    'EMS',
    'Enterprise Mobility + Security E3',
    8.48,
    EMS_PLANS,
  ],
  [
    'CFQ7TTC0LFJ1:0001',
    'b05e124f-c7cc-45a0-a6aa-8cf78c946968',
    'EMSPREMIUM',
    'Enterprise Mobility + Security E5',
    13.12,
    [
      ...EMS_PLANS,
      AAD_PREMIUM_P2,
      plan('RMS_S_PREMIUM2', '5689bec4-755d-4753-8b61-40975025187c', 'RMSOnline'),
      plan('ATA', '14ab5db5-e6c4-4b20-b4bc-13e36fd2227f', 'AzureAdvancedThreatAnalytics'),
      plan('ADALLOM_S_STANDALONE', '2e2ddb96-6af9-4b1d-a3f0-d6ecfd22edb2', 'Adallom'),
    ],
  ],
  [
    'CFQ7TTC0LF8Q:0001',
    '18181a46-0d4e-45cd-891e-60aabd171b4e',
    'STANDARDPACK',
    'Office 365 E1',
    7.9,
    E3_PLANS.slice(0, 2),
  ],
  [
    'CFQ7TTC0LF8R:0001',
    '6fd2c87f-b296-42f0-b197-1e91e994b900',
    'ENTERPRISEPACK',
    'Office 365 E3',
    18.4,
    E3_PLANS,
  ],
  [
    'CFQ7TTC0LF8S:0002',
    'c7df2760-2c81-4ef7-b578-5b5392b571df',
    'ENTERPRISEPREMIUM',
    'Office 365 E5',
    30.1,
    E3_PLANS,
  ],
  [
    'CFQ7TTC0LF8S:0001',
    '26d45bd9-adf1-46cd-a9e1-51e9a5524128',
    'ENTERPRISEPREMIUM_NOPSTNCONF',
    'Office 365 E5 without Audio Conferencing',
    28.7,
    E3_PLANS,
  ],
  [
    'CFQ7TTC0LH18:0001',
    '3b555118-da6a-4418-894f-7df1e2096870',
    'O365_BUSINESS_ESSENTIALS',
    'Microsoft 365 Business Basic',
    4.8,
    BUSINESS_PLANS.slice(0, 2),
    300,
  ],
  [
    'CFQ7TTC0LDPB:0001',
    'f245ecc8-75af-4f8e-b61f-27d8114de5f3',
    'O365_BUSINESS_PREMIUM',
    'Microsoft 365 Business Standard',
    10,
    BUSINESS_PLANS,
    300,
  ],
  [
    'CFQ7TTC0LCHC:0002',
    'cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46',
    'SPB',
    'Microsoft 365 Business Premium',
    17.6,
    [...BUSINESS_PLANS, AAD_PREMIUM, INTUNE_A],
    300,
  ],
  [
    'CFQ7TTC0LFLX:0001',
    '05e9a617-0261-4cee-bb44-138d3ef5d965',
    'SPE_E3',
    'Microsoft 365 E3',
    27.9,
    [...E3_PLANS, ...EMS_PLANS.filter((part) => part.id !== RMS.id)],
  ],
  [
    'CFQ7TTC0LFLZ:0002',
    '06ebc4ee-1bb5-47dd-8120-11324bc54e06',
    'SPE_E5',
    'Microsoft 365 E5',
    45.6,
    [...E3_PLANS, ...EMS_PLANS.filter((part) => part.id !== RMS.id), AAD_PREMIUM_P2],
  ],
  [
    'CFQ7TTC0LFLS:0002',
    '078d2b04-f1bd-4111-bbd4-b4b1b354cef4',
    'AAD_PREMIUM',
    'Microsoft Entra ID P1',
    4.9,
    [AAD_PREMIUM],
  ],
  [
    'CFQ7TTC0LFK5:0001',
    '84a661c4-e949-4bd2-a560-ed7766fcaf2b',
    'AAD_PREMIUM_P2',
    'Microsoft Entra ID P2',
    7.4,
    [AAD_PREMIUM, AAD_PREMIUM_P2],
  ],
  [
    'CFQ7TTC0LCH4:0009',
    '061f9ace-7d42-4136-88ac-31dc755f143f',
    'INTUNE_A',
    'Microsoft Intune Plan 1',
    6.2,
    [INTUNE_A],
  ],
];

export const PRODUCTS: readonly Product[] = ROWS.map(
  ([catalogue, skuId, skuPartNumber, title, monthlyPrice, plans, maximum]) => {
    const [productId = '', sku = ''] = catalogue.split(':');
    return {
      productId,
      sku,
      skuId,
      skuPartNumber,
      title,
      monthlyPrice,
      plans,
      maximumQuantity: maximum ?? 10_000_000,
    };
  },
);

export function productOfSku(skuId: string): Product | undefined {
  return PRODUCTS.find((product) => product.skuId === skuId.toLowerCase());
}

/** By part number (`EMS`) or by `product:sku`. */
export function productNamed(name: string): Product | undefined {
  const wanted = name.toUpperCase();
  return PRODUCTS.find(
    (product) => product.skuPartNumber === wanted || `${product.productId}:${product.sku}` === wanted,
  );
}
