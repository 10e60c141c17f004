import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { OpenWorker } from '../../workers/open-worker.ts';
import { eventually } from '../support/eventually.ts';
import { ROOT } from '../support/source-files.ts';
import { testRedisUrl } from '../support/test-redis.ts';

const folder = join(ROOT, 'test', '.docs-example');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Example {
  run(redisUrl: string): Promise<{ worker: OpenWorker; instanceId: string }>;
}

/** The first code block of docs/engine.md, as a module of this repository. */
async function example(): Promise<Example> {
  const text = readFileSync(join(ROOT, 'docs', 'engine.md'), 'utf8');
  const code = /```ts\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'machine.ts');
  writeFileSync(file, code.replaceAll("from '../", "from '../../"));
  return (await import(pathToFileURL(file).href)) as Example;
}

describe('docs/engine.md', () => {
  it('makes its machine durable as it says, over a restart of the worker', async () => {
    const { run } = await example();
    const { worker, instanceId } = await run(testRedisUrl());
    await eventually(async () => expect((await worker.client.describe(instanceId))?.state).toBe('waiting'));
    await worker.stop();

    const again = await run(testRedisUrl());
    const answer = await again.worker.client.signalById(
      instanceId,
      'shipped',
      { parcel: 'DE-1' },
      { id: 'DE-1' },
    );

    expect(answer.status).toBe('applied');
    expect(answer.instance).toMatchObject({ status: 'completed', output: { paid: 25 } });
    await again.worker.stop();
  });
});
