/**
 * Plays one onboarding of each path through the public API, the way staff would: starts it, answers every task, and lets
 * the emulated customer agree once the invitation mail has arrived. Every request may be repeated: keys make the second
 * one nothing, so it goes on over a process that is killed meanwhile.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { answerTask } from './answers.mjs';
import { pathsToPlay } from './paths.mjs';

const EVERY_MS = 200;
const REQUEST_MS = 10_000;
const CLOSED = new Set(['completed', 'failed', 'canceled']);

/** Repeats a request while nobody answers or the store is away: both end by themselves. */
async function ask(url, options, deadline) {
  for (;;) {
    try {
      const answer = await fetch(url, { ...options, signal: AbortSignal.timeout(REQUEST_MS) });
      if (answer.status < 500 && answer.status !== 429) {
        const text = await answer.text();
        return { status: answer.status, body: text === '' ? null : JSON.parse(text) };
      }
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    if (performance.now() > deadline) throw new Error(`no answer from ${url}`);
    await sleep(EVERY_MS);
  }
}

export function apiClient({ apiUrl, apiKey, deadline }) {
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
  const must = ({ status, body }, what) => {
    if (status >= 400)
      throw new Error(`${what}: ${status} ${body?.detail ?? ''} ${JSON.stringify(body?.errors ?? '')}`);
    return body;
  };
  return {
    get: async (path) => must(await ask(`${apiUrl}${path}`, { headers }, deadline), path),
    post: (path, key, body) =>
      ask(
        `${apiUrl}${path}`,
        { method: 'POST', headers: { ...headers, 'idempotency-key': key }, body: JSON.stringify(body) },
        deadline,
      ),
    start: async (key, body) =>
      must(
        await ask(
          `${apiUrl}/v1/instances`,
          { method: 'POST', headers: { ...headers, 'idempotency-key': key }, body: JSON.stringify(body) },
          deadline,
        ),
        `starting ${body.workflow}`,
      ),
  };
}

/** The emulated customer: accepts what an invitation mail asked it for. */
function createCustomer({ controlUrl, deadline, log }) {
  const done = new Set();
  const json = { 'content-type': 'application/json' };
  const control = (path, body) =>
    ask(
      `${controlUrl}${path}`,
      body === undefined ? {} : { method: 'POST', headers: json, body: JSON.stringify(body) },
      deadline,
    );
  return {
    async readMail() {
      const { body } = await control('/mails');
      for (const mail of body.mails) {
        const text = mail.text ?? '';
        const admin = /granularAdminRelationships\/([0-9a-f-]{73})/i.exec(text)?.[1];
        if (admin === undefined || done.has(mail.id)) continue;
        const domain = String(mail.to[0]).split('@')[1];
        const accepted = await control('/consents/reseller/accept', { domain });
        const approved = await control(`/consents/gdap/${admin}/approve`, {});
        if (accepted.status >= 500 || approved.status >= 500) continue;
        done.add(mail.id);
        log(`${domain} opened the invitation and authorised both relationships`);
      }
    },
  };
}

/**
 * `apiUrl`, `apiKey`: where to start instances and how to sign in. `controlUrl`: the emulator's control surface.
 * `groupId`: our security group that gets the roles.
 * `log(text)`: one line per thing worth telling. `tag`: part of names and keys, so that a repeated play finds its own
 * instances. Resolves with `[{ path, title, id, status, instance, expected }]`.
 */
export async function play({ apiUrl, apiKey, controlUrl, groupId, log, tag = 'one', withinMs = 180_000 }) {
  const deadline = performance.now() + withinMs;
  const api = apiClient({ apiUrl, apiKey, deadline });
  const customer = createCustomer({ controlUrl, deadline, log });
  const played = [];
  for (const { path, title, workflow, input, expected } of pathsToPlay({ tag, groupId })) {
    const instance = await api.start(`play-${tag}-${path}`, { workflow, input });
    log(`${path} ${title}: started ${instance.id}`);
    played.push({ path, title, id: instance.id, status: instance.status, instance, expected });
  }
  const roots = new Map(played.map((one) => [one.id, one]));
  while (played.some(({ status }) => !CLOSED.has(status))) {
    if (performance.now() > deadline)
      throw new Error(`not finished within ${withinMs / 1_000} s: ${stateOf(played)}`);
    await customer.readMail();
    await answerTasks(api, roots, log);
    for (const one of played) await follow(api, one, log);
    await sleep(EVERY_MS);
  }
  return played;
}

const stateOf = (played) =>
  played.map(({ path, status, sentence }) => `${path} ${status}: ${sentence ?? ''}`).join('; ');

async function follow(api, one, log) {
  if (CLOSED.has(one.status)) return;
  const instance = await api.get(`/v1/instances/${one.id}`);
  const sentence = instance.innermost?.sentence ?? instance.sentence;
  if (sentence !== one.sentence) log(`${one.path} ${sentence}`);
  Object.assign(one, { status: instance.status, instance, sentence });
}

async function answerTasks(api, roots, log) {
  const { data } = await api.get('/v1/tasks?limit=200');
  for (const task of data) {
    const root = roots.get(task.rootId);
    if (root === undefined) continue;
    const answer = answerTask(task);
    if (answer === null) continue;
    const path = `/v1/tasks/${encodeURIComponent(task.id)}/${answer.action}`;
    const key = `play-${task.id}-${answer.action}-${task.since}`.replaceAll(/[^\x21-\x7e]/g, '-');
    const { status, body } = await api.post(path, key, {
      payload: answer.payload,
      ...(answer.reason ? { reason: answer.reason } : {}),
    });
    if (status < 300) log(`${root.path} ${task.title}: ${answer.action}`);
    // Answered meanwhile, or no longer asked: the next look shows what is open now.
    else if (![404, 409].includes(status))
      throw new Error(`${task.title}: ${status} ${body?.detail} ${JSON.stringify(body?.errors ?? '')}`);
  }
}
