/** An operator puts an instance into another state, or into one it was in before. */
import { messageOf } from '../shared/errors.ts';
import { enterState, findState, statePaths } from './machine-move.ts';
import { isClosed, type MachineState } from './record.ts';
import { applied, impossible, type Reply } from './step.ts';
import { absorb, settle, surroundings, type Turn } from './turn.ts';
import { fromMachineState, toMachineState } from './xstate5.ts';

/**
 * Leaves what has to be left and enters the state anew: activities of the states left are canceled, their timers
 * cleared, their children stopped. What was set aside and what a person should look at are over with that.
 */
export function moveTo(turn: Turn, name: string): Reply {
  const { machine } = turn.definition;
  if (turn.status === 'paused') return impossible('paused: resume it first');
  if (isClosed(turn.status) && turn.parent !== null)
    return impossible('its parent has been told that it failed');
  const target = findState(machine, name);
  if (target === null)
    return impossible(`there is no state '${name}'; there are ${statePaths(machine).join(', ')}`);
  try {
    const step = enterState(machine, reopened(toMachineState(turn.snapshot)), target, surroundings(turn));
    Object.assign(turn, { status: 'running', attention: null, quarantine: [] } satisfies Partial<Turn>);
    absorb(turn, step);
    turn.snapshot = fromMachineState(machine, toMachineState(turn.snapshot), surroundings(turn));
    settle(turn);
    return applied();
  } catch (error) {
    return impossible(`the statechart throws on entering '${name}': ${messageOf(error)}`);
  }
}

/** A machine that ended in an error stands where it was, with nothing running. */
function reopened(state: MachineState): MachineState {
  if (state.status === 'active') return state;
  const { error: _error, output: _output, children: _children, ...rest } = state;
  return { ...rest, status: 'active' };
}
