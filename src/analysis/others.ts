import { durationText } from '../core/format-duration.ts';
import { othersLimitPct } from '../core/starvation-limits.ts';
import { distantFuture, earliest, type RunMs } from '../core/time.ts';
import { othersIn } from './machine-record.ts';
import type { Evidence, JudgedCheck } from './outcome.ts';
import { waitOverMs } from './rto.ts';
import { firstIssuedMs, type RunLog } from './run-log.ts';
import { listText } from './format.ts';

/**
 * Why other programs and not the stack may have caused a failure that was decided at a moment; null if they did not, or if it
 * is unknown. The machine carries both the target and firedrill. Other programs used more than `othersLimitPct` of its CPU
 * from the fault until that moment, or may have while a host was not read. Unknown: the hosts have machines of their own,
 * their control groups were not read, or the log is old.
 */
export function othersUncertainty(log: RunLog, untilMs: RunMs): string | null {
  const machine = log.machines.find((m) => m.prober && m.hosts.length > 0);
  const fromMs = firstIssuedMs(log);
  if (machine === undefined || untilMs <= fromMs) return null;
  const share = othersIn(machine, fromMs, untilMs);
  if (share === null || share.othersPct <= othersLimitPct) return null;
  const { othersPct, busyPct, unread } = share;
  const took = unread === undefined ? 'used' : 'may have used up to';
  const gap =
    unread === undefined
      ? ''
      : `; the CPU time of ${listText(unread.hosts)} was not read for ${durationText(unread.ms)} of it`;
  return `other programs ${took} ${Math.round(othersPct)} % of this machine's CPU from the fault until this was decided (limit ${othersLimitPct} %; all programs together used ${Math.round(busyPct)} %${gap}): stop them, or run the drill on a quieter machine`;
}

/** Makes failed checks inconclusive if other programs may be the cause. Passed checks stay passed. */
export function withoutOthers(evidence: Evidence, checks: readonly JudgedCheck[]): readonly JudgedCheck[] {
  return checks.map((check) => {
    if (check.result.status !== 'fail') return check;
    const uncertainty = othersUncertainty(evidence.log, decidedMs(evidence, check.result.kind));
    if (uncertainty === null) return check;
    const reason = check.reason === null ? uncertainty : `${check.reason}, but ${uncertainty}`;
    return { result: { ...check.result, status: 'inconclusive' }, reason };
  });
}

/**
 * The moment at which a check of that kind was decided: the recovery, the redundancy, or the end of
 * the wait for it.
 */
function decidedMs({ log, recovery }: Evidence, kind: string): RunMs {
  switch (kind) {
    case 'rto':
    case 'no-recovery':
    case 'role-moved':
    case 'role-stays':
      return earliest(recovery?.recovered?.hiMs ?? distantFuture, waitOverMs(log), log.endMs);
    case 'redundancy':
    case 'return':
      return earliest(log.gates.findLast((g) => g.gate === 'redundancy')?.t ?? distantFuture, log.endMs);
    default:
      return log.endMs;
  }
}
