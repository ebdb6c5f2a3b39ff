import type { Plan } from '../../core/plan.ts';
import type { ProbeSummary, Summary } from '../../core/summary.ts';
import { earlier, earliest, later, latest, type WallMs, wallMs } from '../../core/time.ts';

/** An interval of wall time, ms since the Unix epoch. */
export interface Stretch {
  readonly fromMs: WallMs;
  readonly toMs: WallMs;
}

/** Wall time of a summary's date, ms since the Unix epoch. */
export const wallMsOf = (date: string): WallMs => wallMs(Date.parse(date));

/** The interval of the RTO: from a fault's first effect to the recovery that held. Undefined without an RTO. */
export function recoveryOf({ faults, rto, stages }: Summary): Stretch | undefined {
  const effects = faults.flatMap((f) => (f.effectAt === null ? [] : [wallMsOf(f.effectAt)]));
  if (rto === null || effects.length === 0) return undefined;
  const [stage] = stages;
  const fromMs = stage === undefined ? earliest(...effects) : wallMsOf(stage.startAt);
  return { fromMs, toMs: later(fromMs, rto.ms) };
}

/** The probe whose bad windows are the outage. Undefined if the log has none or multiple. */
export function recoveryProbeOf(plan: Plan, { faults, probes }: Summary): ProbeSummary | undefined {
  const { probe, onFaultHost = false } = plan.recovery;
  const host = faults.find((f) => f.id === plan.faults[0]?.id)?.on;
  const ids = new Set(
    plan.probes.filter((p) => p.name === probe && (!onFaultHost || p.host === host)).map((p) => p.id),
  );
  const found = probes.filter((p) => ids.has(p.id));
  return found.length === 1 ? found[0] : undefined;
}

/** The interval of each phase: phases are contiguous, and the last ends with the run. */
export function phasesOf({ phases, endedAt }: Summary): readonly (Stretch & { readonly name: string })[] {
  let fromMs = earlier(
    wallMsOf(endedAt),
    phases.reduce((sum, { ms }) => sum + ms, 0),
  );
  return phases.map(({ name, ms }) => {
    const phase = { name, fromMs, toMs: later(fromMs, ms) };
    fromMs = phase.toMs;
    return phase;
  });
}

/** A fault's interval, from its issue to its proven heal, or to the end of the run if it is not healed. */
export function faultStretch(fault: Summary['faults'][number], { endedAt }: Summary): Stretch {
  return { fromMs: wallMsOf(fault.issuedAt), toMs: wallMsOf(fault.healedAt ?? endedAt) };
}

/** From the start of the heal to the last proven heal of a fault. Undefined if the run observed no heal. */
export function healOf({ heal, faults, endedAt }: Summary): Stretch | undefined {
  if (heal === null) return undefined;
  const fromMs = wallMsOf(heal.startedAt);
  const ends = faults.map((f) => wallMsOf(f.healedAt ?? endedAt));
  return { fromMs, toMs: latest(fromMs, ...ends) };
}
