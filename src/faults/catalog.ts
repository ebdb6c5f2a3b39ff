import type { FaultKind } from '../core/fault.ts';
import type { Json } from '../core/plan.ts';
import { composeDown } from './compose.down.ts';
import { containerStop } from './container.stop.ts';
import { processKill } from './process.kill.ts';

/** A fault kind whose parameter types are erased: what the engine and the planner handle. */
export type AnyFaultKind = FaultKind<Json>;

/** Every fault there is, one line each. Schema, `plan`, docs and error messages follow from this list. */
export const faultKinds: readonly AnyFaultKind[] = [
  erase(processKill),
  erase(containerStop),
  erase(composeDown),
];

/** The kind of that name; undefined for an unknown one. */
export function faultKind(kind: string): AnyFaultKind | undefined {
  return faultKinds.find((candidate) => candidate.kind === kind);
}

// Parameters were parsed by the kind's own schema when the plan was made, and `before` states come from
// the kind itself: the cast only says so.
function erase<P, B extends Json, R extends Json>(kind: FaultKind<P, B, R>): AnyFaultKind {
  return kind as unknown as AnyFaultKind;
}
