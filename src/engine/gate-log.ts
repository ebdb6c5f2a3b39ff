import type { EventLog } from './event-log.ts';
import type { GateOutcome } from './state-observer.ts';

/** Logs the outcome of a gate. */
export function logGate(
  { log }: { readonly log: Pick<EventLog, 'append'> },
  gate: 'steady' | 'recovery' | 'redundancy',
  { met, unmet }: GateOutcome,
): void {
  log.append({ type: 'gate', gate, state: met ? 'met' : 'timeout', unmet });
}
