/** The consent on a clock of its own: what happens on which day, with nobody waiting for it. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { type AnyActorRef, createActor, fromPromise, SimulatedClock } from 'xstate';
import { consentMachine } from '../../workflows/parts/consent.ts';
import { DEFAULT_SETTINGS } from '../../workflows/settings.ts';
import { ANSWERS, STARTS } from './samples.ts';

const DAY = 24 * 3_600_000;
const answer = (name: string, index = 0) => ANSWERS[name]?.[index];

interface Mail {
  readonly day: number;
  readonly kind: string;
}

interface World {
  readonly mails: Mail[];
  readonly reads: { reseller: boolean; admin: string };
  is(value: object | string): boolean;
  to(day: number): Promise<void>;
  send(type: string, payload?: object): Promise<void>;
}

let actor: AnyActorRef | undefined;
afterEach(() => actor?.stop());

/** Microsoft and the mail server answer at once; the customer as `reads` says. */
async function invited(settings: object = {}): Promise<World> {
  const clock = new SimulatedClock();
  const mails: Mail[] = [];
  const reads = { reseller: false, admin: 'approvalPending' };
  const day = () => Math.round((clock.now() / DAY) * 100) / 100;
  const answering = (name: string) => fromPromise(async () => answer(name) as never);
  const machine = consentMachine.provide({
    actors: {
      requestRelationship: answering('requestRelationship'),
      createAdminRelationship: answering('createAdminRelationship'),
      lockAdminRelationship: answering('lockAdminRelationship'),
      terminateAdminRelationship: answering('terminateAdminRelationship'),
      sendInvitation: fromPromise(async ({ input }) => {
        mails.push({ day: day(), kind: (input as { kind: string }).kind });
        return answer('sendInvitation') as never;
      }),
      readRelationship: fromPromise(async () => answer('readRelationship', reads.reseller ? 0 : 1) as never),
      readAdminRelationship: fromPromise(
        async () => ({ ...(answer('readAdminRelationship') as object), status: reads.admin }) as never,
      ),
    },
  } as never);
  const started = createActor(machine, {
    clock,
    input: {
      ...(STARTS['consent'] as object),
      invitation: {
        mode: 'send',
        to: ['it@contoso.example'],
        escalateTo: ['boss@partner.example'],
        text: null,
      },
      settings: { ...DEFAULT_SETTINGS, ...settings },
    } as never,
  });
  actor = started as unknown as AnyActorRef;
  started.start();
  const settled = async () => {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  };
  await settled();
  return {
    mails,
    reads,
    is: (value) => started.getSnapshot().matches(value as never),
    async to(wanted) {
      // In steps no longer than a poll, so that each answer comes before the next timer.
      while (clock.now() < wanted * DAY) {
        clock.increment(Math.min(30 * 60_000, wanted * DAY - clock.now()));
        await settled();
      }
    },
    async send(type, payload = {}) {
      started.send({ type, ...payload } as never);
      await settled();
    },
  };
}

describe('a customer who stays silent', () => {
  it('is reminded on days 2, 5 and 10, our staff is told on day 14, and a person is asked on day 30', async () => {
    const world = await invited();
    await world.to(29.9);

    expect(world.mails.map(({ kind, day }) => [kind, Math.round(day)])).toEqual([
      ['invitation', 0],
      ['reminder', 2],
      ['reminder', 5],
      ['reminder', 10],
      ['escalation', 14],
    ]);
    expect(world.is('awaitingConsent')).toBe(true);
    await world.to(30.1);
    expect(world.is('consentExpired')).toBe(true);
  });

  it('is reminded as the case says, when it says otherwise', async () => {
    const world = await invited({
      reminderAfterMs: [DAY],
      escalateAfterMs: DAY,
      consentDeadlineMs: 4 * DAY,
    });
    await world.to(4.1);

    expect(world.mails.map(({ kind, day }) => [kind, Math.round(day)])).toEqual([
      ['invitation', 0],
      ['reminder', 1],
      ['escalation', 2],
    ]);
    expect(world.is('consentExpired')).toBe(true);
  });
});

describe('a customer who answers', () => {
  it('weeks apart is on board with the second answer, found by the poll although no hint came', async () => {
    const world = await invited();
    await world.to(3);
    world.reads.reseller = true;
    await world.to(3.2);
    expect(world.is({ awaitingConsent: { commerce: 'granted', admin: 'pending' } })).toBe(true);
    await world.to(20);
    world.reads.admin = 'active';
    await world.to(20.2);

    expect(world.is('granted')).toBe(true);
  });

  it('and does not show yet is waited for after the hint, and no alarm is raised', async () => {
    const world = await invited();
    await world.to(1);
    await world.send('consent.reseller.granted', { source: 'webhook' });
    expect(world.is({ awaitingConsent: { commerce: { pending: 'waiting' } } })).toBe(true);
    world.reads.reseller = true;
    // The quick poll comes within the minute.
    await world.to(1 + 60_000 / DAY);

    expect(world.is({ awaitingConsent: { commerce: 'granted' } })).toBe(true);
  });

  it('as somebody without the right changes nothing: the relationship is read, and the wait goes on', async () => {
    const world = await invited();
    await world.to(1);
    await world.send('consent.admin.granted', { source: 'operator' });
    await world.to(1.1);

    expect(world.is({ awaitingConsent: { admin: { pending: 'waiting' } } })).toBe(true);
  });

  it('with no is put before a person, who may invite again', async () => {
    const world = await invited();
    await world.to(1);
    await world.send('consent.declined', { reason: 'Too dear.' });
    expect(world.is('consentDeclined')).toBe(true);
    await world.send('resend.requested');

    expect(world.is('awaitingConsent')).toBe(true);
    expect(world.mails.map(({ kind }) => kind)).toEqual(['invitation', 'invitation']);
  });

  it('after the admin request lapsed is asked anew, with a new request', async () => {
    const world = await invited({ consentDeadlineMs: 120 * DAY });
    await world.to(2);
    world.reads.admin = 'expired';
    await world.to(2.2);
    expect(world.is('consentExpired')).toBe(true);
    world.reads.admin = 'approvalPending';
    await world.send('resend.requested');

    expect(world.is('awaitingConsent')).toBe(true);
    expect(actor?.getSnapshot().context).toMatchObject({ round: 2 });
  });
});
