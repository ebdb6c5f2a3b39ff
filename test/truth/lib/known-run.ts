import type { Plan } from '../../../src/core/plan.ts';
import type { SentSample } from './prober.ts';
import type { Change } from './service.ts';
import type { FileContent } from './plan-text.ts';

/** When a fault really acted and was healed, ms on the run clock; undefined where it did not get there. */
export interface KnownFault {
  readonly id: string;
  readonly issuedMs: number;
  readonly effectMs: number;
  readonly forMs: number | undefined;
  readonly healStartedMs: number | undefined;
  readonly healedMs: number | undefined;
}

/** What is known of a simulated run beyond its log. */
export interface KnownRun {
  /** Without checks. */
  readonly plan: Plan;
  readonly faults: readonly KnownFault[];
  /** By probe instance. */
  readonly changes: ReadonlyMap<string, readonly Change[]>;
  readonly sent: readonly SentSample[];
  readonly gates: readonly { readonly gate: string; readonly t: number; readonly isMet: boolean }[];
  readonly endMs: number;
}

/** A check as a scenario file has it. */
export type CheckText = FileContent & { readonly kind: string; readonly name: string };

/** The first fault's real effect. Throws where none acted: such a run has no figures. */
export function effectMs({ faults }: KnownRun): number {
  const [first] = faults;
  if (first === undefined) throw new Error('no fault acted');
  return Math.min(...faults.map((fault) => fault.effectMs));
}

/** When the wait for the recovery was over, by what the engine logged. */
export function waitOverMs({ gates, faults }: KnownRun): number {
  const gate = gates.find((g) => g.gate === 'recovery')?.t ?? Infinity;
  const heals = faults.flatMap((f) => (f.forMs === undefined ? [f.healStartedMs ?? Infinity] : []));
  return Math.min(gate, ...heals);
}

/** When the return began: the first heal after the last fault was issued; undefined if there was none. */
export function healBeganMs({ faults }: KnownRun): number | undefined {
  const issuedMs = Math.max(...faults.map((f) => f.issuedMs));
  const starts = faults.flatMap((f) => (f.healStartedMs === undefined ? [] : [f.healStartedMs]));
  const counted = starts.filter((ms) => ms >= issuedMs);
  return counted.length === 0 ? undefined : Math.min(...counted);
}
