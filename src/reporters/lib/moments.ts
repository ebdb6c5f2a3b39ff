import type { Plan } from '../../core/plan.ts';
import type { ProbeSummary, Summary } from '../../core/summary.ts';

/** A stretch of wall time, ms since the Unix epoch. */
export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Wall time of a summary's date, ms since the Unix epoch. */
export const wallMs = (date: string): number => Date.parse(date);

/** From the first effect of a fault to the recovery that held: what the RTO measures. Undefined without an RTO. */
export function recoveryOf({ faults, rto, stages }: Summary): Stretch | undefined {
  const effects = faults.flatMap((f) => (f.effectAt === null ? [] : [wallMs(f.effectAt)]));
  if (rto === null || effects.length === 0) return undefined;
  const [stage] = stages;
  const fromMs = stage === undefined ? Math.min(...effects) : wallMs(stage.startAt);
  return { fromMs, toMs: fromMs + rto.ms };
}

/** The probe whose bad windows are the outage. Undefined where the log has none, or several. */
export function recoveryProbeOf(plan: Plan, { faults, probes }: Summary): ProbeSummary | undefined {
  const { probe, onFaultHost = false } = plan.recovery;
  const host = faults.find((f) => f.id === plan.faults[0]?.id)?.on;
  const ids = new Set(
    plan.probes
      .filter((p) => (p.name === probe || p.id === probe) && (!onFaultHost || p.host === host))
      .map((p) => p.id),
  );
  const found = probes.filter((p) => ids.has(p.id));
  return found.length === 1 ? found[0] : undefined;
}

/** When each phase began and ended: they touch, and the last ends with the run. */
export function phasesOf({ phases, endedAt }: Summary): readonly (Stretch & { readonly name: string })[] {
  let fromMs = wallMs(endedAt) - phases.reduce((sum, { ms }) => sum + ms, 0);
  return phases.map(({ name, ms }) => {
    const phase = { name, fromMs, toMs: fromMs + ms };
    fromMs = phase.toMs;
    return phase;
  });
}

/** A fault from the moment it was asked for until it was proven healed; one that is not, to the end. */
export function faultStretch(fault: Summary['faults'][number], { endedAt }: Summary): Stretch {
  return { fromMs: wallMs(fault.issuedAt), toMs: wallMs(fault.healedAt ?? endedAt) };
}

/** From the beginning of the heal to the last fault that was proven healed. Undefined where nothing was healed while the run watched. */
export function healOf({ heal, faults, endedAt }: Summary): Stretch | undefined {
  if (heal === null) return undefined;
  const fromMs = wallMs(heal.startedAt);
  const ends = faults.map((f) => wallMs(f.healedAt ?? endedAt));
  return { fromMs, toMs: Math.max(fromMs, ...ends) };
}
