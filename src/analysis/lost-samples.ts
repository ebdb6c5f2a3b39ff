import { durationWords } from '../core/format-duration.ts';
import type { KeptSample } from './kept-samples.ts';
import type { ProbeSeries, RunLog } from './read-log.ts';
import { listWords } from './words.ts';

/**
 * The log with its lost samples as what is known of them: a slot was due, and what was seen is not known. Each gap in the slots
 * of a probe becomes one sample, `unknown` and `degraded`, so that the bounds of windows reach over it and a gap between two
 * good samples is a window that may have been (`unsure`). With `asFailed` they count as failures: a check that comes out
 * otherwise then depends on what was lost. The same log where none is lost.
 */
export function withLost(log: RunLog, as: 'unknown' | 'failed'): RunLog {
  if (lostOf(log).length === 0) return log;
  return {
    ...log,
    series: new Map([...log.series].map(([id, series]) => [id, { ...series, samples: filled(series, as) }])),
  };
}

/** Between two samples of different moments, ms: the log's own grain. */
const grainMs = 0.001;

/** The longest that the lost samples can have seen anything: from right after the sample before them to the one after them. */
function filled({ probe, samples, lost }: ProbeSeries, as: 'unknown' | 'failed'): readonly KeptSample[] {
  const missing = lost.map(({ fromMs, toMs }): KeptSample => {
    const before = samples.findLast(({ dueMs }) => dueMs <= fromMs);
    const after = samples.find(({ dueMs }) => dueMs >= toMs);
    const sendMs = (before?.sendMs ?? fromMs) + grainMs;
    const sample = {
      probe: probe.id,
      lost: true as const,
      slot: 0,
      dueMs: sendMs,
      sendMs,
      finishMs: Math.max(sendMs, after?.sendMs ?? toMs),
    };
    return as === 'failed'
      ? { ...sample, status: 'fail', cause: 'timeout' }
      : { ...sample, status: 'unknown', degraded: true };
  });
  return missing.length === 0 ? samples : [...samples, ...missing].sort((a, b) => a.sendMs - b.sendMs);
}

function lostOf(
  log: RunLog,
): readonly { readonly id: string; readonly count: number; readonly ms: number }[] {
  return [...log.series].flatMap(([id, { lost }]) => {
    const count = lost.reduce((sum, gap) => sum + gap.count, 0);
    const ms = lost.reduce((sum, gap) => sum + gap.toMs - gap.fromMs, 0);
    return count === 0 ? [] : [{ id, count, ms }];
  });
}

/** What a log lost, as a sentence; null where it lost nothing. */
export function lostWords(log: RunLog): string | null {
  const lost = lostOf(log);
  if (lost.length === 0) return null;
  const parts = lost.map(
    ({ id, count, ms }) => `${count} ${count === 1 ? 'sample' : 'samples'} of ${id} (${durationWords(ms)})`,
  );
  return `the event log lacks ${listWords(parts)}: their slot numbers are missing, and no event says why; what they showed is not known`;
}
