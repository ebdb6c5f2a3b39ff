import type { CheckResult } from '../../../src/core/summary.ts';
import { type KnownRun, waitOverMs } from './known-run.ts';
import { judged, type Judged } from './judged.ts';
import type { Owned } from './owned.ts';
import type { OwnerTruth } from './owner-truth.ts';
import { contains, spansOf } from './spans.ts';

/** Whether a host may count as an owner at a moment, and whether it may count as not an owner. */
interface Possible {
  readonly yes: boolean;
  readonly no: boolean;
}

/** A sample is fresh until three intervals plus a timeout after its send time, and may take one more timeout to finish. */
function staleAfterMs({ plan }: KnownRun): number {
  const probe = plan.probes.find(({ host }) => host !== undefined);
  return probe === undefined ? 0 : 3 * probe.intervalMs + 2 * probe.timeoutMs;
}

function possibleAt(owned: Owned, atMs: number, sinceMs: number): Possible {
  const window = { fromMs: sinceMs, toMs: atMs };
  const meets = (isOwner: boolean): boolean =>
    spansOf(owned.changes, isOwner, Infinity).some(
      (span) => contains(span, atMs) || (span.fromMs < window.toMs && span.toMs > window.fromMs),
    );
  return { yes: meets(true), no: meets(false) };
}

/** Judges checks on the role `owner`, which `node-1` held before the fault. */
export function judgeRoles(
  check: CheckResult,
  known: KnownRun,
  { owners, truth }: { readonly owners: ReadonlyMap<string, Owned>; readonly truth: OwnerTruth },
): readonly Judged[] {
  const { range, hosts } = truth;
  const staleMs = staleAfterMs(known);
  const at = (host: string, ms: number): Possible => {
    const owned = owners.get(host);
    return owned === undefined ? { yes: false, no: true } : possibleAt(owned, ms, ms - staleMs);
  };
  const waitedMs = Math.min(waitOverMs(known), range.toMs);
  const spansAfter = (kind: 'full' | 'fewest'): boolean =>
    (hosts.get('node-2')?.[kind] ?? []).some((span) => span.toMs > range.fromMs);
  const reported = (canPass: boolean, canFail: boolean): readonly Judged[] => {
    const isWrong = check.status === 'pass' ? !canPass : check.status === 'fail' && !canFail;
    const outcome = check.status === 'inconclusive' ? 'inconclusive' : isWrong ? 'wrong' : 'right';
    return [judged(`check ${check.kind}`, outcome, `${check.status}: ${check.observed}`)];
  };
  const [first, second] = [at('node-1', waitedMs), at('node-2', waitedMs)];
  const last = at('node-1', range.toMs);
  switch (check.kind) {
    case 'role-moved':
      return reported(first.no && second.yes, first.yes || second.no);
    case 'role-stays':
      return reported(!spansAfter('fewest') && last.yes, spansAfter('full') || last.no);
    case 'finally':
      return reported(last.yes, last.no);
    default:
      return [];
  }
}
