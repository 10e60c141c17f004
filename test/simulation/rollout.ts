/** New code comes to run beside the old, and instances are taken to its version: looked at first, a share, all, and back. */
import type { MigrationOptions, MigrationReport } from '../../engine/index.ts';
import type { Calls } from './calls.ts';
import type { Chance } from './chance.ts';
import type { Judge } from './judge.ts';

export interface RolloutOptions {
  readonly chance: Chance;
  readonly judge: Judge;
  readonly calls: Calls;
  deploy(): void;
}

/** An instance may always be past what was looked at, or the store away; that it does not fit is another matter. */
const MISFITS: ReadonlySet<string> = new Set([
  'version-missing',
  'state-vanished',
  'signal-unhandled',
  'signal-vanished',
  'context-unreadable',
  'activity-unfit',
  'child-unfit',
  'timer-unhandled',
  'not-begun',
]);

export async function rollOut({ chance, judge, calls, deploy }: RolloutOptions): Promise<void> {
  const { ask, sleep } = calls;

  async function migrate(options: Partial<MigrationOptions>): Promise<MigrationReport | null> {
    await sleep(chance.int(500));
    const { value: report } = await ask((_client, { migrations }) =>
      migrations.migrate({ name: 'programmed', version: 2, ...options }),
    );
    for (const { instanceId, problems } of report?.refused ?? [])
      for (const { code, message } of problems)
        if (MISFITS.has(code)) judge.accuse(`${instanceId}: does not fit its next version: ${message}`);
    return report;
  }

  await sleep(chance.int(1_500));
  deploy();
  const looked = await migrate({ dryRun: true });
  if (looked !== null && looked.moved > 0) judge.accuse('a look at a migration moved something');
  if (chance.happens(0.5)) await migrate({ share: 0.5 });
  if (chance.happens(0.5)) await migrate({ undo: true });
  await migrate({});
  if (chance.happens(0.5)) await migrate({ undo: true });
  if (chance.happens(0.5)) await migrate({});
}
