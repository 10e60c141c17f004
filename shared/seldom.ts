/** Calls `tell` at once and then at most once in `everyMs`, each time with how many there were since the last. */
export function seldom<Value>(
  everyMs: number,
  tell: (value: Value, count: number) => void,
): (value: Value) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  let untold = 0;
  return (value) => {
    untold += 1;
    const now = performance.now();
    if (now - toldAt < everyMs) return;
    tell(value, untold);
    toldAt = now;
    untold = 0;
  };
}
