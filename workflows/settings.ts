/**
 * Every interval and deadline of the workflows, in milliseconds, part of an instance's input so that a demo runs in
 * seconds and a running instance keeps what it was started with. Sources: microsoft-apis 8 and 12, reliability 3.
 */
import { z } from 'zod';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const ms = (value: number, title: string) =>
  z
    .int()
    .min(0)
    .default(value)
    .meta({ title: `${title} (ms)` });

export const Settings = z.object({
  /** How often each relationship is read although nobody told us anything: at first, twice as long each time, at most. */
  consentPollMinMs: ms(5 * MINUTE, 'First consent poll'),
  consentPollMs: ms(HOUR, 'Longest consent poll'),
  /** How often it is read after a hint: acceptance shows with a lag. */
  consentHintPollMs: ms(30_000, 'Consent poll after a hint'),
  consentHintPolls: z.int().min(1).default(20).meta({ title: 'Quick polls after a hint' }),
  /** Pauses before the first, second, … reminder: days 2, 5 and 10. */
  reminderAfterMs: z.array(z.int().min(0)).default([2 * DAY, 3 * DAY, 5 * DAY]),
  /** Pause between the last reminder and the escalation: day 14. */
  escalateAfterMs: ms(4 * DAY, 'Escalation'),
  consentDeadlineMs: ms(30 * DAY, 'Consent deadline'),
  /** The same deadline in the words staff read. */
  consentDays: z.int().min(1).default(30),
  accessPollMs: ms(MINUTE, 'Access poll'),
  /** Pause before the application consent: a fresh relationship refuses it. */
  accessSettleMs: ms(15 * MINUTE, 'Access settling'),
  accessDeadlineMs: ms(2 * HOUR, 'Access deadline'),
  customerPollMs: ms(MINUTE, 'Customer poll'),
  customerDeadlineMs: ms(HOUR, 'Customer deadline'),
  agreementPollMs: ms(6 * HOUR, 'Agreement poll'),
  vettingPollMs: ms(4 * HOUR, 'Account verification poll'),
  vettingDeadlineMs: ms(10 * DAY, 'Account verification deadline'),
  /** A cart lapses after 7 days; it is put together anew before. */
  cartLifetimeMs: ms(6 * DAY, 'Cart lifetime'),
  /** A new order may need 15 minutes to show. */
  orderLookupMs: ms(15 * MINUTE, 'Order look-up pause'),
  orderPollMs: ms(MINUTE, 'Order poll'),
  orderDeadlineMs: ms(2 * HOUR, 'Order deadline'),
  seatsPollMs: ms(2 * MINUTE, 'Seats poll'),
  seatsDeadlineMs: ms(2 * HOUR, 'Seats deadline'),
  licenceRetryMs: ms(5 * MINUTE, 'Licence retry'),
  licenceRetries: z.int().min(0).default(6).meta({ title: 'Licence retries' }),
  signInPollMs: ms(15 * MINUTE, 'Sign-in poll'),
  domainPollMs: ms(15 * MINUTE, 'Domain poll'),
  /** A DNS record shows within 72 hours. */
  dnsDueMs: ms(3 * DAY, 'DNS record due'),
  syncPollMs: ms(30 * MINUTE, 'Synchronisation poll'),
  syncMaxAgeMs: z
    .int()
    .min(1)
    .default(3 * HOUR)
    .meta({ title: 'Oldest synchronisation that counts as fresh (ms)' }),
  /** How long after it opened a human task nobody answered is reminded of, three times, and when it is overdue. */
  taskReminderMs: z
    .array(z.int().min(0))
    .length(3)
    .default([DAY, 2 * DAY, 4 * DAY])
    .meta({ title: 'Task reminders (ms)' }),
  taskDueMs: ms(5 * DAY, 'Task due'),
});
export type Settings = z.output<typeof Settings>;

/** A shape's own defaults; what an input without `settings` gets. */
export const DEFAULT_SETTINGS: Settings = Settings.parse({});
