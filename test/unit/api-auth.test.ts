/** Who is let in, for how long, and from where: each door tried from outside. */
import { createHash, randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { createAuth } from '../../api/auth.ts';
import { matches, revisionAsked } from '../../api/etag.ts';
import { createSecretBox } from '../../shared/secrets.ts';

const HOUR_MS = 3_600_000;
const keyOf = (name: string, role = 'operator') =>
  ({ name, role, sha256: createHash('sha256').update(`key-of-${name}`).digest('hex') }) as never;
const OWN = { host: '127.0.0.1:8080', origin: 'http://127.0.0.1:8080' };

let now: number;
let keys: never[];
beforeEach(() => {
  now = 1_800_000_000_000;
  keys = [keyOf('ada'), keyOf('grace', 'viewer')];
});

function doors({ publicUrl = null as string | null, demo = false } = {}) {
  const secretBox = createSecretBox({ key: randomBytes(32) });
  const auth = createAuth({
    ...{ keys, secretBox, clock: { now: () => now } as never, publicUrl },
    demoKey: demo ? keyOf('demo') : null,
  });
  const set: { name: string; value: string; options: object }[] = [];
  const response = {
    cookie: (name: string, value: string, options: object) => void set.push({ name, value, options }),
    clearCookie: (name: string, options: object) => void set.push({ name, value: '', options }),
    set: () => {},
  } as never;
  const request = (headers: object = {}, method = 'GET', remoteAddress = '127.0.0.1') =>
    ({
      headers: { host: OWN.host, ...headers },
      method,
      protocol: 'http',
      socket: { remoteAddress },
    }) as never;
  const enter = () => {
    auth.signIn(request(OWN, 'POST'), response, 'key-of-ada');
    const { name, value } = set.at(-1) ?? { name: '', value: '' };
    return `other=1; ${name}=${value}`;
  };
  const look = (headers: object = {}, method = 'GET') =>
    auth.authenticate(request(headers, method), response);
  return { auth, set, response, request, enter, look };
}

describe('a key', () => {
  it('lets in whom it belongs to, and nobody with another', () => {
    const { look } = doors();
    expect(look({ authorization: 'Bearer key-of-grace' })).toEqual({
      name: 'grace',
      role: 'viewer',
      via: 'key',
    });
    for (const authorization of ['Bearer nobody', 'Basic YTpi', 'Bearer ', 'Bearer key\u00e9', ''])
      expect(() => look({ authorization })).toThrow('not known');
    expect(look()).toBeNull();
  });

  it('is compared whole, whichever comes first', () => {
    keys = [
      { name: 'a', role: 'viewer', sha256: createHash('sha256').update('a').digest('hex') } as never,
      ...keys,
    ];
    const { look } = doors();
    expect(look({ authorization: 'Bearer a' })).toEqual({ name: 'a', role: 'viewer', via: 'key' });
    // One whose digest begins alike is another.
    const [first] = keys as unknown as { sha256: string }[];
    const twin = Array.from({ length: 5_000 }, (_, n) => `k${n}`).find((text) =>
      createHash('sha256')
        .update(text)
        .digest('hex')
        .startsWith(first?.sha256.slice(0, 2) ?? ''),
    );
    expect(() => look({ authorization: `Bearer ${twin}` })).toThrow('not known');
  });
});

describe('a session', () => {
  it('is opened with a key by the dashboard alone', () => {
    const { auth, request, response, set } = doors();
    expect(() => auth.signIn(request(OWN, 'POST'), response, 'key-of-nobody')).toThrow('not known');
    const foreign = [
      {},
      { ...OWN, origin: 'http://evil.example' },
      { ...OWN, 'sec-fetch-site': 'cross-site' },
    ];
    for (const headers of foreign)
      expect(() => auth.signIn(request(headers, 'POST'), response, 'key-of-ada')).toThrow('dashboard itself');
    expect(set).toEqual([]);

    const caller = auth.signIn(
      request({ ...OWN, 'sec-fetch-site': 'same-origin' }, 'POST'),
      response,
      'key-of-ada',
    );
    expect(caller).toEqual({ name: 'ada', role: 'operator', via: 'session' });
    const options = { httpOnly: true, sameSite: 'strict', secure: false, path: '/' };
    expect(set).toEqual([
      expect.objectContaining({ name: 'session', options: expect.objectContaining(options) }),
    ]);
  });

  it('is bound to host and TLS where the dashboard is reached by https', () => {
    const { auth, request, response, set } = doors({ publicUrl: 'https://portal.example/x' });
    auth.signIn(request({ ...OWN, origin: 'https://portal.example' }, 'POST'), response, 'key-of-ada');
    expect(set[0]).toMatchObject({ name: '__Host-session', options: { secure: true } });
  });

  it('ends after half an hour without a request, and after twelve with them', () => {
    const { enter, look, set } = doors();
    const cookie = enter();
    now += HOUR_MS / 2 - 1;
    expect(look({ cookie })).toEqual({ name: 'ada', role: 'operator', via: 'session' });
    now += 1;
    expect(look({ cookie })).toBeNull();

    let kept = enter();
    const until = now + 12 * HOUR_MS;
    for (; now < until - HOUR_MS / 4; now += HOUR_MS / 4) {
      expect(look({ cookie: kept })).not.toBeNull();
      kept = `session=${set.at(-1)?.value}`;
    }
    now = until - 1;
    expect(look({ cookie: kept })).not.toBeNull();
    kept = `session=${set.at(-1)?.value}`;
    now = until;
    expect(look({ cookie: kept })).toBeNull();
  });

  it('is written anew once a minute, not with every request', () => {
    const { enter, look, set } = doors();
    const cookie = enter();
    now += 60_000;
    look({ cookie });
    expect(set).toHaveLength(1);
    now += 1;
    look({ cookie });
    expect(set).toHaveLength(2);
  });

  it('ends with its key, and is nothing where it was forged', () => {
    const { enter, look } = doors();
    const cookie = enter();
    for (const forged of ['session=x', 'session=', `${cookie.slice(0, -2)}xx`, 'session=<script>'])
      expect(look({ cookie: forged })).toBeNull();
    keys.splice(0, 1);
    expect(look({ cookie })).toBeNull();
  });

  it('changes something for the dashboard alone; reading needs no origin', () => {
    const { enter, look, auth, request, response, set } = doors();
    const cookie = enter();
    for (const method of ['GET', 'HEAD']) expect(look({ cookie }, method)).toMatchObject({ name: 'ada' });
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      expect(() => look({ cookie }, method)).toThrow('dashboard itself');
      expect(look({ cookie, ...OWN }, method)).toMatchObject({ name: 'ada' });
    }
    expect(() => auth.signOut(request({ cookie }, 'POST'), response)).toThrow('dashboard itself');
    auth.signOut(request({ cookie, ...OWN }, 'POST'), response);
    expect(set.at(-1)).toMatchObject({ name: 'session', value: '', options: { httpOnly: true, path: '/' } });
  });
});

describe('the demo', () => {
  it('lets in a browser on this machine, and nobody through a proxy, by another name or from elsewhere', () => {
    const { auth, request, response } = doors({ demo: true });
    expect(auth.signInDemo(request(OWN, 'POST'), response)).toMatchObject({ name: 'demo' });
    const others = [
      request({ ...OWN, 'x-forwarded-for': '10.0.0.1' }),
      request({ ...OWN, host: 'portal.example:8080' }),
      request(OWN, 'POST', '10.0.0.1'),
    ];
    for (const other of others) {
      expect(auth.offersDemo(other)).toBe(false);
      expect(() => auth.signInDemo(other, response)).toThrow('demo on this machine');
    }
    const closed = doors();
    expect(() => closed.auth.signInDemo(closed.request(OWN, 'POST'), closed.response)).toThrow('demo');
  });
});

describe('entity tags', () => {
  const asking = (headers: object) => ({ headers }) as never;
  it('name the revision a change is meant for, any, or none that ever was', () => {
    for (const header of [undefined, '*', ' * '])
      expect(revisionAsked(asking({ 'if-match': header }))).toBeUndefined();
    for (const header of ['"7"', ' "7" ', '"7-abc_d"'])
      expect(revisionAsked(asking({ 'if-match': header }))).toBe(7);
    for (const header of ['7', 'W/"7"', '"seven"', '"7", "8"', ''])
      expect(() => revisionAsked(asking({ 'if-match': header }))).toThrow('none that an instance');
  });

  it('are found among several', () => {
    expect(matches(asking({ 'if-none-match': '"a", "b"' }), '"b"')).toBe(true);
    expect(matches(asking({ 'if-none-match': '"a"' }), '"b"')).toBe(false);
    expect(matches(asking({}), '"b"')).toBe(false);
  });
});
