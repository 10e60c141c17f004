import { describe, expect, it } from '@jest/globals';
import { createFixture, INPUT } from './api-fixture.ts';

const START = { workflow: 'order', input: INPUT };

describe('starting', () => {
  it('a start is answered with 201 and the address of the instance', async () => {
    const { as } = createFixture();

    const response = await as('operator').post('/v1/instances', START, { 'Idempotency-Key': 'k1' });

    expect(response.status).toBe(201);
    expect(response.headers['location']).toBe(`/v1/instances/${response.body.id}`);
    expect(response.body).toMatchObject({
      status: 'running',
      subject: 'Contoso Ltd',
      sentence: 'The order of 25 seats for Contoso Ltd waits for approval',
      needs: { attention: 0, tasks: 1 },
    });
    expect((await as('viewer').get(response.headers['location'] ?? '')).status).toBe(200);
  });

  it('the same key twice starts one instance, and the second answer says so', async () => {
    const { as, client } = createFixture();

    const [first, second] = await Promise.all([
      as('operator').post('/v1/instances', START, { 'Idempotency-Key': 'same' }),
      as('operator').post('/v1/instances', START, { 'Idempotency-Key': 'same' }),
    ]);

    expect([first.status, second.status].toSorted()).toEqual([200, 201]);
    expect(first.body.id).toBe(second.body.id);
    const replay = first.status === 200 ? first : second;
    expect(replay.headers['idempotency-replayed']).toBe('true');
    expect((await client.list({})).items).toHaveLength(1);
  });

  it('the same key with other input is refused', async () => {
    const { as } = createFixture();
    await as('operator').post('/v1/instances', START, { 'Idempotency-Key': 'k' });

    const other = await as('operator').post(
      '/v1/instances',
      { ...START, input: { ...INPUT, seats: 26 } },
      { 'Idempotency-Key': 'k' },
    );

    expect(other.status).toBe(422);
    expect(other.body.code).toBe('idempotency-mismatch');
  });

  it('the same key of another caller is another instance', async () => {
    const { as } = createFixture();

    const one = await as('operator').post('/v1/instances', START, { 'Idempotency-Key': 'k' });
    const two = await as('admin').post('/v1/instances', START, { 'Idempotency-Key': 'k' });

    expect([one.status, two.status]).toEqual([201, 201]);
    expect(one.body.id).not.toBe(two.body.id);
  });

  it.each([
    ['without a key', START, {}, 400, 'idempotency-key-missing'],
    ['with an unprintable key', START, { 'Idempotency-Key': 'a b' }, 400, 'input-invalid'],
    [
      'of an unknown workflow',
      { ...START, workflow: 'nope' },
      { 'Idempotency-Key': 'k' },
      404,
      'workflow-unknown',
    ],
    [
      'of a part that is not for starting',
      { ...START, workflow: 'waiting' },
      { 'Idempotency-Key': 'k' },
      404,
      'workflow-unknown',
    ],
    [
      'with invalid input',
      { ...START, input: { ...INPUT, seats: 0 } },
      { 'Idempotency-Key': 'k' },
      400,
      'input-invalid',
    ],
    [
      'with a field of ours',
      { ...START, status: 'completed' },
      { 'Idempotency-Key': 'k' },
      400,
      'input-invalid',
    ],
    ['with an id', { ...START, id: 'mine' }, { 'Idempotency-Key': 'k' }, 400, 'input-invalid'],
  ])('a start %s is refused', async (_title, body, headers, status, code) => {
    const { as, client } = createFixture();

    const response = await as('operator').post('/v1/instances', body, headers as Record<string, string>);

    expect([response.status, response.body.code]).toEqual([status, code]);
    expect((await client.list({})).items).toEqual([]);
  });

  it('an invalid field is named by a pointer', async () => {
    const { as } = createFixture();

    const { body } = await as('operator').post(
      '/v1/instances',
      { ...START, input: { ...INPUT, seats: 0 } },
      { 'Idempotency-Key': 'k' },
    );

    expect(body.errors).toEqual([{ pointer: '/seats', detail: expect.any(String) }]);
  });

  it('what the installation sets is used where the start leaves it out', async () => {
    const { as } = createFixture({ startDefaults: { seats: 7 } });
    const { seats: _, ...input } = INPUT;

    const response = await as('operator').post(
      '/v1/instances',
      { workflow: 'order', input },
      { 'Idempotency-Key': 'k' },
    );

    expect(response.body.context.seats).toBe(7);
  });
});

describe('reading', () => {
  it('an unchanged instance is answered with 304, a changed one anew', async () => {
    const { as, start } = createFixture();
    const { id } = await start();
    const first = await as('viewer').get(`/v1/instances/${id}`);
    const etag = first.headers['etag'] ?? '';

    const same = await as('viewer').get(`/v1/instances/${id}`, { 'If-None-Match': etag });
    await as('operator').post(`/v1/instances/${id}/pause`);
    const changed = await as('viewer').get(`/v1/instances/${id}`, { 'If-None-Match': etag });

    expect(etag).toMatch(/^"1-/);
    expect(same.status).toBe(304);
    expect(changed.status).toBe(200);
    expect(changed.headers['etag']).not.toBe(etag);
  });

  it('a tree holds the views of the children, and the innermost sentence', async () => {
    const { as, start, engine } = createFixture();
    const { id } = await start();
    await as('approver').post(`/v1/tasks/${id}~approve-order/approve`, { payload: { cartId: 'cart-1' } });
    await engine.settled();

    const tree = await as('viewer').get(`/v1/instances/${id}?tree=true`);

    expect(tree.body.innermost.sentence).toBe('Waiting for Contoso Ltd to accept, day 1');
    expect(tree.body.children[0].instance).toMatchObject({ parentId: id, title: 'Waiting for consent' });
  });

  it('a list is paged by an opaque cursor that belongs to its filter', async () => {
    const { as, start, clock } = createFixture();
    for (let number = 0; number < 5; number += 1) {
      await start();
      clock.advance(1_000);
    }

    const seen: string[] = [];
    let path: string | undefined = '/v1/instances?limit=2&status=running';
    let cursor = '';
    while (path !== undefined) {
      const page: {
        body: { data: { id: string }[]; nextCursor: string | null };
        headers: Record<string, string>;
      } = await as('viewer').get(path);
      seen.push(...page.body.data.map(({ id }) => id));
      cursor = page.body.nextCursor ?? cursor;
      path = /<([^>]+)>; rel="next"/.exec(page.headers['link'] ?? '')?.[1];
    }
    const wrong = await as('viewer').get(`/v1/instances?limit=2&status=paused&cursor=${cursor}`);

    expect(new Set(seen).size).toBe(5);
    expect([wrong.status, wrong.body.code]).toEqual([400, 'input-invalid']);
  });

  it('a list that did not change is answered with 304', async () => {
    const { as, start } = createFixture();
    await start();
    const { headers } = await as('viewer').get('/v1/instances');

    const again = await as('viewer').get('/v1/instances', { 'If-None-Match': headers['etag'] ?? '' });

    expect(again.status).toBe(304);
  });

  it('a list finds by status, task, key and time', async () => {
    const { as, start, client, engine, clock } = createFixture();
    const { id } = await start();
    await as('approver').post(`/v1/tasks/${id}~approve-order/approve`, { payload: { cartId: 'cart-1' } });
    await engine.settled();
    clock.advance(60_000);
    const second = await start();

    const ids = async (query: string) =>
      ((await as('viewer').get(`/v1/instances?${query}`)).body.data as { id: string }[]).map(
        (item) => item.id,
      );

    expect(await ids('task=true')).toEqual([second.id]);
    expect(await ids('workflow=order&state=asking')).toEqual([id]);
    expect(await ids('status=completed')).toEqual([]);
    expect(await ids(`createdAfter=${new Date(clock.now()).toISOString()}`)).toEqual([second.id]);
    const [child] = (await client.describe(id))?.children ?? [];
    expect(await ids(`key=tenant:${INPUT.tenantId}`)).toEqual([child?.instanceId]);
  });

  it.each([
    ['/v1/instances?limit=0'],
    ['/v1/instances?limit=1&limit=2'],
    ['/v1/instances?colour=red'],
    ['/v1/instances?state=x'],
    ['/v1/instances?cursor=abc'],
    ['/v1/instances?createdAfter=yesterday'],
    ['/v1/instances/a%00b'],
    ['/v1/instances/..%2fx'],
    ['/v1/instances/%'],
  ])('%s is refused as invalid', async (path) => {
    const { as } = createFixture();

    const response = await as('viewer').get(path);

    expect([response.status, response.body.code]).toEqual([400, 'input-invalid']);
  });

  it('an unknown instance is unknown to every route', async () => {
    const { as } = createFixture();
    const admin = as('admin');

    const answers = await Promise.all([
      admin.get('/v1/instances/nobody'),
      admin.get('/v1/instances/nobody/history'),
      admin.get('/v1/instances/nobody/history?tree=true'),
      admin.get('/v1/instances/nobody/history/verify'),
      admin.post('/v1/instances/nobody/signals', { type: 'note.added' }),
      admin.post('/v1/instances/nobody/pause'),
      admin.post('/v1/instances/nobody/resume'),
      admin.post('/v1/instances/nobody/retry'),
      admin.post('/v1/instances/nobody/cancel', { reason: 'x' }),
      admin.post('/v1/instances/nobody/secrets/password/reveal', { reason: 'x' }),
    ]);

    expect(answers.map(({ status, body }) => `${status} ${body.code}`)).toEqual(
      answers.map(() => '404 instance-unknown'),
    );
  });
});

describe('history', () => {
  it('is paged, says in words what happened, and verifies', async () => {
    const { as, start } = createFixture();
    const { id } = await start();
    await as('operator').post(`/v1/instances/${id}/pause`, { reason: 'the customer asked' });
    await as('operator').post(`/v1/instances/${id}/resume`);

    const first = await as('auditor').get(`/v1/instances/${id}/history?limit=2`);
    const second = await as('auditor').get(
      `/v1/instances/${id}/history?limit=2&cursor=${first.body.nextCursor}`,
    );
    const verdict = await as('auditor').get(`/v1/instances/${id}/history/verify`);

    expect(first.body.data.map((line: { words: string }) => line.words)).toEqual([
      'Started. Now: awaiting approval.',
      'Paused.',
    ]);
    expect(first.body.data[1]).toMatchObject({
      by: { kind: 'api-key', id: 'operator' },
      reason: 'the customer asked',
    });
    expect(second.body).toMatchObject({ data: [{ kind: 'resume' }], nextCursor: null });
    expect(verdict.body).toMatchObject({ intact: true });
  });

  it('is read from its newest entry too, and each activity has its name on every page', async () => {
    const { as, start, engine } = createFixture();
    const { id } = await start();
    await as('approver').post(`/v1/tasks/${id}~approve-order/approve`, { payload: { cartId: 'cart-1' } });
    await engine.settled();

    const oldest = await pagesOf(as, `/v1/instances/${id}/history?limit=100`);
    const newest = await pagesOf(as, `/v1/instances/${id}/history?order=desc&limit=1`);

    expect(newest.pages).toBe(newest.lines.length);
    expect(newest.lines.toReversed()).toEqual(oldest.lines);
    expect(oldest.lines.length).toBeGreaterThan(1);
    const other = await as('viewer').get(`/v1/instances/${id}/history?cursor=1.1.${id}`);
    expect([other.status, other.body.code]).toEqual([400, 'input-invalid']);
  });

  it.each(['asc', 'desc'])(
    'of a tree with more than a thousand entries is told to the end: %s',
    async (order) => {
      const { as, start, engine, client } = createFixture();
      const { id } = await start();
      await as('approver').post(`/v1/tasks/${id}~approve-order/approve`, { payload: { cartId: 'cart-1' } });
      await engine.settled();
      for (let round = 0; round < 510; round += 1) {
        await client.pause(id);
        await client.resume(id);
      }

      const { lines, pages } = await pagesOf(
        as,
        `/v1/instances/${id}/history?tree=true&limit=300&order=${order}`,
      );

      const told = order === 'asc' ? lines : lines.toReversed();
      const places = told.map(({ instanceId, revision }) => `${instanceId} ${revision}`);
      const own = told.filter(({ instanceId }) => instanceId === id).map(({ revision }) => revision);
      const children = new Set(places.map((place) => place.split(' ')[0])).size - 1;
      expect(new Set(places).size).toBe(lines.length);
      expect(own).toEqual(Array.from({ length: own.length }, (_, index) => index + 1));
      expect(own.length).toBe((await client.describe(id))?.revision);
      expect(lines.length).toBeGreaterThan(own.length);
      expect([children, pages]).toEqual([1, Math.ceil(lines.length / 300)]);
      expect(told.map(({ at }) => at)).toEqual(told.map(({ at }) => at).toSorted());
    },
  );

  it('of a tree tells the children too, by time', async () => {
    const { as, start, engine } = createFixture();
    const { id } = await start();
    await as('approver').post(`/v1/tasks/${id}~approve-order/approve`, { payload: { cartId: 'cart-1' } });
    await engine.settled();

    const { body } = await as('viewer').get(`/v1/instances/${id}/history?tree=true`);

    expect(new Set(body.data.map((line: { workflow: string }) => line.workflow))).toEqual(
      new Set(['Order for a customer', 'Waiting for consent']),
    );
  });
});

interface Line {
  readonly instanceId: string;
  readonly revision: number;
  readonly at: string;
}

/** Every page of a history, one after another. */
async function pagesOf(as: ReturnType<typeof createFixture>['as'], path: string) {
  const lines: Line[] = [];
  let pages = 0;
  for (let cursor: string | null = ''; cursor !== null; pages += 1) {
    const { body } = await as('viewer').get(`${path}${cursor === '' ? '' : `&cursor=${cursor}`}`);
    lines.push(...body.data);
    cursor = body.nextCursor;
  }
  return { lines, pages };
}
