/**
 * A TCP proxy that misbehaves on request: late, deaf, or cutting the line at an exact byte. It stands between our code
 * and Redis or the emulator.
 */
import { once } from 'node:events';
import { connect, createServer, type NetConnectOpts, type Socket } from 'node:net';

export interface CutRule {
  /** Whose bytes are counted: what our side asks, or what the other side answers. */
  readonly direction: 'request' | 'reply';
  /** Bytes of that direction that still pass, counted over all connections from now on; then all lines are cut. */
  readonly afterBytes: number;
}

export interface TcpProxy {
  readonly port: number;
  /** Connections open at this moment. */
  readonly connections: () => number;
  /** Delays each chunk in both directions, in milliseconds. Order is kept. */
  setLatency(ms: number): void;
  /** Cuts every connection once, at that byte. Later connections pass, unless told again. */
  cutOnce(rule: CutRule): void;
  /**
   * The main fault: the next chunk of requests reaches the other side whole and its reply is lost. `matching` chooses
   * the chunk by its bytes.
   */
  cutAfterForward(matching?: (chunk: Buffer) => boolean): void;
  /**
   * Swallows everything in both directions while connections stay open. New ones open and hang as well. A connection that
   * has lost a byte stays deaf afterwards: TCP never goes on behind a gap.
   */
  setBlackHole(on: boolean): void;
  /** Refuses new connections and cuts open ones, or stops doing so. */
  setDown(down: boolean): void;
  /** Cuts all open connections now. */
  cutNow(): void;
  /** Leads new connections somewhere else and cuts the open ones: a failover behind one address. */
  retarget(target: Target): void;
  /** How many connections have lost a byte in a black hole. */
  readonly gaps: () => number;
  /** How often a cut asked for by a rule has happened. */
  readonly cuts: () => number;
  close(): Promise<void>;
}

interface Faults {
  latency: number;
  blackHole: boolean;
  down: boolean;
  rule: { direction: CutRule['direction']; left: number } | undefined;
  dropReplyTo: ((chunk: Buffer) => boolean) | undefined;
  cuts: number;
  gaps: number;
}

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  deaf: boolean;
  /** Bytes of it were swallowed. */
  gap: boolean;
}

type Target = { readonly port: number } | { readonly path: string };

function reach(target: Target): NetConnectOpts {
  return 'port' in target ? { host: '127.0.0.1', port: target.port } : { path: target.path };
}

/** Proxies to `target` (a port of loopback, or a unix socket path) from a free loopback port. */
export async function startTcpProxy(target: Target): Promise<TcpProxy> {
  let options = reach(target);
  const pairs = new Set<Pair>();
  const faults: Faults = {
    latency: 0,
    blackHole: false,
    down: false,
    rule: undefined,
    dropReplyTo: undefined,
    cuts: 0,
    gaps: 0,
  };

  const cut = (pair: Pair) => {
    pairs.delete(pair);
    // Node never closes the handle of a socket that is reset while it ends.
    if (pair.near.writableEnded) pair.near.destroy();
    else pair.near.resetAndDestroy();
    pair.far.destroy();
  };
  const cutNow = () => pairs.forEach(cut);

  // Half-open, so that a FIN is passed on as a FIN and a late reply still arrives.
  const server = createServer({ allowHalfOpen: true }, (near) => {
    if (faults.down) {
      near.resetAndDestroy();
      return;
    }
    const pair: Pair = { near, far: connect({ ...options, allowHalfOpen: true }), deaf: false, gap: false };
    pairs.add(pair);
    pipe(pair, 'request', faults, cutNow);
    pipe(pair, 'reply', faults, cutNow);
    for (const socket of [pair.near, pair.far]) {
      socket.setNoDelay(true);
      socket.on('error', () => cut(pair));
      socket.on('close', () => void (pair.near.destroyed && pair.far.destroyed && pairs.delete(pair)));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();

  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    connections: () => pairs.size,
    setLatency: (ms) => {
      faults.latency = ms;
    },
    cutOnce: (rule) => {
      faults.rule = { direction: rule.direction, left: rule.afterBytes };
    },
    cutAfterForward: (matching = () => true) => {
      faults.dropReplyTo = matching;
    },
    setBlackHole: (on) => {
      faults.blackHole = on;
    },
    setDown: (down) => {
      faults.down = down;
      if (down) cutNow();
    },
    cutNow,
    retarget: (next) => {
      options = reach(next);
      cutNow();
    },
    gaps: () => faults.gaps,
    cuts: () => faults.cuts,
    close: async () => {
      cutNow();
      server.close();
      await once(server, 'close');
    },
  };
}

function pipe(pair: Pair, direction: CutRule['direction'], faults: Faults, cutNow: () => void): void {
  const [source, sink] = direction === 'request' ? [pair.near, pair.far] : [pair.far, pair.near];
  let queue = Promise.resolve();
  source.on('data', (chunk: Buffer) => {
    queue = queue.then(async () => {
      if (faults.latency > 0) await new Promise((resolve) => setTimeout(resolve, faults.latency));
      forward(pair, direction, chunk, faults, sink, cutNow);
    });
  });
  source.on('end', () => {
    queue = queue.then(() => void sink.end());
  });
}

function forward(
  pair: Pair,
  direction: CutRule['direction'],
  chunk: Buffer,
  faults: Faults,
  sink: Socket,
  cutNow: () => void,
): void {
  if (faults.blackHole && !pair.gap) {
    pair.gap = true;
    faults.gaps += 1;
  }
  if (pair.gap || sink.destroyed) return;
  if (direction === 'reply' && pair.deaf) {
    faults.cuts += 1;
    cutNow();
    return;
  }
  const { rule } = faults;
  if (rule?.direction === direction && chunk.length > rule.left) {
    faults.rule = undefined;
    faults.cuts += 1;
    // Flushed before the cut, so that the other side has exactly the promised bytes.
    sink.write(chunk.subarray(0, rule.left), () => cutNow());
    return;
  }
  if (rule?.direction === direction) rule.left -= chunk.length;
  if (direction === 'request' && faults.dropReplyTo?.(chunk)) {
    faults.dropReplyTo = undefined;
    pair.deaf = true;
  }
  sink.write(chunk);
}
