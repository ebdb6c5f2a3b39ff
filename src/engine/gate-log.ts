import type { Run } from './run.ts';
import type { GateOutcome } from './world.ts';

/** Records how a gate came out. */
export function logGate(
  run: Pick<Run, 'deps'>,
  gate: 'steady' | 'recovery' | 'redundancy',
  { met, unmet }: GateOutcome,
): void {
  run.deps.log.append({ type: 'gate', gate, state: met ? 'met' : 'timeout', unmet });
}
