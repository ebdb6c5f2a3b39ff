import type { Plan } from '../core/plan.ts';
import type { DurationMs } from '../core/time.ts';
import { predictRecovery } from './chain.ts';

/** Predicted time of a drill from its first sample to restored redundancy, by its settings and models. */
export interface DrillTime {
  readonly medianMs: DurationMs;
  /** The time if each predicted part takes its longest. */
  readonly slowMs: DurationMs;
}

/** How long the gate holds again after the steady state, with the burst and the writers on, ms. */
const burstLeadMs = 2000;

/** The host of the first fault; undefined if the scenario does not name one. */
export function hostAtRisk({ faults: [fault] }: Pick<Plan, 'faults'>): string | undefined {
  return fault !== undefined && 'host' in fault.on ? fault.on.host : undefined;
}

/**
 * The fixed waits of the drill plus the predicted recovery. Preparations, repairs, the heal's own commands, and the
 * return are not included: no model predicts them. undefined if the models do not predict the RTO.
 */
export function drillTime(plan: Plan): DrillTime | undefined {
  const { steady, faults, recovery, redundancy } = plan;
  const { rto, redundancy: whole } = predictRecovery(plan, hostAtRisk(plan));
  if (rto === undefined) return undefined;
  const lastFaultMs = Math.max(0, ...faults.map(({ atMs }) => atMs));
  const around = steady.forMs + burstLeadMs + lastFaultMs + redundancy.forMs;
  const total = (rtoMs: DurationMs, wholeMs: DurationMs): number =>
    around + Math.max(rtoMs + recovery.stableForMs, wholeMs);
  return {
    medianMs: total(rto.medianMs, whole?.medianMs ?? 0),
    slowMs: total(rto.maxMs, whole?.maxMs ?? 0),
  };
}
