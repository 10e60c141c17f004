/** What operators do over HTTP beyond pause and cancel: interventions, previews, batches, migrations. */
import { describe, expect, it } from '@jest/globals';
import { createFixture, type Fixture, INPUT } from './api-fixture.ts';

const reason = 'told on the phone';
const approve = (id: string) => `/v1/tasks/${id}~approve-order/approve`;

/** An order that has got to where its activity runs. */
async function greeting({ as, start, engine, client }: Fixture) {
  const { id } = await start();
  await as('approver').post(approve(id), { payload: { cartId: 'cart-1' } });
  await engine.settled();
  await client.signalById(
    (await client.describe(id))?.children[0]?.instanceId ?? '',
    'consent.reseller.granted',
    {},
  );
  await engine.settled();
  const view = await client.describe(id);
  return { id, token: view?.activities[0]?.token ?? '', view };
}

describe('an activity ended by hand', () => {
  it('is completed with an output of its contract, with who and why in the history', async () => {
    const fixture = createFixture();
    const { id, token } = await greeting(fixture);
    const path = `/v1/instances/${id}/activities/${token}/complete`;
    const post = (body: object) => fixture.as('admin').post(path, body);

    const unfit = await post({ output: { greeted: 'yes' }, reason });
    expect([unfit.status, unfit.body.code]).toEqual([409, 'operation-impossible']);
    expect((await post({ output: { greeted: true } })).body.code).toBe('input-invalid');
    const done = await post({ output: { greeted: true }, reason });

    expect([done.status, done.body.status]).toEqual([200, 'completed']);
    const { body } = await fixture.as('viewer').get(`/v1/instances/${id}/history?limit=500`);
    expect(body.data.at(-1)).toMatchObject({
      kind: 'complete-activity',
      by: { kind: 'api-key', id: 'admin' },
      reason,
    });
  });

  it('is failed, for the statechart to deal with; a token that is not is refused', async () => {
    const fixture = createFixture();
    const { id, token } = await greeting(fixture);
    const fail = (which: string) =>
      fixture.as('approver').post(`/v1/instances/${id}/activities/${which}/fail`, {
        code: 'wrong-customer',
        message: 'It was another one.',
        reason,
      });

    expect((await fail('9-9')).body.code).toBe('operation-impossible');
    expect((await fail(token)).body).toMatchObject({ status: 'completed', state: 'rejected' });
  });
});

describe('a hand in state and data', () => {
  it('previews, moves, edits and tries again from a state', async () => {
    const { as, start } = createFixture();
    const { id } = await start();
    const post = (what: string, body: object) => as('approver').post(`/v1/instances/${id}/${what}`, body);

    const preview = await post('preview', { operation: { kind: 'move', to: 'greeting' } });
    expect(preview.body).toMatchObject({
      status: 'applied',
      before: { state: 'awaitingApproval', revision: 1 },
      after: { state: 'greeting' },
      effects: [{ type: 'activity-begins', activity: 'greetCustomer', input: { name: INPUT.customer } }],
    });
    expect((await as('viewer').get(`/v1/instances/${id}`)).body.revision).toBe(1);
    const edited = await post('edit-context', { changes: { seats: 30 }, reason });
    expect(edited.body.context).toMatchObject({ seats: 30, customer: INPUT.customer });
    expect((await post('move', { to: 'greeting', reason })).body).toMatchObject({ state: 'greeting' });
    expect((await post('move', { to: 'nowhere', reason })).body.code).toBe('operation-impossible');
    const again = await as('operator').post(`/v1/instances/${id}/retry-from`, {
      state: 'awaitingApproval',
      reason,
    });
    expect(again.body).toMatchObject({ state: 'awaitingApproval', context: { seats: 30 } });
    expect((await post('edit-context', { changes: {}, reason })).body.code).toBe('input-invalid');
    expect((await post('preview', { operation: { kind: 'xstate.done.actor.greet' } })).body.code).toBe(
      'input-invalid',
    );
  });

  it('forks a past revision', async () => {
    const { as, start } = createFixture();
    const { id } = await start();
    await as('operator').post(`/v1/instances/${id}/cancel`, { reason, force: true });

    const look = await as('approver').post(`/v1/instances/${id}/preview`, {
      operation: { kind: 'fork', revision: 1 },
    });
    const fork = await as('approver').post(`/v1/instances/${id}/fork`, { revision: 1, reason });

    expect(look.body).toMatchObject({ before: null, after: { state: 'awaitingApproval' } });
    expect([fork.status, fork.body.state]).toEqual([201, 'awaitingApproval']);
    expect(fork.headers['location']).toBe(`/v1/instances/${fork.body.id}`);
    expect(fork.body.id).not.toBe(id);
  });

  it('is not for whoever started the instance, where four eyes are asked for', async () => {
    const { as, client, start } = createFixture({ fourEyes: true });
    const mine = await as('approver').post(
      '/v1/instances',
      { workflow: 'order', input: INPUT },
      { 'Idempotency-Key': 'mine' },
    );
    const edit = (id: string) =>
      as('approver').post(`/v1/instances/${id}/edit-context`, { changes: { approvedBy: 'me' }, reason });

    expect((await edit(mine.body.id)).body.code).toBe('forbidden');
    expect((await edit((await start()).id)).status).toBe(200);
    const batch = {
      id: 'b',
      filter: {},
      operation: { kind: 'move', to: 'greeting' },
      dryRun: false,
      expected: 2,
      reason,
    };
    expect((await as('approver').post('/v1/batches', batch)).body).toMatchObject({
      done: 1,
      refused: [{ instanceId: mine.body.id, code: 'forbidden' }],
    });
    expect((await client.describe(mine.body.id))?.state).toBe('awaitingApproval');
  });
});

describe('If-Match', () => {
  it.each(['"one"', 'W/"1"', '"1", "2"'])('%s is refused', async (tag) => {
    const { as, start } = createFixture();
    const { id } = await start();
    const { status } = await as('operator').post(`/v1/instances/${id}/pause`, {}, { 'If-Match': tag });
    expect(status).toBe(412);
  });

  it('holds of two that looked at the same revision one', async () => {
    const { as, start } = createFixture();
    const { id } = await start();
    const edit = (seats: number) =>
      as('admin').post(
        `/v1/instances/${id}/edit-context`,
        { changes: { seats }, reason },
        { 'If-Match': '"1"' },
      );

    const answers = await Promise.all([1, 2, 3, 4, 5].map(edit));

    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412, 412, 412, 412]);
    expect((await as('viewer').get(`/v1/instances/${id}`)).body.revision).toBe(2);
  });
});

describe('a batch', () => {
  it('counts, is done once, and is refused when more is found', async () => {
    const { as, start } = createFixture();
    for (const _ of [1, 2, 3]) await start();
    const batch = {
      id: 'spring',
      filter: { workflow: 'order', status: 'running' },
      operation: { kind: 'pause' },
      reason,
    };
    const post = (more: object) => as('approver').post('/v1/batches', { ...batch, ...more });

    expect((await post({})).body).toMatchObject({ dryRun: true, matched: 3, done: 0 });
    expect((await post({ dryRun: false })).body.code).toBe('input-invalid');
    expect((await post({ dryRun: false, expected: 2 })).body.code).toBe('batch-changed');
    expect((await post({ dryRun: false, expected: 3 })).body).toMatchObject({
      matched: 3,
      done: 3,
      refused: [],
    });
    expect((await post({ dryRun: false, expected: 3, filter: {} })).body).toMatchObject({
      done: 0,
      before: 3,
    });
  });
});

describe('a migration', () => {
  it('names a version that is not there, and is for administrators', async () => {
    const { as } = createFixture();
    const body = { version: 2, reason };
    const answer = await as('admin').post('/v1/workflows/order/migrations', body);
    expect([answer.status, answer.body.code]).toEqual([503, 'workflow-version-missing']);
    expect((await as('admin').post('/v1/workflows/none/migrations', body)).body.code).toBe(
      'workflow-unknown',
    );
    expect((await as('approver').post('/v1/workflows/order/migrations', body)).status).toBe(403);
  });
});
