import type { Plan } from '../core/plan.ts';
import { predictRecovery } from './chain.ts';

/** How long a drill should take from its first sample to restored redundancy, by its settings and models. */
export interface DrillTime {
  readonly medianMs: number;
  /** With each predicted time at its longest. */
  readonly slowMs: number;
}

/** After the steady state, how long the gate holds again with the burst and the writers on. */
const burstLeadMs = 2000;

/** The host that the first fault is on, where the file says so. */
export function hostAtRisk({ faults: [fault] }: Pick<Plan, 'faults'>): string | undefined {
  return fault !== undefined && 'host' in fault.on ? fault.on.host : undefined;
}

/**
 * What the drill waits for anyhow, and the recovery as the models predict it. Preparations, repairs, the heal's own
 * commands and the return are not in it: no model says how long they take. Undefined where the models do not predict the RTO.
 */
export function drillTime(plan: Plan): DrillTime | undefined {
  const { steady, faults, recovery, redundancy } = plan;
  const { rto, redundancy: whole } = predictRecovery(plan, hostAtRisk(plan));
  if (rto === undefined) return undefined;
  const lastFaultMs = Math.max(0, ...faults.map(({ atMs }) => atMs));
  const around = steady.forMs + burstLeadMs + lastFaultMs + redundancy.forMs;
  const total = (rtoMs: number, wholeMs: number): number =>
    around + Math.max(rtoMs + recovery.stableForMs, wholeMs);
  return {
    medianMs: total(rto.medianMs, whole?.medianMs ?? 0),
    slowMs: total(rto.maxMs, whole?.maxMs ?? 0),
  };
}
