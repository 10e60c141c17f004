/** Staff and customer of a test: every open task answered as a willing person would, every invitation accepted. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, InstanceView, TaskView } from '../../engine/index.ts';
import { type Answer, answerTask, signalOf } from '../../scripts/lib/answers.mjs';
import { uuidFrom } from '../../shared/ids.ts';
import type { EmulatedMicrosoft } from './emulated-microsoft.ts';

export interface PlayOptions {
  readonly client: Client;
  readonly microsoft: EmulatedMicrosoft;
  readonly within?: number;
  /** Between two looks; longer when many play at once. */
  readonly pauseMs?: number;
  /** Instead of the usual answer; null leaves the task alone, undefined asks the usual one. */
  answer?(task: TaskView): Answer | null | undefined;
  /** Tasks that are trouble in other tests and expected in this one. */
  readonly expected?: readonly string[];
}

export interface Played {
  readonly instance: InstanceView;
  /** Names of the tasks answered, in order. */
  readonly answered: readonly string[];
}

const nameOf = (task: TaskView): string => task.id.slice(task.id.indexOf('~') + 1);
const isTrouble = (name: string): boolean => /-(stuck|late|refused|unknown|failed|blocked)$/.test(name);

/** Plays until the instance is closed. Raises with where it stands when trouble shows or time is up. */
export async function playToTheEnd(rootId: string, options: PlayOptions): Promise<Played> {
  const { client, within = 25_000, pauseMs = 20 } = options;
  const deadline = performance.now() + within;
  const answered: string[] = [];
  for (;;) {
    const root = await client.describe(rootId);
    if (root === null) throw new Error(`there is no instance ${rootId}`);
    if (root.status !== 'running' && root.status !== 'paused') return { instance: root, answered };
    const tree = await treeOf(client, root);
    const trouble = tree.find(({ attention }) => attention !== null);
    if (trouble !== undefined) throw new Error(`attention: ${JSON.stringify(trouble.attention)}`);
    for (const task of tree.flatMap(({ tasks }) => tasks)) {
      if (isTrouble(nameOf(task)) && options.expected?.includes(nameOf(task)) !== true) {
        throw new Error(`trouble: ${nameOf(task)} ${JSON.stringify(task.shows)}`);
      }
      if (await answer(task, options)) answered.push(nameOf(task));
    }
    await acceptInvitations(options.microsoft);
    if (performance.now() > deadline) {
      const stands = tree.map(({ id, sentence, activities }) => [id, sentence, activities]);
      throw new Error(`not at its end within ${within} ms: ${JSON.stringify(stands)}`);
    }
    await sleep(pauseMs);
  }
}

async function treeOf(client: Client, view: InstanceView): Promise<InstanceView[]> {
  const children = await Promise.all(view.children.map(({ instanceId }) => client.describe(instanceId)));
  const below = await Promise.all(
    children.flatMap((child) => (child === null ? [] : [treeOf(client, child)])),
  );
  return [view, ...below.flat()];
}

/** The stretch of an onboarding with this actor id, however deep, while it runs. */
export async function stretchOf(
  client: Client,
  rootId: string,
  actorId: string,
): Promise<InstanceView | null> {
  const view = await client.describe(rootId);
  for (const child of view?.children ?? []) {
    const found =
      child.actorId === actorId
        ? await client.describe(child.instanceId)
        : await stretchOf(client, child.instanceId, actorId);
    if (found !== null) return found;
  }
  return null;
}

async function answer(task: TaskView, options: PlayOptions): Promise<boolean> {
  const own = options.answer?.(task);
  const chosen = own === undefined ? answerTask(task) : own;
  const signal = chosen === null ? undefined : signalOf(task, chosen);
  if (chosen === null || signal === undefined) return false;
  const id = uuidFrom(task.id, task.since, signal, JSON.stringify(task.shows));
  const { status } = await options.client.signalById(task.instanceId, signal, chosen.payload, {
    id,
    by: { kind: 'person', id: 'test' },
  });
  return status === 'applied';
}

/** Customers follow the links of the mails that reached them; nobody else tells the product anything. */
async function acceptInvitations({ emulator, control }: EmulatedMicrosoft): Promise<void> {
  const waiting = emulator.world.directory.relationships.filter(({ status }) => status === 'approvalPending');
  const mails = emulator.world.mail.mails.all();
  for (const { id, customer } of waiting) {
    const invited = mails.some((mail) => mail.text.includes(id));
    if (!invited || customer === null) continue;
    await control('/consents/reseller/accept', { tenantId: customer.tenantId, signAgreement: false });
    await control(`/consents/gdap/${id}/approve`);
  }
}
