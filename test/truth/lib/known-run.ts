import type { Plan } from '../../../src/core/plan.ts';
import type { SentSample } from './prober.ts';
import type { Change } from './service.ts';
import type { FileContent } from './plan-text.ts';

/** True times of a fault, ms on the run clock; undefined for steps that it did not reach. */
export interface KnownFault {
  readonly id: string;
  readonly issuedMs: number;
  readonly effectMs: number;
  readonly forMs: number | undefined;
  readonly healStartedMs: number | undefined;
  readonly healedMs: number | undefined;
}

/** The truth about a simulated run, in addition to its log. */
export interface KnownRun {
  /** The plan without checks. */
  readonly plan: Plan;
  readonly faults: readonly KnownFault[];
  /** Changes of the probed service, by probe instance. */
  readonly changes: ReadonlyMap<string, readonly Change[]>;
  readonly sent: readonly SentSample[];
  readonly gates: readonly { readonly gate: string; readonly t: number; readonly isMet: boolean }[];
  readonly endMs: number;
}

/** A check in a scenario file. */
export type CheckText = FileContent & { readonly kind: string; readonly name: string };

/** True time of the first effect. @throws Error if no fault took effect: such a run has no figures */
export function effectMs({ faults }: KnownRun): number {
  const [first] = faults;
  if (first === undefined) throw new Error('find the first effect: no fault took effect');
  return Math.min(...faults.map((fault) => fault.effectMs));
}

/** When the wait for the recovery ended, by the engine's log. */
export function waitOverMs({ gates, faults }: KnownRun): number {
  const gate = gates.find((g) => g.gate === 'recovery')?.t ?? Infinity;
  const heals = faults.flatMap((f) => (f.forMs === undefined ? [f.healStartedMs ?? Infinity] : []));
  return Math.min(gate, ...heals);
}

/** When the return began: the first heal after the issue of the last fault; undefined if there was none. */
export function healBeganMs({ faults }: KnownRun): number | undefined {
  const issuedMs = Math.max(...faults.map((f) => f.issuedMs));
  const starts = faults.flatMap((f) => (f.healStartedMs === undefined ? [] : [f.healStartedMs]));
  const counted = starts.filter((ms) => ms >= issuedMs);
  return counted.length === 0 ? undefined : Math.min(...counted);
}
