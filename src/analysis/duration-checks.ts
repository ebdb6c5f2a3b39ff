import { durationText, limitText } from '../core/format-duration.ts';
import { gateUncertainty } from './uncertainty.ts';
import { boundedBySamples } from './gap-outcome.ts';
import { seriesOf } from './intervals.ts';
import { slowFloorMs } from './latency-model.ts';
import {
  bounded,
  type CheckOf,
  type Evidence,
  isComplete,
  type Limits,
  limitsText,
  type Outcome,
  undrilled,
  unfinishedText,
  unmeasured,
  unmetText,
  waitedFor,
} from './outcome.ts';
import { intervalAt, type ProbeSeries, type RunLog, watchedUntil } from './run-log.ts';
import type { RedundancyAnalysis } from './redundancy.ts';
import type { Moment } from './moment.ts';
import { type RecoveryAnalysis, recoverySeries, windowsAfter } from './rto.ts';
import { unobservedOutageMs } from './rto-bounds.ts';
import { type Sampling, samplingOf } from './sample-gaps.ts';
import { measureText } from './format.ts';
import { staleAfterMs } from '../core/freshness.ts';
import type { Measure } from '../core/summary.ts';
import type { DurationMs } from '../core/time.ts';

/** Judges the RTO against its limit. */
export function rtoCheck(check: CheckOf<'rto'>, { log, recovery }: Evidence): Outcome {
  if (recovery === null) return undrilled(limitsText(check));
  const { probe } = recoverySeries(log);
  const uncertainty = recovery.rto === null ? gateUncertainty(log, 'recovery') : null;
  if (uncertainty !== null)
    return unmeasured(
      'unknown',
      limitsText(check),
      `whether ${probe.name} recovered is unknown: ${uncertainty}`,
    );
  if (recovery.rto === null)
    return waitedFor(`${probe.name} had no stable recovery`, recovery.longerThanMs ?? 0, check.maxMs);
  const intervalMs = intervalAt(log, probe, recovery.recovered?.hiMs ?? log.endMs);
  const subject = { what: 'RTO', measure: recovery.rto, intervalMs };
  const because = putOffText(recovery, intervalMs, log);
  // If the edges of the outage alone decide the limit, the reason is what may have delayed the recovery.
  const { maxMs } = check;
  const isPutOff = because !== null && recovery.rto.maxMs > maxMs && edgesMaxMs(recovery) <= maxMs;
  return bounded(isPutOff ? { ...subject, because } : subject, check);
}

/** The upper bound of the RTO by the edges of the outage alone, ms. */
function edgesMaxMs({ effect, recovered, windows }: RecoveryAnalysis): DurationMs {
  return recovered === null || windows.length === 0 ? 0 : recovered.hiMs - effect.loMs;
}

/**
 * What may have delayed the recovery beyond the edges of the outage, and what would decide it; null if
 * nothing may have.
 */
function putOffText({ bounds }: RecoveryAnalysis, intervalMs: DurationMs, log: RunLog): string | null {
  const stableFor = limitText(log.plan.recovery.stableForMs);
  switch (bounds?.putOffBy) {
    case 'gap': {
      const neededMs = Math.floor(unobservedOutageMs - Math.max(0, bounds.gapMs - intervalMs));
      const hint = `a probe interval of ${limitText(neededMs)} or less decides it`;
      const isOrdinary = bounds.gapMs - intervalMs < slowFloorMs && neededMs >= 1;
      const open = log.plan.faults.some((f) => f.forMs !== undefined) ? ' or while a fault was active' : '';
      return `in the ${stableFor} after the recovery${open}, another outage fits between two samples, which were up to ${durationText(bounds.gapMs)} apart${isOrdinary ? `; ${hint}` : ''}`;
    }
    case 'slow':
      return `answers in the ${stableFor} after the recovery were slow, which shows neither that the service was up nor that it was down`;
    case 'uncertain':
      return `samples in the ${stableFor} after the recovery failed while the prober was degraded`;
    case 'outage':
      return `another outage began about ${stableFor} after the recovery, and it is unknown whether the service was up for ${stableFor} before it`;
    default:
      return null;
  }
}

/** Number of window edges. Each lies between two samples. */
function edgesOf(windows: number): number {
  return Math.max(1, 2 * windows);
}

/** How closely a probe was sampled from a moment to the end of the run. */
function samplingSince(log: RunLog, series: ProbeSeries, from: Moment): Sampling {
  return samplingOf([series], { fromMs: from.loMs, toMs: watchedUntil(log) });
}

/** Judges the sum of a probe instance's bad windows after the fault. */
export function downtimeCheck(check: CheckOf<'downtime'>, { log, recovery }: Evidence): Outcome {
  const limit = limitsText(check);
  if (recovery === null) return undrilled(limit);
  const series = check.probe === undefined ? recoverySeries(log) : log.series.get(check.probe);
  if (series === undefined)
    return unmeasured('no such probe in the plan', limit, `probe ${check.probe ?? ''} is not in the plan`);
  const { id } = series.probe;
  const known = series.samples.findLast((s) => s.status !== 'unknown');
  if (isComplete(log) && (known === undefined || watchedUntil(log) - known.sendMs > staleAfterMs(series)))
    return unmeasured('unknown at the end', limit, `${id} had no known result at the end of the run`);
  const { windows, total, unobservedMs, slowMs } = windowsAfter(log, series, recovery.effect);
  const unfinished = unfinishedText(
    log,
    windows.some((w) => w.open),
  );
  return boundedBySamples(
    {
      what: check.probe === undefined ? 'downtime' : `downtime of ${id}`,
      measure: total,
      unobservedMs,
      sampling: samplingSince(log, series, recovery.effect),
      intervalMs: intervalAt(log, series.probe, windows.at(-1)?.endHiMs ?? log.endMs),
      edges: edgesOf(windows.length),
      ...slowText(total, slowMs, check),
      ...(unfinished === undefined ? {} : { unfinished }),
    },
    check,
  );
}

/**
 * Why a sum of windows is inconclusive if slow answers alone make it so; a shorter interval would not
 * change that.
 */
function slowText({ maxMs }: Measure, slowMs: DurationMs, limits: Limits): { readonly because?: string } {
  const limitMs = limits.maxMs ?? Infinity;
  if (slowMs === 0 || maxMs <= limitMs || maxMs - slowMs > limitMs) return {};
  return {
    because: `${durationText(slowMs)} of it is slow answers, which show neither that the service was up nor that it was down`,
  };
}

/** Judges a time to restored redundancy. */
function redundancyOutcome(
  what: string,
  analysis: RedundancyAnalysis,
  maxMs: DurationMs,
  log: RunLog,
): Outcome {
  switch (analysis.state) {
    case 'restored': {
      const slowest = Math.max(
        0,
        ...log.plan.redundancy.require.flatMap((c) => seriesOf(log, c).map((s) => s.probe.intervalMs)),
      );
      return bounded({ what, measure: analysis.after, intervalMs: slowest }, { maxMs });
    }
    case 'timeout': {
      const uncertainty = gateUncertainty(log, 'redundancy');
      if (uncertainty !== null)
        return unmeasured(
          'unknown',
          limitsText({ maxMs }),
          `whether redundancy was restored is unknown: ${uncertainty}`,
        );
      const outcome = waitedFor('redundancy was not restored', analysis.longerThanMs, maxMs);
      return {
        ...outcome,
        observed: [outcome.observed, ...analysis.unmet].join('; missing: '),
        reason: `${outcome.reason ?? ''}: ${unmetText(analysis.unmet)}`,
      };
    }
    case 'not-awaited':
      return unmeasured(
        'not measured',
        limitsText({ maxMs }),
        `${what} was not measured: the run ended before it waited for redundancy`,
      );
  }
}

/** From the fault to restored redundancy. */
export function redundancyCheck(
  check: CheckOf<'redundancy'>,
  { log, recovery, redundancy }: Evidence,
): Outcome {
  if (recovery === null) return undrilled(limitsText(check));
  return redundancyOutcome('time to redundancy restored', redundancy, check.maxMs, log);
}

function unhealedOutcome(limits: Limits): Outcome {
  return unmeasured(
    'not measured',
    limitsText(limits),
    'the return was not measured: no fault was healed before the run ended',
  );
}

/** From the beginning of the heal to restored redundancy. */
export function returnCheck(check: CheckOf<'return'>, { log, recovery, heal }: Evidence): Outcome {
  if (recovery === null) return undrilled(limitsText(check));
  if (heal === null) return unhealedOutcome(check);
  return redundancyOutcome('time from the heal to redundancy', heal.return, check.maxMs, log);
}

/** The outage that the heal itself costs. */
export function healOutageCheck(check: CheckOf<'heal-outage'>, { log, recovery, heal }: Evidence): Outcome {
  if (recovery === null) return undrilled(limitsText(check));
  if (heal === null) return unhealedOutcome(check);
  const unfinished = unfinishedText(log, heal.open);
  const series = recoverySeries(log);
  return boundedBySamples(
    {
      what: "the heal's outage",
      measure: heal.outage,
      unobservedMs: heal.unobservedMs,
      sampling: samplingSince(log, series, heal.began),
      intervalMs: series.probe.intervalMs,
      edges: edgesOf(heal.windows),
      ...slowText(heal.outage, heal.slowMs, check),
      ...(unfinished === undefined ? {} : { unfinished }),
    },
    check,
  );
}

/** Judges that the service does not recover by itself before the wait for it ends. */
export function noRecoveryCheck({ log, recovery }: Evidence): Outcome {
  const limit = `no recovery within ${limitText(log.plan.recovery.withinMs)}`;
  if (recovery === null) return undrilled(limit);
  const { name } = recoverySeries(log).probe;
  if (recovery.rto !== null) {
    const observed =
      recovery.windows.length === 0 ? 'no outage' : `recovered after ${measureText(recovery.rto)}`;
    return {
      status: 'fail',
      observed,
      limit,
      reason:
        recovery.windows.length === 0
          ? `${name} did not fail at all; the check requires that it stays down`
          : `${name} recovered by itself after ${measureText(recovery.rto)}; the check requires that it stays down`,
    };
  }
  const gate = log.gates.findLast((g) => g.gate === 'recovery');
  if (gate?.state !== 'timeout')
    return unmeasured(
      'not observed for long enough',
      limit,
      `whether ${name} stays down is unknown: the run ended before the wait for the recovery was over`,
    );
  const uncertainty = gateUncertainty(log, 'recovery');
  if (uncertainty !== null)
    return unmeasured('unknown', limit, `whether ${name} stayed down is unknown: ${uncertainty}`);
  const { stableForMs, until } = log.plan.recovery;
  const seenMs = recovery.longerThanMs ?? 0;
  // The service may have been up at the end of the wait, but for less than `stable_for`.
  const neededMs = gate.t - recovery.effect.hiMs - stableForMs;
  if (recovery.windows.every((w) => w.firstBadMs >= gate.t) || (until === undefined && seenMs < neededMs))
    return unmeasured(
      `none within ${durationText(seenMs)}`,
      limit,
      `whether ${name} stayed down is unknown: samples show that for ${durationText(seenMs)} only, and it may have recovered later`,
    );
  // If a recovery must last until redundancy is restored, the service may be up without being redundant.
  const last = recovery.windows.findLast((w) => w.firstBadMs < gate.t);
  const upMs = last === undefined || last.open ? 0 : gate.t - last.endHiMs;
  if (until !== undefined && last !== undefined && upMs >= stableForMs) {
    const back = `up again after ${durationText(last.endHiMs - recovery.effect.ms)}, for ${durationText(upMs)}`;
    return {
      status: 'fail',
      observed: `${back}, without redundancy`,
      limit,
      reason: `${name} was ${back}; the check requires that it stays down`,
    };
  }
  const sign =
    recovery.first === null ? '' : `; up after ${durationText(recovery.first.ms)}, but not for long`;
  return {
    status: 'pass',
    observed: `none within ${durationText(seenMs)}${sign}`,
    limit,
    reason: null,
  };
}
