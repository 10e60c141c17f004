import { ok, type Request, type Routes } from '../../core/http.ts';
import { PRODUCTS, type Product } from '../../directory/products.ts';
import type { World } from '../../world.ts';
import { availabilityId, currencyOf, TERMS } from '../catalogue.ts';
import { countryOf } from '../countries.ts';
import { authorise, collection, customerOf, objectType, partnerError, self } from '../helpers.ts';

export function catalogueRoutes(routes: Routes, world: World): void {
  for (const scope of ['', '/customers/:customerId'] as const) {
    const base = `/v1${scope}/products`;
    const marketOf = (request: Request): string => {
      authorise(world, request);
      if (scope !== '') return world.directory.tenants.get(customerOf(world, request).id)?.country ?? 'US';
      const country = request.query.get('country');
      if (country === null || countryOf(country) === undefined)
        throw partnerError(400, 800002, 'country is missing or unknown.');
      return country.toUpperCase();
    };

    routes.on('GET', base, (request) => {
      const market = marketOf(request);
      if (request.query.get('targetView')?.toLowerCase() !== 'onlineservices') {
        throw partnerError(403, 400036, 'The targetView is not allowed.');
      }
      const ids = [...new Set(PRODUCTS.map((product) => product.productId))];
      return ok(collection(ids.map((id) => productShape(productWith(id), market))));
    });

    routes.on('GET', `${base}/:productId`, (request) => {
      const market = marketOf(request);
      return ok(productShape(productWith(request.params['productId'] ?? ''), market));
    });

    routes.on('GET', `${base}/:productId/skus`, (request) => {
      const market = marketOf(request);
      const { productId } = productWith(request.params['productId'] ?? '');
      const skus = PRODUCTS.filter((product) => product.productId === productId);
      return ok(collection(skus.map((product) => skuShape(product, market))));
    });

    routes.on('GET', `${base}/:productId/skus/:skuId`, (request) => {
      const market = marketOf(request);
      return ok(skuShape(skuOf(request), market));
    });

    routes.on('GET', `${base}/:productId/skus/:skuId/availabilities`, (request) => {
      const market = marketOf(request);
      return ok(collection(availabilitiesOf(world, skuOf(request), market)));
    });

    routes.on('GET', `${base}/:productId/skus/:skuId/availabilities/:availabilityId`, (request) => {
      const market = marketOf(request);
      const wanted = request.params['availabilityId']?.toUpperCase();
      const found = availabilitiesOf(world, skuOf(request), market).find(
        (availability) => availability['id'] === wanted,
      );
      if (found === undefined) throw partnerError(404, 400019, 'The availability was not found.');
      return ok(found);
    });
  }
}

function productWith(id: string): Product {
  const product = PRODUCTS.find((candidate) => candidate.productId === id.toUpperCase());
  if (product === undefined) throw partnerError(404, 400013, 'The product was not found.');
  return product;
}

function skuOf(request: Request): Product {
  const { productId } = productWith(request.params['productId'] ?? '');
  const product = PRODUCTS.find(
    (candidate) => candidate.productId === productId && candidate.sku === request.params['skuId'],
  );
  if (product === undefined) throw partnerError(404, 400018, 'The SKU was not found.');
  return product;
}

function productShape(product: Product, market: string): unknown {
  return {
    id: product.productId,
    title: product.title,
    description: `${product.title} as a new-commerce subscription.`,
    productType: { id: 'OnlineServicesNCE', displayName: 'OnlineServicesNCE' },
    isMicrosoftProduct: true,
    publisherName: 'Microsoft Corporation',
    links: {
      skus: self(`/products/${product.productId}/skus?country=${market}`),
      self: self(`/products/${product.productId}?country=${market}`),
    },
    attributes: objectType('Product'),
  };
}

function skuShape(product: Product, market: string): unknown {
  const base = `/products/${product.productId}/skus/${product.sku}`;
  return {
    id: product.sku,
    productId: product.productId,
    title: product.title,
    description: `${product.title} as a new-commerce subscription.`,
    minimumQuantity: 1,
    maximumQuantity: product.maximumQuantity,
    isTrial: false,
    supportedBillingCycles: ['annual', 'monthly'],
    purchasePrerequisites: ['MicrosoftCloudAgreement'],
    provisioningVariables: [],
    actions: ['Refund'],
    inventoryVariables: [],
    dynamicAttributes: {
      isAddon: false,
      hasConstraints: false,
      provisioningId: product.skuId,
      upgradeTargetOffers: [],
    },
    links: {
      availabilities: self(`${base}/availabilities?country=${market}`),
      self: self(`${base}?country=${market}`),
    },
    attributes: objectType('Sku'),
  };
}

/** One on sale to companies, one for schools, one that cannot be bought: a client has to choose. */
function availabilitiesOf(world: World, product: Product, market: string): Record<string, unknown>[] {
  const kinds = [
    { segment: 'education', isPurchasable: true },
    { segment: 'commercial', isPurchasable: true },
    { segment: 'commercial', isPurchasable: false, retired: true },
  ];
  return kinds.map(({ segment, isPurchasable, retired }) => {
    const id =
      retired === true ? `CFQ7TTC0ZZ${product.sku.slice(-2)}` : availabilityId(world, product, segment);
    const base = `/products/${product.productId}/skus/${product.sku}`;
    return {
      id,
      productId: product.productId,
      skuId: product.sku,
      catalogItemId: `${product.productId}:${product.sku}:${id}`,
      defaultCurrency: currencyOf(market),
      segment,
      country: market,
      isPurchasable,
      isRenewable: isPurchasable,
      renewalInstructions: [
        {
          applicableTermIds: TERMS.map(termId),
          renewalOptions: [{ renewToId: `${product.productId}:${product.sku}`, isAutoRenewable: true }],
        },
      ],
      terms: TERMS.map((term) => ({
        id: termId(term),
        duration: term.duration,
        description: term.description,
        billingCycle: term.billingCycle,
        cancellationPolicies: [{ refundOptions: [{ sequenceId: 0, type: 'Full', expiresAfter: 'P1D' }] }],
      })),
      links: { self: self(`${base}/availabilities/${id}?country=${market}`) },
      attributes: objectType('Availability'),
    };
  });
}

const termId = (term: { duration: string; billingCycle: string }): string =>
  `term${term.duration}${term.billingCycle}`.toLowerCase();
