/** What an operation would do, told before it is done: the decision is made and not committed. */
import type { StateValue } from 'xstate';
import type { Previewed } from './engine.ts';
import type { EffectNote } from './history.ts';
import type { InstanceRecord, InstanceStatus } from './record.ts';
import type { Reply } from './step.ts';
import type { Message } from './turn.ts';

export type PreviewEffect =
  | {
      readonly type: 'activity-begins';
      readonly actorId: string;
      readonly activity: string;
      readonly input: unknown;
    }
  | {
      readonly type: 'activity-again';
      readonly actorId: string;
      readonly activity: string;
      readonly attempt: number;
    }
  | {
      readonly type: 'activity-canceled';
      readonly actorId: string;
      readonly activity: string;
      /** It may be running: whether it took effect is then unknown. */
      readonly mayRun: boolean;
    }
  | { readonly type: 'timer-set'; readonly event: string; readonly fireAt: number }
  | { readonly type: 'timer-cleared'; readonly event: string; readonly fireAt: number }
  | { readonly type: 'child-begins'; readonly actorId: string; readonly definition: string }
  | { readonly type: 'child-stopped'; readonly actorId: string; readonly instanceId: string }
  | { readonly type: 'message'; readonly to: string; readonly event: string }
  | Extract<EffectNote, { type: 'emitted' | 'ran' | 'took-deferred' | 'quarantined' | 'attention' }>;

export interface Preview {
  readonly status: Reply['status'];
  /** Why not, or how. */
  readonly detail: string | null;
  readonly before: {
    readonly state: StateValue;
    readonly status: InstanceStatus;
    readonly revision: number;
  } | null;
  /** Null where nothing would change. */
  readonly after: {
    readonly state: StateValue;
    readonly status: InstanceStatus;
    readonly context: unknown;
  } | null;
  readonly effects: readonly PreviewEffect[];
}

export function previewOf({ before, decision }: Previewed): Preview {
  const { reply } = decision;
  const record = before?.record ?? null;
  const changed = decision.outcome === 'commit' ? decision : null;
  return {
    status: reply.status,
    detail: 'detail' in reply ? (reply.detail ?? null) : null,
    before:
      record === null
        ? null
        : { state: record.machine.value, status: record.status, revision: record.revision },
    after:
      changed === null
        ? null
        : {
            state: changed.next.machine.value,
            status: changed.next.status,
            context: changed.next.machine.context,
          },
    effects:
      changed === null
        ? []
        : [
            ...differences(record, changed.next, changed.dispatch),
            ...changed.messages.flatMap(messageEffect),
            ...(changed.entry.effects ?? []).flatMap(toldEffect),
          ],
  };
}

function differences(
  before: InstanceRecord | null,
  next: InstanceRecord,
  dispatch: readonly string[],
): PreviewEffect[] {
  const [activities, timers, children] = [
    before?.activities ?? {},
    before?.timers ?? {},
    before?.children ?? {},
  ];
  const canceled = gone(activities, next.activities).map(
    ({ actorId, src, phase }): PreviewEffect => ({
      type: 'activity-canceled',
      actorId,
      activity: src,
      mayRun: phase === 'open',
    }),
  );
  const begun = gone(next.activities, activities).map(
    ({ actorId, src, input }): PreviewEffect => ({ type: 'activity-begins', actorId, activity: src, input }),
  );
  const again = dispatch.flatMap((token): PreviewEffect[] => {
    const activity = next.activities[token];
    if (activity === undefined || activities[token] === undefined) return [];
    return [
      {
        type: 'activity-again',
        actorId: activity.actorId,
        activity: activity.src,
        attempt: activity.attempt,
      },
    ];
  });
  const cleared = gone(timers, next.timers).map(
    ({ event, fireAt }): PreviewEffect => ({ type: 'timer-cleared', event: event?.type ?? 'retry', fireAt }),
  );
  const set = gone(next.timers, timers).map(
    ({ event, fireAt }): PreviewEffect => ({ type: 'timer-set', event: event?.type ?? 'retry', fireAt }),
  );
  const stopped = gone(children, next.children).map(
    ({ actorId, instanceId }): PreviewEffect => ({ type: 'child-stopped', actorId, instanceId }),
  );
  return [...canceled, ...begun, ...again, ...cleared, ...set, ...stopped];
}

/** Values of the first whose token the second lacks. */
function gone<Value>(
  from: Readonly<Record<string, Value>>,
  to: Readonly<Record<string, unknown>>,
): readonly Value[] {
  return Object.entries(from).flatMap(([token, value]) => (to[token] === undefined ? [value] : []));
}

function messageEffect({ to, body }: Message): PreviewEffect[] {
  switch (body.kind) {
    case 'start':
      return [{ type: 'child-begins', actorId: body.actorId, definition: body.definition }];
    case 'parent.message':
    case 'child.message':
    case 'peer.message':
      return [{ type: 'message', to, event: body.event.type }];
    case 'child.done':
    case 'child.failed':
      return [{ type: 'message', to, event: body.kind }];
    case 'parent.stop':
      return [];
    default:
      return body satisfies never;
  }
}

function toldEffect(effect: EffectNote): PreviewEffect[] {
  switch (effect.type) {
    case 'emitted':
    case 'ran':
    case 'took-deferred':
    case 'quarantined':
    case 'attention':
      return [effect];
    default:
      return [];
  }
}
