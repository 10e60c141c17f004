/**
 * Finds the path of a customer: domain, tenant, ours or not (facts: microsoft-apis 12, point 1). It proposes and decides
 * nothing: whoever starts the onboarding may take another path.
 */
import { assign, setup } from 'xstate';
import { z } from 'zod';
import { activity } from '../engine/activity.ts';
import { defineWorkflow, type StateMeta } from '../engine/definition.ts';
import { findTenant } from './activities/customers.ts';
import { readRelationship } from './activities/relationships.ts';
import { DomainName } from './activities/shapes.ts';
import { type Failure, failing, failureOf } from './parts/common.ts';
import { type Path, routeFor } from './routing.ts';

export const RouteOnboardingInput = z.object({
  domain: DomainName.meta({ title: 'A domain of the customer', examples: ['contoso.example'] }),
});

export interface RouteOnboardingOutput {
  readonly domain: string;
  /** Null when Microsoft could not be asked; `why` then says what was in the way. */
  readonly path: Path | null;
  readonly why: string;
  readonly tenantId: string | null;
  readonly tenantName: string | null;
}

interface Context {
  readonly domain: string;
  readonly tenantId: string | null;
  readonly tenantName: string | null;
  readonly ours: boolean;
  readonly failure: Failure | null;
}

export const routeOnboardingMachine = setup({
  types: {
    input: {} as z.output<typeof RouteOnboardingInput>,
    context: {} as Context,
    output: {} as RouteOnboardingOutput,
    meta: {} as StateMeta,
  },
  actors: { findTenant: activity(findTenant), readRelationship: activity(readRelationship) },
  guards: { tenantFound: (_, params: { tenantId: string | null }) => params.tenantId !== null },
  actions: {
    noteFailure: assign({
      failure: (_, params: { state: string; error: unknown }) => failureOf(params.state, params.error),
    }),
    noteTenant: assign((_, params: { tenantId: string | null; displayName: string | null }) => ({
      tenantId: params.tenantId,
      tenantName: params.displayName,
    })),
    noteRelationship: assign({ ours: (_, params: { reseller: boolean }) => params.reseller }),
  },
}).createMachine({
  id: 'route-onboarding',
  context: ({ input }) => ({ ...input, tenantId: null, tenantName: null, ours: false, failure: null }),
  initial: 'findingTenant',
  states: {
    findingTenant: {
      meta: { description: 'Looking up the tenant of {domain}', waitingOn: 'us' },
      invoke: {
        id: 'findTenant',
        src: 'findTenant',
        input: ({ context }) => ({ domain: context.domain }),
        onDone: [
          {
            guard: { type: 'tenantFound', params: ({ event }) => event.output },
            target: 'readingRelationship',
            actions: { type: 'noteTenant', params: ({ event }) => event.output },
          },
          { target: 'routed' },
        ],
        onError: failing('findingTenant', 'undecided'),
      },
    },
    readingRelationship: {
      meta: { description: 'Reading whether {domain} is our customer', waitingOn: 'us' },
      invoke: {
        id: 'readRelationship',
        src: 'readRelationship',
        input: ({ context }) => ({ customerId: context.tenantId ?? '' }),
        onDone: {
          target: 'routed',
          actions: { type: 'noteRelationship', params: ({ event }) => event.output },
        },
        onError: failing('readingRelationship', 'undecided'),
      },
    },
    routed: { meta: { description: 'The path of {domain} is known' }, type: 'final' },
    undecided: {
      meta: { description: 'The path of {domain} could not be found out: {failure.message}' },
      type: 'final',
    },
  },
  output: ({ context: { domain, tenantId, tenantName, ours, failure } }) => ({
    domain,
    ...(failure === null
      ? routeFor({ tenantId, ours })
      : { path: null, why: `Microsoft could not be asked: ${failure.message}` }),
    tenantId,
    tenantName,
  }),
});

export const routeOnboarding = defineWorkflow({
  name: 'route-onboarding',
  title: 'Finding the path of a customer',
  machine: routeOnboardingMachine,
  input: RouteOnboardingInput,
  signals: {},
  subject: (context) => context.domain,
});
