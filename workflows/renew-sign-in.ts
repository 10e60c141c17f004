/**
 * Trouble of our own that stops every customer at once, mostly the partner's sign-in: one task for one person for each cause,
 * however many onboardings wait. The queues stay paused until the cause was seen to be gone (a new token was really had), then
 * those that it paused go on (facts: microsoft-apis 8 H1, 10).
 */
import { assign, emit, setup } from 'xstate';
import { z } from 'zod';
import { activity } from '../engine/activity.ts';
import { defineWorkflow, type StateMeta } from '../engine/definition.ts';
import { checkSignIn, resumeQueues } from './activities/prerequisites.ts';
import { type Failure, failing, failureOf, retrying } from './parts/common.ts';
import {
  announcement,
  humanTask,
  overdue,
  override,
  stuckTask,
  type TaskOverdue,
  taskDelays,
} from './parts/tasks.ts';
import { CAUSE_WORDS, type CauseWords, PAUSE_CAUSES } from './pause-causes.ts';
import { pick, type SignalEvent } from './signals.ts';
import { SettingsField } from './start-form.ts';

export const RenewSignInInput = z.object({
  /** What Microsoft said when it refused. */
  problem: z.string().max(2_000),
  cause: z.enum(PAUSE_CAUSES).default('sign-in'),
  settings: SettingsField,
});
type Form = z.output<typeof RenewSignInInput>;

export interface RenewSignInOutput {
  readonly outcome: 'renewed' | 'left';
}

interface Context extends Form {
  readonly words: CauseWords;
  readonly outcome: RenewSignInOutput['outcome'];
  readonly failure: Failure | null;
}

export const renewSignInMachine = setup({
  types: {
    input: {} as Form,
    context: {} as Context,
    events: {} as SignalEvent<'task.overridden' | 'retry.requested'>,
    output: {} as RenewSignInOutput,
    emitted: {} as TaskOverdue,
    meta: {} as StateMeta,
  },
  actors: { checkSignIn: activity(checkSignIn), resumeQueues: activity(resumeQueues) },
  delays: {
    signInPoll: ({ context }) => context.settings.signInPollMs,
    ...taskDelays<Context>((context) => context.settings),
  },
  guards: {
    isFine: (_, params: { fine: boolean }) => params.fine,
    failedIn: ({ context }, params: { state: string }) => context.failure?.state === params.state,
  },
  actions: {
    noteFailure: assign({
      failure: (_, params: { state: string; error: unknown }) => failureOf(params.state, params.error),
    }),
    announceOverdue: emit((_, params: Parameters<typeof announcement>[0]) => announcement(params)),
    noteProblem: assign({
      problem: ({ context }, params: { problem: string | null }) => params.problem ?? context.problem,
    }),
  },
}).createMachine({
  id: 'renew-sign-in',
  context: ({ input }) => ({ ...input, words: CAUSE_WORDS[input.cause], outcome: 'renewed', failure: null }),
  initial: 'awaitingRenewal',
  states: {
    awaitingRenewal: {
      meta: {
        description: '{words.subject} is broken, and every onboarding waits: {problem}',
        waitingOn: 'operator',
        task: humanTask({
          id: 'renew-sign-in',
          title: '{words.title}',
          instructions:
            '{words.steps} Then look again: the queues paused for this go on by themselves once it is mended.',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Mended: look now', signal: 'retry.requested' },
            override('Leave it: the queues are resumed by hand'),
          ],
          shows: { Problem: 'problem' },
          verify: {
            how: 'api',
            by: 'What was broken is tried: a new token, the membership, the group, the mail server.',
          },
          evidence: [],
        }),
      },
      after: overdue('renew-sign-in'),
      on: { 'retry.requested': '.checking', 'task.overridden': 'left' },
      initial: 'waiting',
      states: {
        waiting: {
          meta: { description: '{words.subject} waits to be mended', waitingOn: 'operator' },
          after: { signInPoll: 'checking' },
        },
        checking: {
          meta: { description: 'Looking whether it is mended: {words.subject}', waitingOn: 'us' },
          invoke: {
            id: 'checkSignIn',
            src: 'checkSignIn',
            input: ({ context }) => ({ cause: context.cause }),
            onDone: [
              {
                guard: { type: 'isFine', params: ({ event }) => event.output },
                target: '#renew-sign-in.resumingQueues',
              },
              { target: 'waiting', actions: { type: 'noteProblem', params: ({ event }) => event.output } },
            ],
            onError: failing('awaitingRenewal', '#renew-sign-in.needsOperator'),
          },
        },
      },
    },

    resumingQueues: {
      meta: { description: '{words.subject} works again: letting the onboardings go on', waitingOn: 'us' },
      invoke: {
        id: 'resumeQueues',
        src: 'resumeQueues',
        input: ({ context }) => ({ cause: context.cause }),
        onDone: 'renewed',
        onError: failing('resumingQueues'),
      },
    },

    needsOperator: {
      meta: {
        description: '{words.subject} could not be tried: {failure.message}',
        waitingOn: 'operator',
        task: stuckTask('sign-in-stuck', '{words.subject} could not be tried', {
          actions: [
            { name: 'complete', label: 'Try again', signal: 'retry.requested' },
            override('Leave it'),
          ],
        }),
      },
      after: overdue('sign-in-stuck'),
      on: {
        'retry.requested': retrying(['awaitingRenewal', 'resumingQueues']),
        'task.overridden': 'left',
      },
    },

    renewed: { meta: { description: '{words.subject} works again' }, type: 'final' },
    left: {
      meta: { description: '{words.subject} was left to be seen to by hand' },
      type: 'final',
      entry: assign({ outcome: 'left' }),
    },
  },
  output: ({ context }) => ({ outcome: context.outcome }),
});

export const renewSignIn = defineWorkflow({
  name: 'renew-sign-in',
  title: 'Mending what stops every onboarding',
  machine: renewSignInMachine,
  input: RenewSignInInput,
  signals: pick('task.overridden', 'retry.requested'),
  subject: (context) => context.words.subject,
});
