/** Availabilities, terms and invented prices. The availability part of an id changes over time, as the real one does. */
import { PRODUCTS, type Product } from '../directory/products.ts';
import type { World } from '../world.ts';
import { countryOf } from './countries.ts';
import type { Pricing } from './entities.ts';

export const TERMS = [
  {
    duration: 'P1M',
    billingCycle: 'Monthly',
    description: 'One-Month commitment for monthly billing',
    factor: 1.2,
    months: 1,
  },
  {
    duration: 'P1Y',
    billingCycle: 'Monthly',
    description: 'One-Year commitment for monthly/yearly billing',
    factor: 1.05,
    months: 12,
  },
  {
    duration: 'P1Y',
    billingCycle: 'Annual',
    description: 'One-Year commitment for monthly/yearly billing',
    factor: 1,
    months: 12,
  },
  {
    duration: 'P3Y',
    billingCycle: 'Annual',
    description: 'Three-Year commitment for yearly billing',
    factor: 0.95,
    months: 36,
  },
] as const;

export type Term = (typeof TERMS)[number];

/** Real availability of Enterprise Mobility + Security E3 (facts 4.1); the others are made up. */
const FIRST_AVAILABILITY: Readonly<Record<string, string>> = { 'CFQ7TTC0LHT4:0001': 'CFQ7TTC0K97X' };

export function availabilityId(world: World, product: Product, segment = 'commercial'): string {
  const key = `${product.productId}:${product.sku}`;
  const generation = world.partner.generations.get(key)?.count ?? 0;
  const first = FIRST_AVAILABILITY[key];
  if (segment === 'commercial' && generation === 0 && first !== undefined) return first;
  const text = `${key}${segment}${generation}`;
  let hash = 0;
  for (const character of text) hash = (hash * 31 + character.charCodeAt(0)) % 36 ** 4;
  return `CFQ7TTC0${hash.toString(36).toUpperCase().padStart(4, '0')}`;
}

export function renewAvailabilities(world: World, product: Product): void {
  const id = `${product.productId}:${product.sku}`;
  world.partner.generations.put({ id, count: (world.partner.generations.get(id)?.count ?? 0) + 1 });
}

export function catalogItemId(world: World, product: Product): string {
  return `${product.productId}:${product.sku}:${availabilityId(world, product)}`;
}

/** The product a catalogue item names, and whether its availability is the one on sale now. */
export function findCatalogItem(
  world: World,
  id: string,
): { product: Product; current: boolean } | undefined {
  const [productId, sku, availability] = id.toUpperCase().split(':');
  const product = PRODUCTS.find((candidate) => candidate.productId === productId && candidate.sku === sku);
  if (product === undefined || availability === undefined) return undefined;
  return { product, current: availability === availabilityId(world, product) };
}

export function findTerm(duration: string | null | undefined, billingCycle: string): Term | undefined {
  const wanted = (duration ?? 'P1Y').toUpperCase();
  return TERMS.find(
    (term) => term.duration === wanted && term.billingCycle.toLowerCase() === billingCycle.toLowerCase(),
  );
}

export function priceOf(product: Product, term: Term, quantity: number, country: string): Pricing {
  const rate = countryOf(country)?.currency.perDollar ?? 1;
  const monthly = cents(product.monthlyPrice * term.factor * rate);
  const unit = term.billingCycle === 'Monthly' ? monthly : cents(monthly * 12);
  return {
    listPrice: unit,
    discountedPrice: unit,
    proratedPrice: unit,
    price: unit,
    extendedPrice: cents(monthly * term.months * quantity),
  };
}

const cents = (amount: number): number => Math.round(amount * 100) / 100;

export function currencyOf(country: string): { code: string; symbol: string } {
  const currency = countryOf(country)?.currency;
  return { code: currency?.code ?? 'USD', symbol: currency?.symbol ?? '$' };
}
