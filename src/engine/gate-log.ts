import type { EventLog } from './event-log.ts';
import type { GateOutcome } from './world.ts';

/** Records how a gate came out. */
export function logGate(
  { log }: { readonly log: Pick<EventLog, 'append'> },
  gate: 'steady' | 'recovery' | 'redundancy',
  { met, unmet }: GateOutcome,
): void {
  log.append({ type: 'gate', gate, state: met ? 'met' : 'timeout', unmet });
}
