/** The intervals of this installation as the start form's `settings`, for starts that do not bring their own. */
import type { TimingConfig } from '../shared/config.ts';

const DAY_MS = 86_400_000;

export function settingsFrom(timing: TimingConfig): Readonly<Record<string, unknown>> {
  const pauses = timing.consentRemindersMs.map(
    (at, index) => at - (index === 0 ? 0 : (timing.consentRemindersMs[index - 1] ?? 0)),
  );
  return {
    consentPollMinMs: timing.consentPollMinMs,
    consentPollMs: timing.consentPollMaxMs,
    consentHintPollMs: timing.consentPollMinMs,
    reminderAfterMs: pauses,
    escalateAfterMs: Math.max(timing.consentEscalateAfterMs - (timing.consentRemindersMs.at(-1) ?? 0), 0),
    consentDeadlineMs: timing.consentExpireAfterMs,
    consentDays: Math.max(Math.round(timing.consentExpireAfterMs / DAY_MS), 1),
    accessSettleMs: timing.gdapPropagationMs,
    customerDeadlineMs: timing.customerVisibleWithinMs,
    orderLookupMs: timing.orderVisibleWithinMs,
    vettingPollMs: timing.vettingPollMs,
    orderPollMs: timing.provisioningPollMs,
    seatsPollMs: timing.provisioningPollMs,
    seatsDeadlineMs: timing.seatsUsableWithinMs,
  };
}
