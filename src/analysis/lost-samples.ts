import { durationText } from '../core/format-duration.ts';
import type { ProbeId } from '../core/ids.ts';
import type { KeptSample } from './kept-samples.ts';
import type { ProbeSeries, RunLog } from './run-log.ts';
import { listText } from './format.ts';
import { type DurationMs, later, latest } from '../core/time.ts';

/**
 * The log with a sample in place of each gap in a probe's slots: a sample was due, and its result is unknown. With `unknown`
 * it is `unknown` and `degraded`, so the bounds of windows extend over it, and a gap between two good samples becomes an
 * `uncertain` window. With `failed` it counts as a failure: if that changes a check, the check depends on lost samples.
 * Returns the same log if no sample is lost.
 */
export function withLost(log: RunLog, as: 'unknown' | 'failed'): RunLog {
  if ([...log.series.values(), ...log.operations.values()].every(({ lost }) => lost.length === 0)) return log;
  return {
    ...log,
    series: eachFilled(log.series, as),
    operations: eachFilled(log.operations, as),
  };
}

function eachFilled(all: RunLog['series'], as: 'unknown' | 'failed'): ReadonlyMap<ProbeId, ProbeSeries> {
  return new Map([...all].map(([id, series]) => [id, { ...series, samples: filled(series, as) }]));
}

/** Resolution of the log's times, ms: the shortest time between two samples. */
const grainMs = 0.001;

/**
 * A lost sample covers the longest possible time: from right after the sample before it to the sample
 * after it.
 */
function filled({ probe, samples, lost }: ProbeSeries, as: 'unknown' | 'failed'): readonly KeptSample[] {
  const missing = lost.map(({ fromMs, toMs }): KeptSample => {
    const before = samples.findLast(({ dueMs }) => dueMs <= fromMs);
    const after = samples.find(({ dueMs }) => dueMs >= toMs);
    const sendMs = later(before?.sendMs ?? fromMs, grainMs);
    const sample = {
      probe: probe.id,
      lost: true as const,
      slot: 0,
      dueMs: sendMs,
      sendMs,
      finishMs: latest(sendMs, after?.sendMs ?? toMs),
    };
    return as === 'failed'
      ? { ...sample, status: 'fail', cause: 'timeout' }
      : { ...sample, status: 'unknown', degraded: true };
  });
  return missing.length === 0 ? samples : [...samples, ...missing].sort((a, b) => a.sendMs - b.sendMs);
}

function lostOf(
  log: RunLog,
): readonly { readonly id: ProbeId; readonly count: number; readonly ms: DurationMs }[] {
  return [...log.series].flatMap(([id, { lost }]) => {
    const count = lost.reduce((sum, gap) => sum + gap.count, 0);
    const ms = lost.reduce((sum, gap) => sum + gap.toMs - gap.fromMs, 0);
    return count === 0 ? [] : [{ id, count, ms }];
  });
}

/** Which samples the log lacks, as a sentence; null if it lacks none. */
export function lostText(log: RunLog): string | null {
  const lost = lostOf(log);
  if (lost.length === 0) return null;
  const parts = lost.map(
    ({ id, count, ms }) => `${count} ${count === 1 ? 'sample' : 'samples'} of ${id} (${durationText(ms)})`,
  );
  return `the event log lacks ${listText(parts)}: their slot numbers are missing, and no event gives a reason; their results are unknown`;
}
