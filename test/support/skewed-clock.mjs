/**
 * Preloaded into a worker process: a clock of the day that is off by SKEW_MS, and both it and the monotonic one jump by JUMP_MS
 * every JUMP_EVERY_MS (0: never), as a machine's may that slept or was moved.
 */
const { SKEW_MS = '0', JUMP_MS = '0', JUMP_EVERY_MS = '0' } = process.env;
const RealDate = Date;
const monotonic = performance.now.bind(performance);
let jumped = 0;

class SkewedDate extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(SkewedDate.now());
    else super(...given);
  }

  static now() {
    return RealDate.now() + Number(SKEW_MS) + jumped;
  }
}
globalThis.Date = SkewedDate;
performance.now = () => monotonic() + Math.abs(Number(SKEW_MS)) + jumped;

if (Number(JUMP_EVERY_MS) > 0) {
  setInterval(() => {
    jumped += Number(JUMP_MS);
  }, Number(JUMP_EVERY_MS)).unref();
}
