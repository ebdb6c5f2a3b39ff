import { durationWords } from '../core/format-duration.ts';
import type { Condition, GateCondition } from '../core/condition.ts';
import { type ConditionInterval, intervalsIn, truthOfAll } from './intervals.ts';
import type { KeptSample } from './kept-samples.ts';
import { sightGaps, valueGaps } from './missing-values.ts';
import type { JudgedCheck } from './outcome.ts';
import type { ProbeSeries, RunLog } from './read-log.ts';
import { recoverySeries } from './rto.ts';
import { degradedSpans, degradedWords } from './degraded.ts';
import { viewsOf } from './unobserved.ts';
import { listWords } from './words.ts';

/**
 * Checks whose outcome hangs on what is in doubt: where they come out otherwise when it is taken the other way, they are
 * inconclusive, and say why. Both lists are in the plan's order.
 */
export function doubted(
  checks: readonly JudgedCheck[],
  otherwise: readonly JudgedCheck[],
  why: string,
): readonly JudgedCheck[] {
  return checks.map((check, index) => {
    const other = otherwise[index];
    if (other === undefined || other.result.status === check.result.status) return check;
    const reason = check.reason ?? other.reason ?? 'it could come out either way';
    return { result: { ...check.result, status: 'inconclusive' }, reason: `${reason}: ${why}` };
  });
}

/** Failed checks of a drill that did not begin from the steady state: they prove nothing against the stack. */
export function unproven(checks: readonly JudgedCheck[]): readonly JudgedCheck[] {
  return checks.map((check) =>
    check.result.status === 'fail'
      ? { ...check, result: { ...check.result, status: 'inconclusive' } }
      : check,
  );
}

/** A gate that waits for the service or for redundancy. */
type AwaitedGate = 'recovery' | 'redundancy';

/**
 * Why it is not known that a gate which timed out was missed; null when it is: what it waits for may have held for as long
 * as it must, while the prober was degraded, while samples failed that have no value, or while the observer was broken or sent none.
 */
export function gateDoubt(log: RunLog, gate: AwaitedGate): string | null {
  const out = log.gates.findLast((g) => g.gate === gate && g.state === 'timeout');
  if (out === undefined) return null;
  const { recovery, redundancy } = log.plan;
  const [require, forMs]: readonly [readonly GateCondition[], number] =
    gate === 'recovery' ? [[serviceIsUp(log)], recovery.stableForMs] : [redundancy.require, redundancy.forMs];
  const range = {
    fromMs: log.phases.findLast((p) => p.phase === gate && p.t <= out.t)?.t ?? log.startMs,
    toMs: out.t,
  };
  const spans = degradedSpans(log);
  const longEnough = (seen: RunLog): readonly ConditionInterval[] =>
    intervalsIn(truthOfAll(seen, require, range), 'yes').filter((i) => i.maxMs >= forMs);
  const hidden = longEnough(log).some((i) => spans.some((s) => s.fromMs < i.endHiMs && s.toMs > i.startLoMs));
  if (hidden) return degradedWords(log, range.fromMs, range.toMs);
  const seen = require.reduce((view, condition) => viewsOf(view, condition).asCounted, log);
  const isOpen = longEnough(seen).length > 0 && longEnough(withUntoldAsDown(seen)).length === 0;
  if (!isOpen) return null;
  const roles = require.flatMap(({ role }) => (role === undefined ? [] : (log.plan.roles[role] ?? [])));
  const words = [...require, ...roles].flatMap((condition) => [
    ...valueGaps(seen, condition, range),
    ...sightGaps(seen, condition, range),
  ]);
  return listWords([...new Set(words)]);
}

/** The log as it would be if each slot without a good sample showed that nothing runs there. */
function withUntoldAsDown(log: RunLog): RunLog {
  const down = (s: KeptSample): KeptSample =>
    s.status === 'ok' ? s : { ...s, status: 'fail', provenDown: true };
  const series = [...log.series].map(([id, one]): [string, ProbeSeries] => {
    const unsent = one.dropped.map(({ slot, dueMs }): KeptSample => ({
      probe: id,
      slot,
      dueMs,
      sendMs: dueMs,
      finishMs: dueMs,
      status: 'fail',
      provenDown: true,
    }));
    const samples = [...one.samples.map(down), ...unsent].sort((a, b) => a.sendMs - b.sendMs);
    return [id, { ...one, samples }];
  });
  return { ...log, series: new Map(series) };
}

function serviceIsUp(log: RunLog): Condition {
  const { name, host } = recoverySeries(log).probe;
  return { probe: name, ...(host === undefined ? {} : { host }) };
}

/**
 * The log with the marks of hosts' logs as they lie if the clocks that stamped them were not set together with ours; the
 * same log where no mark was read after a movement of the wall clock. Wall time is laid onto the run clock by where the
 * two stand when a line is read: a line stamped before our clock was set, or by a clock that was not, lies off by that.
 */
export function withMarksShifted(log: RunLog): RunLog {
  const { clockSteps } = log;
  if (clockSteps.length === 0 || !log.marks.some((m) => clockSteps.some((s) => s.atMs <= m.t))) return log;
  const marks = log.marks.map((mark) => {
    const byMs = clockSteps.reduce((sum, s) => sum + (s.atMs <= mark.t ? s.byMs : 0), 0);
    // Nothing is read before it is stamped.
    const shifted = (ms: number): number => Math.min(mark.t, ms + byMs);
    const { minMs, maxMs } = mark;
    return {
      ...mark,
      atMs: shifted(mark.atMs),
      ...(minMs === undefined ? {} : { minMs: shifted(minMs) }),
      ...(maxMs === undefined ? {} : { maxMs: shifted(maxMs) }),
    };
  });
  return { ...log, marks: marks.sort((a, b) => a.atMs - b.atMs) };
}

/** What is in doubt where marks are. */
export function marksWords({ clockSteps }: RunLog): string {
  const largest = clockSteps.reduce((max, s) => Math.max(max, Math.abs(s.byMs)), 0);
  return `the wall clock of the prober's machine was moved by ${durationWords(largest)} while logs were read, so that their marks may be off by as much; keep the clocks disciplined`;
}
