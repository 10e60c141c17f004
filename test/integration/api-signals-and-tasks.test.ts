import { describe, expect, it } from '@jest/globals';
import { secretAad } from '../../shared/secrets.ts';
import { createFixture, INPUT, TENANT } from './api-fixture.ts';

const approve = (id: string) => `/v1/tasks/${id}~approve-order/approve`;

describe('signals', () => {
  it('a signal sent twice with one id is applied once', async () => {
    const { as, start } = createFixture();
    const { id } = await start();
    const signal = { type: 'note.added', payload: { text: 'hello' }, id: 'n1' };

    const first = await as('operator').post(`/v1/instances/${id}/signals`, signal);
    const second = await as('operator').post(`/v1/instances/${id}/signals`, signal);

    expect([first.status, first.body.status, first.body.instance.revision]).toEqual([200, 'applied', 2]);
    expect([second.status, second.body.status]).toEqual([200, 'duplicate']);
    expect((await as('viewer').get(`/v1/instances/${id}`)).body.revision).toBe(2);
  });

  it('the Idempotency-Key is the id of a signal that has none', async () => {
    const { as, start } = createFixture();
    const { id } = await start();
    const send = () =>
      as('operator').post(
        `/v1/instances/${id}/signals`,
        { type: 'note.added', payload: { text: 'x' } },
        { 'Idempotency-Key': 'once' },
      );

    expect([(await send()).body.status, (await send()).body.status]).toEqual(['applied', 'duplicate']);
  });

  it('a signal that must wait is answered with 202', async () => {
    const { as, start } = createFixture();
    const { id } = await start();

    const response = await as('operator').post(`/v1/instances/${id}/signals`, { type: 'later.said' });

    expect([response.status, response.body.status]).toEqual([202, 'deferred']);
  });

  it.each([
    ['unknown', { type: 'nope' }, 400, 'signal-unknown'],
    ['reserved', { type: 'xstate.done.actor.greet' }, 400, 'event-reserved'],
    ['badly filled', { type: 'note.added', payload: { text: 1 } }, 400, 'input-invalid'],
    [
      'saying who it is from',
      { type: 'note.added', payload: { text: 'x', by: 'boss' } },
      400,
      'input-invalid',
    ],
    [
      'with a field of ours',
      { type: 'note.added', payload: { text: 'x' }, status: 'applied' },
      400,
      'input-invalid',
    ],
    ['with a payload that is no object', { type: 'note.added', payload: [] }, 400, 'input-invalid'],
  ])('a signal that is %s is refused', async (_title, body, status, code) => {
    const { as, start } = createFixture();
    const { id } = await start();

    const response = await as('operator').post(`/v1/instances/${id}/signals`, body);

    expect([response.status, response.body.code]).toEqual([status, code]);
    expect((await as('viewer').get(`/v1/instances/${id}`)).body.revision).toBe(1);
  });

  it('an answer nobody asked for is refused, and a closed instance takes nothing', async () => {
    const { as, start } = createFixture();
    const { id } = await start();
    const signals = `/v1/instances/${id}/signals`;
    await as('approver').post(approve(id), { payload: { cartId: 'cart-1' } });

    const late = await as('approver').post(signals, { type: 'order.rejected', payload: { reason: 'x' } });
    await as('operator').post(`/v1/instances/${id}/cancel`, { reason: 'x', force: true });
    const closed = await as('operator').post(signals, { type: 'note.added', payload: { text: 'x' } });

    expect([late.status, late.body.code]).toEqual([409, 'signal-not-accepted']);
    expect([closed.status, closed.body.code]).toEqual([409, 'instance-closed']);
  });

  it('a signal that finds no room is refused, not dropped', async () => {
    const { as, start, client } = createFixture();
    const { id } = await start();
    for (let count = 0; count < 1_000; count += 1) await client.signalById(id, 'later.said', {});

    const response = await as('operator').post(`/v1/instances/${id}/signals`, { type: 'later.said' });

    expect([response.status, response.body.code]).toEqual([503, 'signal-overflow']);
    expect(response.headers['retry-after']).toBe('30');
  });

  it('the bare signal does not let an operator approve', async () => {
    const { as, start } = createFixture();
    const { id } = await start();
    const body = { type: 'order.approved', payload: { cartId: 'cart-1' } };

    const operator = await as('operator').post(`/v1/instances/${id}/signals`, body);
    const approver = await as('approver').post(`/v1/instances/${id}/signals`, body);

    expect([operator.status, operator.body.code]).toEqual([403, 'forbidden']);
    expect(approver.status).toBe(200);
    expect(approver.body.instance.context.approvedBy).toBe('approver');
  });
});

describe('tasks', () => {
  it('a task shows what is decided on, and each action its fields', async () => {
    const { as, start } = createFixture();
    const { id } = await start();

    const { body } = await as('viewer').get('/v1/tasks');

    expect(body.data).toMatchObject([
      {
        id: `${id}~approve-order`,
        subject: 'Contoso Ltd',
        shows: { Seats: 25, Cart: 'cart-1' },
        actions: [
          { name: 'approve', prefill: { cartId: 'cart-1' }, fields: { required: ['cartId'] } },
          { name: 'reject', reasonRequired: true },
        ],
      },
    ]);
    expect(body.data[0].actions[0].fields.properties).not.toHaveProperty('by');
  });

  it('approving names the approver in statechart and history', async () => {
    const { as, start } = createFixture();
    const { id } = await start();

    const response = await as('approver').post(approve(id), {
      payload: { cartId: 'cart-1' },
      reason: 'fits',
    });
    const history = await as('viewer').get(`/v1/instances/${id}/history`);

    expect(response.body.instance.context.approvedBy).toBe('approver');
    expect(history.body.data[1]).toMatchObject({ by: { id: 'approver' }, reason: 'fits' });
  });

  it('an approval of another cart changes nothing', async () => {
    const { as, start } = createFixture();
    const { id } = await start();

    const response = await as('approver').post(approve(id), { payload: { cartId: 'cart-0' } });

    expect([response.status, response.body.code]).toEqual([409, 'signal-not-accepted']);
  });

  it.each([
    ['~nothing/approve', {}, 404, 'task-unknown'],
    ['~approve-order/dance', {}, 404, 'task-action-unknown'],
    ['~approve-order/reject', {}, 400, 'input-invalid'],
    ['~approve-order/approve', { payload: {} }, 400, 'input-invalid'],
    ['~approve-order/approve', { payload: { cartId: 'cart-1', by: 'boss' } }, 400, 'input-invalid'],
    ['~approve-order/approve', { cartId: 'cart-1' }, 400, 'input-invalid'],
  ])('%s with %p is refused', async (rest, body, status, code) => {
    const { as, start } = createFixture();
    const { id } = await start();

    const response = await as('approver').post(`/v1/tasks/${id}${rest}`, body);

    expect([response.status, response.body.code]).toEqual([status, code]);
  });

  it('a task for approvers is not an operator’s', async () => {
    const { as, start } = createFixture();
    const { id } = await start();

    const response = await as('operator').post(approve(id), { payload: { cartId: 'cart-1' } });

    expect([response.status, response.body.code]).toEqual([403, 'forbidden']);
  });

  it('with four eyes nobody approves what they started, but may reject it', async () => {
    const { as } = createFixture({ fourEyes: true });
    const body = { workflow: 'order', input: INPUT };
    const { body: started } = await as('admin').post('/v1/instances', body, { 'Idempotency-Key': 'k' });
    const path = approve(started.id);

    const own = await as('admin').post(path, { payload: { cartId: 'cart-1' } });
    const bare = await as('admin').post(`/v1/instances/${started.id}/signals`, {
      type: 'order.approved',
      payload: { cartId: 'cart-1' },
    });
    const { body: second } = await as('admin').post('/v1/instances', body, { 'Idempotency-Key': 'l' });
    const rejected = await as('admin').post(`/v1/tasks/${second.id}~approve-order/reject`, {
      reason: 'too many',
    });
    const other = await as('approver').post(path, { payload: { cartId: 'cart-1' } });

    expect([own.status, bare.status, rejected.status, other.status]).toEqual([403, 403, 200, 200]);
  });

  it('a rejection carries its reason into the statechart', async () => {
    const { as, start } = createFixture();
    const { id } = await start();

    const response = await as('approver').post(`/v1/tasks/${id}~approve-order/reject`, {
      reason: 'too many',
    });

    expect(response.body.instance).toMatchObject({ status: 'completed', sentence: 'The order was rejected' });
  });
});

describe('operations', () => {
  it('pause, resume and cancel do so once and say why not the second time', async () => {
    const { as, start } = createFixture();
    const { id } = await start();
    const post = (what: string, body: object = {}) =>
      as('operator').post(`/v1/instances/${id}/${what}`, body);

    expect((await post('pause')).body.status).toBe('paused');
    expect((await post('pause')).body.code).toBe('operation-impossible');
    expect((await post('resume')).body.status).toBe('running');
    expect((await post('retry')).body.code).toBe('operation-impossible');
    expect((await post('cancel')).body.code).toBe('input-invalid');
    expect((await post('cancel', { reason: 'not wanted' })).body).toMatchObject({
      status: 'applied',
      instance: { sentence: 'Canceled' },
    });
    expect((await post('cancel', { reason: 'again' })).body.code).toBe('instance-closed');
  });

  it('an operation on a revision that has passed is refused', async () => {
    const { as, start } = createFixture();
    const { id } = await start();
    const { headers } = await as('viewer').get(`/v1/instances/${id}`);
    await as('operator').post(`/v1/instances/${id}/signals`, { type: 'note.added', payload: { text: 'x' } });

    const stale = await as('operator').post(
      `/v1/instances/${id}/pause`,
      {},
      { 'If-Match': headers['etag'] ?? '' },
    );
    const fresh = await as('operator').post(`/v1/instances/${id}/pause`, {}, { 'If-Match': '"2-x"' });

    expect([stale.status, stale.body.code]).toEqual([412, 'revision-mismatch']);
    expect(fresh.status).toBe(200);
  });
});

describe('signals that nobody claimed', () => {
  it('are listed and given to an instance once', async () => {
    const { as, start, client, engine } = createFixture();
    await client.signalByKey(
      `tenant:${TENANT.replace('6f', '7f')}`,
      'consent.reseller.granted',
      { source: 'x' },
      { id: 's1' },
    );
    const { id } = await start();
    await as('approver').post(approve(id), { payload: { cartId: 'cart-1' } });
    await engine.settled();
    const child = (await client.describe(id))?.children[0]?.instanceId ?? '';

    const listed = await as('viewer').get('/v1/unmatched');
    const unknown = await as('operator').post('/v1/unmatched/nope/assign', { instanceId: child });
    const assigned = await as('operator').post('/v1/unmatched/s1/assign', { instanceId: child });
    const after = await as('viewer').get('/v1/unmatched');

    expect(listed.body.data).toMatchObject([
      { signalId: 's1', type: 'consent.reseller.granted', payload: { source: 'x' } },
    ]);
    expect([unknown.status, unknown.body.code]).toEqual([400, 'signal-unknown']);
    expect(assigned.body).toMatchObject({ status: 'applied', instance: { status: 'completed' } });
    expect(after.body.data).toEqual([]);
  });
});

describe('secrets', () => {
  it('a secret is shown once, with its record in the history, and never cached', async () => {
    const { as, start, store, engine, secretBox } = createFixture();
    const { id } = await start();
    const sealed = secretBox.seal(secretAad(id, 'password'), 'Pa55-word');
    await engine.handle(
      id,
      { event: { kind: 'secret.revealed', name: 'made' } },
      { secrets: { set: [['password', sealed]], drop: [] } },
    );

    const first = await as('approver').post(`/v1/instances/${id}/secrets/password/reveal`, {
      reason: 'hand over',
    });
    const second = await as('approver').post(`/v1/instances/${id}/secrets/password/reveal`, {
      reason: 'again',
    });
    const history = await as('auditor').get(`/v1/instances/${id}/history`);

    expect([first.status, first.body]).toEqual([200, { name: 'password', value: 'Pa55-word' }]);
    expect(first.headers['cache-control']).toBe('no-store');
    expect([second.status, second.body.code]).toEqual([404, 'secret-unknown']);
    expect(history.body.data.at(-1)).toMatchObject({ by: { id: 'approver' }, reason: 'hand over' });
    expect(JSON.stringify(history.body)).not.toContain('Pa55-word');
    expect(await store.secret(id, 'password')).toBeNull();
  });

  it('a secret of another instance does not open', async () => {
    const { as, start, engine, secretBox } = createFixture();
    const { id } = await start();
    const sealed = secretBox.seal(secretAad('wf_other', 'password'), 'Pa55-word');
    await engine.handle(
      id,
      { event: { kind: 'secret.revealed', name: 'made' } },
      { secrets: { set: [['password', sealed]], drop: [] } },
    );

    const response = await as('approver').post(`/v1/instances/${id}/secrets/password/reveal`, {
      reason: 'x',
    });

    expect([response.status, response.body.code]).toEqual([500, 'secret-unreadable']);
    expect(response.text).not.toContain('Pa55');
  });

  it('wants a reason, and not too often', async () => {
    const { as, start } = createFixture({ limits: { reveals: 2 } });
    const { id } = await start();
    const reveal = (body: object) => as('approver').post(`/v1/instances/${id}/secrets/password/reveal`, body);

    expect((await reveal({})).body.code).toBe('input-invalid');
    expect((await reveal({ reason: 'x' })).body.code).toBe('secret-unknown');
    expect((await reveal({ reason: 'x' })).body.code).toBe('rate-limited');
  });
});

describe('queues', () => {
  it('a paused queue is listed until somebody resumes it', async () => {
    const { as, store } = createFixture();
    await store.pauseQueue({ queue: 'partner-center', code: 'sign-in', reason: 'sign-in broken' });

    const listed = await as('viewer').get('/v1/queues/paused');
    const resumed = await as('operator').post('/v1/queues/partner-center/resume', { reason: 'mended' });

    expect(listed.body.data).toMatchObject([{ queue: 'partner-center', code: 'sign-in' }]);
    expect(resumed.status).toBe(204);
    expect((await as('viewer').get('/v1/queues/paused')).body.data).toEqual([]);
  });
});
