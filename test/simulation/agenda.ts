/** Virtual time: what is to happen, in order of time and, within one instant, of booking. Nothing else ever runs. */
export interface Agenda {
  /** True ms: what Redis `TIME` would say. */
  now(): number;
  /** Books `act`; returns how to call it off. */
  in(ms: number, what: string, act: () => void): () => void;
  /** Takes the next one and moves time there. Null when nothing is left. */
  next(): { readonly what: string; act(): void } | null;
}

interface Booked {
  readonly at: number;
  readonly order: number;
  readonly what: string;
  act: (() => void) | null;
}

export function createAgenda(start: number): Agenda {
  const heap: Booked[] = [];
  let now = start;
  let booked = 0;
  const before = (a: Booked, b: Booked): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

  function push(item: Booked): void {
    let at = heap.length;
    heap.push(item);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up] as Booked;
      if (!before(item, parent)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = item;
  }

  function pop(): Booked | undefined {
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = child + 1;
      if (right < heap.length && before(heap[right] as Booked, heap[child] as Booked)) child = right;
      if (!before(heap[child] as Booked, last)) break;
      heap[at] = heap[child] as Booked;
      at = child;
    }
    heap[at] = last;
    return first;
  }

  return {
    now: () => now,
    in(ms, what, act) {
      const item: Booked = { at: now + Math.max(0, Math.round(ms)), order: booked, what, act };
      booked += 1;
      push(item);
      return () => {
        item.act = null;
      };
    },
    next() {
      for (;;) {
        const item = pop();
        if (item === undefined) return null;
        if (item.act === null) continue;
        now = item.at;
        return { what: item.what, act: item.act };
      }
    },
  };
}
