import { canaryLimitMs } from '../core/canary.ts';
import { roundMs } from '../core/clock.ts';
import type { ProberSummary } from '../core/summary.ts';
import { type RunLog, wallTime } from './read-log.ts';
import { sickMsIn, sickSpans, sickWords } from './sick.ts';
import { durationWords } from './words.ts';

/** The prober's health over the whole run. */
export function proberSummary(log: RunLog): ProberSummary {
  return {
    lanes: [...new Set(log.health.map((h) => h.lane))].sort().map((lane) => {
      const told = log.health.filter((h) => h.lane === lane);
      return {
        lane,
        loopP99Ms: told.reduce((max, h) => Math.max(max, h.loopP99Ms), 0),
        loopMaxMs: told.reduce((max, h) => Math.max(max, h.loopMaxMs), 0),
      };
    }),
    canary: canarySummary(log),
    clockSteps: log.clockSteps.map(({ atMs, byMs, cause }) => ({ at: wallTime(log, atMs), byMs, cause })),
  };
}

function canarySummary(log: RunLog): ProberSummary['canary'] {
  const { canary } = log;
  if (canary === null) return null;
  const { probe, looks, failed, late, latency, sick } = canary;
  return {
    looks,
    failed,
    late,
    limitMs: canaryLimitMs(probe),
    intervalMs: probe.intervalMs,
    latency,
    sickMs: sickMsIn(log),
    sick: sickSpans(log).map((span, index) => ({
      startAt: wallTime(log, span.fromMs),
      endAt: sick[index]?.toMs === Infinity ? null : wallTime(log, span.toMs),
      ms: roundMs(span.toMs - span.fromMs),
    })),
  };
}

/** A movement of the wall clock that anchors show by themselves, ms. */
const anchorStepMs = 500;

/** What to know of the prober that changes no verdict by itself, a sentence each. */
export function proberNotes(log: RunLog): readonly string[] {
  const notes = log.clockSteps.map(({ byMs, cause }) =>
    cause === 'suspend'
      ? `the prober's machine slept for ${durationWords(Math.abs(byMs))}: the run clock stood still meanwhile`
      : movedWords(byMs),
  );
  const { marks, clockSteps } = log;
  if (clockSteps.some((s) => marks.some((m) => m.t >= s.atMs)))
    notes.push(
      'marks of logs that were read after that lie where the wall clock then put them: stages that end with one may be off by as much',
    );
  const moved = movedByAnchors(log);
  if (notes.length === 0 && Math.abs(moved) > anchorStepMs) notes.push(movedWords(moved));
  if (sickMsIn(log) > 0) notes.push(sickWords(log));
  return notes;
}

function movedWords(byMs: number): string {
  return `the wall clock moved against the run clock by ${durationWords(Math.abs(byMs))} (${byMs > 0 ? 'forwards' : 'backwards'}); durations are not touched`;
}

/** How far the wall clock was off by the anchors, at most. */
function movedByAnchors({ anchors: [first, ...later] }: RunLog): number {
  return later
    .map((a) => a.wallMs - first.wallMs - (a.t - first.t))
    .reduce((max, ms) => (Math.abs(ms) > Math.abs(max) ? ms : max), 0);
}
