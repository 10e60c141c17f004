/**
 * How a willing member of staff answers each human task: pure functions of the task's view, shared by the demo's play and
 * by the tests. A task that needs nobody to act (the customer has been invited), or whose answer takes a judgement that no
 * program has, is left alone.
 */

const again = () => ({ action: 'complete', payload: {} });
const retry = () => ({ action: 'retry', payload: {} });

const CONDITIONS = [
  ['admin-access', /global administrator/i],
  ['identities', /synchronised or cloud-only|no users/i],
  ['domain', /domain/i],
  ['partner-access', /admin agent|security groups/i],
  ['tooling', /answer/i],
];

function attest({ Open: open }) {
  const condition = CONDITIONS.find(([, words]) => words.test(String(open ?? '')))?.[0];
  return condition === undefined
    ? { action: 'recheck', payload: {} }
    : { action: 'complete', payload: { condition, evidence: 'Confirmed by phone with the customer.' } };
}

/** More seats where an Enterprise Mobility + Security subscription can grow, else what the start form asked for. */
function review({ Subscriptions: subscriptions, 'Asked for': lines }) {
  const grows = (subscriptions ?? []).find(
    ({ isEms, status, commerce }) => isEms && status === 'active' && commerce === 'new',
  );
  if (grows === undefined) return { action: 'complete', payload: { plan: 'new-subscription' } };
  const additionalSeats = lines?.[0]?.quantity ?? 1;
  const { subscriptionId } = grows;
  return { action: 'complete', payload: { plan: 'more-seats', subscriptionId, additionalSeats } };
}

const handOver = () => ({
  action: 'complete',
  payload: { to: 'ada@customer.example', evidence: 'Read out by phone, confirmed by the receiver.' },
});

/** By task; what it is handed is the task's `shows`. */
const ANSWERS = {
  prerequisites: attest,
  'review-invitation': ({ Subject, Text }) => ({
    action: 'approve',
    payload: { subject: Subject, body: Text },
  }),
  'choose-customer': ({ Matches: matches }) =>
    matches?.[0] === undefined
      ? null
      : { action: 'complete', payload: { customerId: matches[0].customerId } },
  'review-subscriptions': review,
  agreement: () => ({
    action: 'complete',
    payload: {
      contact: {
        firstName: 'Ada',
        lastName: 'Meyer',
        email: 'ada@customer.example',
        phoneNumber: '4255550100',
      },
      dateAgreed: new Date(Date.now() - 60_000).toISOString(),
    },
  }),
  'approve-order': (shows) => ({
    action: 'approve',
    payload: { cartId: shows['Cart'], priceHash: shows['Price hash'] },
  }),
  'approve-seats': (shows) => ({
    action: 'approve',
    payload: { subscriptionId: shows['Subscription id'], targetQuantity: shows['Seats then'] },
  }),
  'choose-address': ({ Suggested: suggested, Given: given }) => ({
    action: 'complete',
    payload: { address: suggested?.[0] ?? given },
  }),
  'hand-over-sign-in': handOver,
  'reset-password': handOver,
  'choose-users': () => ({ action: 'complete', payload: { mode: 'all' } }),
  'decide-identities': () => ({ action: 'complete', payload: { model: 'cloud-only' } }),
  'install-synchronisation': () => ({
    action: 'complete',
    payload: { tool: 'cloud-sync', toolVersion: '1.1', evidence: 'Installed by the checklist.' },
  }),
  'attest-write-back': () => ({
    action: 'complete',
    payload: { evidence: 'A pilot user reset the password; it arrived on premises.', pilotUser: 'ada' },
  }),
  'authorisation-broken': again,
  'authorisation-stuck': again,
  'delivery-stuck': again,
  'purchase-broken': again,
  'purchase-stuck': again,
  'access-late': again,
  'access-stuck': again,
  'clearance-stuck': again,
  'consent-stuck': again,
  'customer-not-visible': again,
  'directory-stuck': again,
  'licence-seats-late': again,
  'licences-stuck': again,
  'onboarding-stuck': again,
  'order-late': again,
  'ordering-stuck': again,
  'order-unknown': retry,
  'prerequisites-stuck': again,
  'provisioning-stuck': again,
  'reminders-failed': again,
  'review-outcomes': again,
  'seats-late': again,
  'seats-stuck': again,
  'tenant-incomplete': again,
};

/** `<instance>~<task>` to the task's own name. */
const nameOf = (id) => id.slice(id.indexOf('~') + 1);

/**
 * `task` is a task's view (`{ id, actions, shows }`). Answers `{ action, payload }`, `payload` being the fields of the
 * action's signal, or null for a task that is left alone.
 */
export function answerTask(task) {
  return ANSWERS[nameOf(task.id)]?.(task.shows ?? {}) ?? null;
}

/** The signal that an answer's action stands for, or undefined when the task does not offer it. */
export function signalOf(task, answer) {
  return task.actions.find(({ name }) => name === answer.action)?.signal;
}

/** The tasks that `answerTask` knows. */
export const ANSWERED_TASKS = Object.keys(ANSWERS);
