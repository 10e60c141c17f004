/** When a script's writes count as made, by what replicas say and what became of the line meanwhile. */
import { describe, expect, it } from '@jest/globals';
import { Cluster, type Redis } from 'ioredis';
import { confirmedBy } from '../../engine/redis/confirmed.ts';
import type { RedisConnection } from '../../shared/redis.ts';

interface Line {
  stream: object | undefined;
  /** Replicas that have what came over it. */
  having: number;
  readonly options: { readonly host: string; readonly port: number };
}

function lineTo(port: number, having: number): Line & Pick<Redis, 'wait' | 'ping'> {
  const line = {
    stream: {} as object | undefined,
    having,
    options: { host: 'node', port },
    wait: async (wanted: number) => Math.min(wanted, line.having),
    ping: async () => {
      line.stream = {};
      return 'PONG' as const;
    },
  };
  return line as unknown as Line & Pick<Redis, 'wait' | 'ping'>;
}

/** A cluster's client: slot 7, which every key is in, is served by the first of `served`. */
function clusterOf(
  lines: readonly Line[],
  served: string[],
): { redis: RedisConnection; asked: () => number } {
  let asked = 0;
  const redis = Object.create(Cluster.prototype, {
    slots: { value: { 7: served } },
    nodes: { value: () => lines },
    cluster: {
      value: async () => {
        asked += 1;
        return 7;
      },
    },
  }) as Cluster;
  return { redis, asked: () => asked };
}

const commit = (redis: RedisConnection, meanwhile: () => void = () => {}) =>
  confirmedBy(
    redis,
    async () => {
      meanwhile();
      return 'reply';
    },
    2,
  )('commit', ['key'], []);
const REFUSED = { code: 'store-unavailable' };

describe('what is written over one line', () => {
  it('counts once enough replicas have it', async () => {
    const line = lineTo(1, 2);
    expect(await commit(line as unknown as Redis)).toBe('reply');

    line.having = 1;
    await expect(commit(line as unknown as Redis)).rejects.toMatchObject(REFUSED);
  });

  it('does not count when the line was changed: the replicas answer for another one', async () => {
    const line = lineTo(1, 2);
    const changed = commit(line as unknown as Redis, () => {
      line.stream = {};
    });

    await expect(changed).rejects.toMatchObject(REFUSED);
  });
});

describe('what is written to a cluster', () => {
  it('counts by the replicas of the node that serves the key', async () => {
    const lines = [lineTo(1, 0), lineTo(2, 2)];
    const { redis } = clusterOf(lines, ['node:2']);
    expect(await commit(redis)).toBe('reply');

    await expect(commit(clusterOf(lines, ['node:1']).redis)).rejects.toMatchObject(REFUSED);
  });

  it('does not count when the slot has left the node', async () => {
    const served = ['node:1'];
    const { redis } = clusterOf([lineTo(1, 2), lineTo(2, 2)], served);
    const moved = commit(redis, () => {
      served[0] = 'node:2';
    });

    await expect(moved).rejects.toMatchObject(REFUSED);
  });

  it('is not sent where nobody serves the slot', async () => {
    let sent = false;
    const lost = commit(clusterOf([lineTo(1, 2)], ['node:9']).redis, () => {
      sent = true;
    });

    await expect(lost).rejects.toMatchObject(REFUSED);
    expect(sent).toBe(false);
  });

  it('opens a line that was not needed before, and asks for the slot of a key once', async () => {
    const line = lineTo(1, 2);
    line.stream = undefined;
    const { redis, asked } = clusterOf([line], ['node:1']);
    const send = confirmedBy(redis, async () => 'reply', 2);

    expect([await send('commit', ['key'], []), await send('commit', ['key'], [])]).toEqual([
      'reply',
      'reply',
    ]);
    expect(asked()).toBe(1);
  });
});
