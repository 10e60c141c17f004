/** Holds what the emulator has in its books against what the played onboardings intended. */

const count = (items) => {
  const counts = {};
  for (const item of items) counts[item] = (counts[item] ?? 0) + 1;
  return counts;
};
const sameJson = (a, b) => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
const sorted = (value) =>
  Array.isArray(value)
    ? value.map(sorted).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(
          Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, inner]) => [key, sorted(inner)]),
        )
      : value;
const words = (counts) =>
  Object.entries(counts)
    .map(([name, number]) => `${number} ${name}`)
    .join(' + ') || '0';

/** `played` as `play` resolves with; answers with a row of cells and the problems, per path. */
export function compareBooks(books, played) {
  const named = new Set();
  const verdicts = played.map((one) => {
    const customer = books.customers.find(({ companyName }) => companyName === one.expected.customer);
    if (customer !== undefined) named.add(customer.tenantId);
    return judge(books, one, customer);
  });
  const strangers = books.orders.filter(({ customerId }) => !named.has(customerId));
  if (strangers.length > 0)
    verdicts.at(-1)?.problems.push(`${strangers.length} orders of customers nobody asked for`);
  const created = played.reduce((sum, { expected }) => sum + expected.tenantsCreated, 0);
  if (books.tenantsCreated.length !== created)
    verdicts.at(-1)?.problems.push(`${books.tenantsCreated.length} tenants created, ${created} intended`);
  return verdicts;
}

function judge(books, { path, status, expected }, customer) {
  const tenantId = customer?.tenantId;
  const orders = books.orders
    .filter(({ customerId }) => customerId === tenantId)
    .map(({ lines }) =>
      Object.fromEntries(lines.map(({ skuPartNumber, quantity }) => [skuPartNumber, quantity])),
    );
  const skus = new Set(expected.orders.flatMap(Object.keys));
  const licences = count(
    books.licences
      .filter((one) => one.tenantId === tenantId && skus.has(one.skuPartNumber))
      .map(({ skuPartNumber }) => skuPartNumber),
  );
  const created = books.tenantsCreated.includes(tenantId) ? 1 : 0;
  const problems = [
    ...(status === 'completed' ? [] : [`${path} ended ${status}`]),
    ...(customer === undefined ? [`${path} has no customer '${expected.customer}'`] : []),
    ...(sameJson(orders, expected.orders)
      ? []
      : [`${path} orders: ${JSON.stringify(orders)}, intended ${JSON.stringify(expected.orders)}`]),
    ...(created === expected.tenantsCreated
      ? []
      : [`${path} created ${created} tenants, intended ${expected.tenantsCreated}`]),
    ...(sameJson(licences, expected.licences)
      ? []
      : [`${path} licences: ${words(licences)}, intended ${words(expected.licences)}`]),
  ];
  const cells = [
    path,
    expected.customer,
    status,
    orders.map(words).join(' | ') || '0',
    String(created),
    words(licences),
    problems.length === 0 ? 'as intended' : 'NOT AS INTENDED',
  ];
  return { cells, problems };
}
