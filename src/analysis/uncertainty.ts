import { durationText } from '../core/format-duration.ts';
import type { Condition, GateCondition } from '../core/condition.ts';
import { earliest, later, type RunMs } from '../core/time.ts';
import { type ConditionInterval, intervalsIn, truthOfAll } from './intervals.ts';
import type { KeptSample } from './kept-samples.ts';
import { sampleGaps, valueGaps } from './missing-values.ts';
import type { JudgedCheck } from './outcome.ts';
import type { ProbeSeries, RunLog } from './run-log.ts';
import { recoverySeries } from './rto.ts';
import { degradedSpans, degradedText } from './degraded.ts';
import { viewsOf } from './unobserved.ts';
import { listText } from './format.ts';

/**
 * Makes checks inconclusive if their status depends on uncertain data: `checks` and `otherwise` are judged under opposite
 * assumptions, and their statuses differ. Both lists are in the plan's order.
 */
export function withUncertainty(
  checks: readonly JudgedCheck[],
  otherwise: readonly JudgedCheck[],
  why: string,
): readonly JudgedCheck[] {
  return checks.map((check, index) => {
    const other = otherwise[index];
    if (other === undefined || other.result.status === check.result.status) return check;
    const reason = check.reason ?? other.reason ?? 'the check could pass or fail';
    return { result: { ...check.result, status: 'inconclusive' }, reason: `${reason}: ${why}` };
  });
}

/**
 * Failed checks of a drill that did not begin from the steady state become inconclusive: the fault may
 * not be their cause.
 */
export function unproven(checks: readonly JudgedCheck[]): readonly JudgedCheck[] {
  return checks.map((check) =>
    check.result.status === 'fail'
      ? { ...check, result: { ...check.result, status: 'inconclusive' } }
      : check,
  );
}

/** A gate that waits for the service, or for redundancy. */
type AwaitedGate = 'recovery' | 'redundancy';

/**
 * Why it is unknown whether a gate that timed out was really missed; null if it was, or did not time out. Its condition may
 * have held for long enough during uncertain data. The prober was degraded, samples without a value failed, or samples
 * were lost or not sent.
 */
export function gateUncertainty(log: RunLog, gate: AwaitedGate): string | null {
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
  if (hidden) return degradedText(log, range.fromMs, range.toMs);
  const seen = require.reduce((view, condition) => viewsOf(view, condition).asCounted, log);
  const isOpen = longEnough(seen).length > 0 && longEnough(withUnreportedAsDown(seen)).length === 0;
  if (!isOpen) return null;
  const roles = require.flatMap(({ role }) => (role === undefined ? [] : (log.plan.roles[role] ?? [])));
  const words = [...require, ...roles].flatMap((condition) => [
    ...valueGaps(seen, condition, range),
    ...sampleGaps(seen, condition, range),
  ]);
  return listText([...new Set(words)]);
}

/** The log if each slot without a good sample proved that the target was down. */
function withUnreportedAsDown(log: RunLog): RunLog {
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
 * The log with its marks shifted by the wall clock's movements; the same log if no mark was read after a movement. A log
 * line's wall time is converted to the run clock by the offset at the time of reading. The movement makes a line wrong if
 * the line was stamped before our clock was set, or by a clock that was not set with it.
 */
export function withMarksShifted(log: RunLog): RunLog {
  const { clockSteps } = log;
  if (clockSteps.length === 0 || !log.marks.some((m) => clockSteps.some((s) => s.atMs <= m.t))) return log;
  const marks = log.marks.map((mark) => {
    const byMs = clockSteps.reduce((sum, s) => sum + (s.atMs <= mark.t ? s.byMs : 0), 0);
    // A line cannot be read before it is stamped.
    const shifted = (atMs: RunMs): RunMs => earliest(mark.t, later(atMs, byMs));
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

/** Why marks are uncertain. */
export function marksText({ clockSteps }: RunLog): string {
  const largest = clockSteps.reduce((max, s) => Math.max(max, Math.abs(s.byMs)), 0);
  return `the wall clock of the prober's machine was moved by ${durationText(largest)} while logs were read, so the times of their marks may be wrong by that much; synchronize the clocks with NTP before the drill`;
}
