/** What happens side by side, and what outlives an onboarding. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PARTNER, SEED_TENANTS } from '../../emulator/index.ts';
import type { Client, InstanceView } from '../../engine/index.ts';
import { answerTask, signalOf } from '../../scripts/lib/answers.mjs';
import { silentLogger } from '../../shared/logger.ts';
import { openSignInTask } from '../../workers/sign-in-task.ts';
import { onboardExistingCspCustomer } from '../../workflows/onboard-existing-csp-customer.ts';
import { onboardExistingOfficeCustomer } from '../../workflows/onboard-existing-office-customer.ts';
import { LEAST_ROLES } from '../../workflows/start-form.ts';
import { eventually } from '../support/eventually.ts';
import { playToTheEnd, stretchOf } from '../support/play.ts';
import { ATTESTED, COMMON, ems, type Onboarding, office, startOnboarding } from './onboarding-fixture.ts';

const DOMAIN_NAME_ADMINISTRATOR = '8329153b-31d0-4727-b945-745eb3bc5f31';

let onboarding: Onboarding;
beforeEach(async () => {
  onboarding = await startOnboarding();
});
afterEach(() => onboarding.close());

async function openTasks(client: Client): Promise<InstanceView['tasks']> {
  const { items } = await client.list({ task: true, children: true });
  return items.flatMap(({ tasks }) => tasks);
}

/** Answers what is open, once each, and nothing of the customer's. */
async function staffAnswers(client: Client): Promise<void> {
  for (const task of await openTasks(client)) {
    const chosen = answerTask(task);
    const signal = chosen === null ? undefined : signalOf(task, chosen);
    if (chosen === null || signal === undefined) continue;
    await client.signalById(task.instanceId, signal, chosen.payload, { by: { kind: 'person', id: 'test' } });
  }
}

const subscriptionOf = (view: InstanceView | undefined): string =>
  String((view?.context as { subscriptionId?: string } | undefined)?.subscriptionId);

const fabrikam = {
  ...COMMON,
  customer: { name: 'Fabrikam', domain: 'fabrikam.example' },
  order: { lines: [office(5)] },
} as const;

describe('an order', () => {
  it('is placed while the customer has accepted the reseller link alone, and seats and licences wait for the rest', async () => {
    const { client, microsoft, books } = onboarding;
    const { instance } = await client.start(onboardExistingOfficeCustomer, {
      ...COMMON,
      customer: { name: 'Contoso Ltd', domain: 'contoso.example' },
      invitation: { mode: 'send', to: ['it@contoso.example'] },
      order: { lines: [ems(25)] },
      attested: ATTESTED,
    } as never);
    await eventually(async () =>
      expect((await stretchOf(client, instance.id, 'consent'))?.sentence).toContain('Waiting for Contoso'),
    );
    const tenantId = SEED_TENANTS.contoso;
    await microsoft.control('/consents/reseller/accept', { tenantId, signAgreement: false });

    await eventually(
      async () => {
        await staffAnswers(client);
        expect(books().orders).toHaveLength(1);
      },
      { within: 15_000 },
    );

    expect(books().relationships.map(({ status }) => status)).toContain('approvalPending');
    expect(books().licences.filter((licence) => licence.skuPartNumber === 'EMS')).toEqual([]);
    const played = await playToTheEnd(instance.id, { client, microsoft });
    expect(played.instance).toMatchObject({ status: 'completed', output: { outcome: 'completed' } });
    expect(books().orders).toHaveLength(1);
  });
});

describe('the seven days', () => {
  it('stay open after the onboarding has closed, and giving back really cancels', async () => {
    const { client, microsoft, books } = onboarding;
    const { instance } = await client.start(onboardExistingCspCustomer, fabrikam as never);
    await playToTheEnd(instance.id, { client, microsoft });

    const [window] = (await client.list({ workflow: 'undo-purchase' })).items;
    expect(window).toMatchObject({ status: 'running', labels: { onboarding: instance.id } });
    const [task] = window?.tasks ?? [];
    expect(task).toMatchObject({ optional: true, dueAt: null, title: 'Give the purchase back?' });
    expect(window?.timers.map(({ event }) => event).join()).toContain('undoWindow');
    const subscriptionId = subscriptionOf(window);

    await client.signalById(window?.id ?? '', 'undo.requested', { reason: 'Bought by mistake.' });

    await eventually(async () =>
      expect((await client.describe(window?.id ?? ''))?.output).toMatchObject({ outcome: 'undone' }),
    );
    const { subscriptions } = microsoft.connectors.partnerCenter;
    const { status } = await subscriptions.get(SEED_TENANTS.fabrikam, subscriptionId);
    expect(status).toBe('deleted');
    expect(books().orders).toHaveLength(1);
  });

  it('of added seats give back those seats and leave the subscription', async () => {
    const { client, microsoft } = onboarding;
    const first = (await client.start(onboardExistingCspCustomer, fabrikam as never)).instance;
    await playToTheEnd(first.id, { client, microsoft });
    const again = (
      await client.start(onboardExistingCspCustomer, { ...fabrikam, order: { lines: [office(3)] } } as never)
    ).instance;
    await playToTheEnd(again.id, {
      client,
      microsoft,
      answer: ({ id, shows }) => {
        if (!id.endsWith('~review-subscriptions')) return undefined;
        const mine = (shows['Subscriptions'] as { subscriptionId: string; quantity: number }[]).find(
          ({ quantity }) => quantity === 5,
        );
        return {
          action: 'complete',
          payload: { plan: 'more-seats', subscriptionId: mine?.subscriptionId, additionalSeats: 3 },
        };
      },
    });
    const windows = (await client.list({ workflow: 'undo-purchase' })).items;
    const grown = windows.find(({ labels }) => labels['onboarding'] === again.id);
    const subscriptionId = subscriptionOf(grown);
    const { subscriptions } = microsoft.connectors.partnerCenter;
    const quantity = async () => (await subscriptions.get(SEED_TENANTS.fabrikam, subscriptionId)).quantity;
    expect(await quantity()).toBe(8);

    await client.signalById(grown?.id ?? '', 'undo.requested', { reason: 'Too many.' });

    await eventually(async () => expect(await quantity()).toBe(5));
    expect((await subscriptions.get(SEED_TENANTS.fabrikam, subscriptionId)).status).toBe('active');
  });
});

describe('a domain', () => {
  it('is added, waits for its DNS record as a task with the record, and is verified by Microsoft', async () => {
    const { client, microsoft } = onboarding;
    await microsoft.control('/delays', { domainVerification: 400 }, 'PATCH');
    const roles = [...LEAST_ROLES, DOMAIN_NAME_ADMINISTRATOR];
    const { instance } = await client.start(onboardExistingOfficeCustomer, {
      ...COMMON,
      partner: { ...COMMON.partner, roles, access: COMMON.partner.access.map((one) => ({ ...one, roles })) },
      directory: { model: 'cloud-only', domain: 'contoso-two.example' },
      customer: { name: 'Contoso Ltd', domain: 'contoso.example' },
      invitation: { mode: 'send', to: ['it@contoso.example'] },
      order: { lines: [ems(25)] },
      attested: ATTESTED,
    } as never);
    const seen: unknown[] = [];

    const played = await playToTheEnd(instance.id, {
      client,
      microsoft,
      answer: ({ id, shows }) => {
        if (!id.endsWith('~dns-record')) return undefined;
        seen.push(shows['Record']);
        return null;
      },
    });

    expect(played.instance.status).toBe('completed');
    expect(seen[0]).toEqual([expect.objectContaining({ type: 'TXT', value: expect.stringMatching(/^MS=/) })]);
    const tenant = microsoft.emulator.world.directory.tenants.get(SEED_TENANTS.contoso);
    expect(tenant?.domains.find(({ name }) => name === 'contoso-two.example')?.isVerified).toBe(true);
  });
});

describe('a broken sign-in', () => {
  it('is one task for everybody, and ends with all queues running when a token was had', async () => {
    const { client } = onboarding;
    const log = silentLogger();
    expect(await openSignInTask({ client, log })).toBe(false);
    await onboarding.pauseQueue('graph', 'AADSTS700082: the refresh token has expired.');
    await onboarding.pauseQueue('partner-center', 'AADSTS700082: the refresh token has expired.');

    await openSignInTask({ client, log });
    await openSignInTask({ client, log });

    const open = await client.list({ workflow: 'renew-sign-in', task: true });
    expect(open.items.map(({ tasks }) => tasks[0]?.id)).toEqual(['renew-sign-in~renew-sign-in']);
    await client.signalById('renew-sign-in', 'retry.requested', {});
    await eventually(async () => expect(await client.pausedQueues()).toEqual([]));
    await eventually(async () =>
      expect((await client.describe('renew-sign-in'))?.output).toEqual({ outcome: 'renewed' }),
    );
  });

  it('is kept apart from a security group without members: each its words, its queues, its end', async () => {
    const { client, microsoft } = onboarding;
    const members = (memberIds: string[]) =>
      microsoft.emulator.world.directory.groups.update(PARTNER.securityGroupId, { memberIds });
    const memberIds = [
      ...(microsoft.emulator.world.directory.groups.get(PARTNER.securityGroupId)?.memberIds ?? []),
    ];
    const queues = async () => (await client.pausedQueues()).map(({ queue }) => queue).sort();
    members([]);
    await onboarding.pauseQueue('graph', 'The group is empty.', 'partner-group-unusable');
    await onboarding.pauseQueue('partner-center', 'AADSTS700082: the refresh token has expired.');
    await onboarding.pauseQueue('default-two', 'Stopped for a reason of its own.', 'something-new');

    await openSignInTask({ client, log: silentLogger() });

    const open = (await client.list({ workflow: 'renew-sign-in', task: true })).items;
    const told = open.map(({ id, tasks: [task] }) => [id, task?.title, task?.instructions.slice(0, 30)]);
    expect(told.sort()).toEqual([
      ['renew-sign-in', 'Renew our sign-in at Microsoft', 'An Admin Agent of ours signs i'],
      ['renew-sign-in-other', 'See to a stopped queue', 'Remove the cause, then resume '],
      ['renew-sign-in-security-group', 'Mend our security group', 'Create the group anew in our o'],
    ]);

    await client.signalById('renew-sign-in', 'retry.requested', {});
    await client.signalById('renew-sign-in-security-group', 'retry.requested', {});
    await client.signalById('renew-sign-in-other', 'retry.requested', {});
    await eventually(async () => expect(await queues()).toEqual(['default-two', 'graph']));
    await eventually(async () =>
      expect((await client.describe('renew-sign-in-security-group'))?.sentence).toMatch(/waits to be mended/),
    );
    expect(await queues()).toEqual(['default-two', 'graph']);

    members(memberIds);
    await client.signalById('renew-sign-in-security-group', 'retry.requested', {});
    await eventually(async () => expect(await queues()).toEqual(['default-two']));

    await client.resumeQueue('default-two');
    await client.signalById('renew-sign-in-other', 'retry.requested', {});
    await eventually(async () =>
      expect((await client.describe('renew-sign-in-other'))?.output).toEqual({ outcome: 'renewed' }),
    );
  });
});
