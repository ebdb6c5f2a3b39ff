import type { Promised } from './check.ts';

/** Longest time from an abort to the end of a method. */
export const abort = { ms: 2000 };

export const describes: Promised = {
  promise: 'describes itself, with parameters that can be stored, and changes nothing',
  hint: '`plan` calls `describe`, `uses`, and the like: return texts, and act only in `inject` and `heal`.',
};

export const works: Promised = {
  promise: '`before` changes nothing, `inject` acts, `effect` shows it, and `heal` undoes it',
  hint: 'Put all that the heal needs into the result of `before`, and let `effect` and `healed` observe the host.',
};

export const separate: Promised = {
  promise: 'two faults of the kind do not disturb each other',
  hint: 'Keep no state in variables of the module: after a crash, a heal has only the parameters and the result of `before`.',
};

export const repeats: Promised = {
  promise: 'a heal may be repeated',
  hint: 'Let `heal` observe first, and do nothing if nothing is left to undo.',
};

export const harmless: Promised = {
  promise: 'a heal does no harm if the fault was never injected',
  hint: 'Let `heal` observe first, and undo only what this fault has changed.',
};

export const undone: Promised = {
  promise: 'the `undo` script undoes the fault, and may run again',
  hint: 'Write the script for a POSIX /bin/sh, take its values from the result of `before`, and let it exit 0.',
};

export const undoneUnharmed: Promised = {
  promise: 'the `undo` script does no harm if the fault was never injected',
  hint: 'Let the script check what is left to undo, as `rm -f` does, and exit 0.',
};

export const leavesNoProcess: Promised = {
  promise: 'it leaves no process behind',
  hint: 'In `heal`, end all processes that `inject` started. In `healed`, check that they are gone.',
};

export const survives = (disturbance: string): Promised => ({
  promise: `is never reported as healed while it is in effect, and is healed in the end (${disturbance})`,
  hint: 'Let `healed` parse the whole answer, and throw `DrillError` with the code `host-unreachable` for any other answer.',
});

export const believesNothing: Promised = {
  promise: 'answers that show nothing prove neither the effect nor the heal',
  hint: 'Return true only for an answer that you have parsed. An empty answer, or another program’s, is an error.',
};

export const aborts: Promised = {
  promise: `every method ends within ${abort.ms} ms after its signal aborts`,
  hint: 'Pass `ctx.signal` to each command and to `ctx.clock.sleep`, and end loops when it aborts.',
};
