import type { Analysis } from '../../../src/analysis/summarize.ts';
import type { CheckResult, OwnershipSide, OwnershipWindow } from '../../../src/core/summary.ts';
import { judgeVerdict } from './judge.ts';
import { bounds, type Judged, judged, truthText, verdict } from './judged.ts';
import { longestOf, ownerStates, type OwnerTruth, type StateSpans, totalOf } from './owner-truth.ts';

/** A side with the additional time of each state that is possible between samples, ms. */
type WithUnobserved = OwnershipSide & {
  readonly unobservedMs?: { readonly none: number; readonly multiple: number };
};

/**
 * Judges the times with no owner and with multiple owners, and their checks. Names of checks begin with the state. A limit of
 * 0 applies to the samples only, so such a check is judged by `seen`, which may lack changes that no sample met.
 */
export function judgeOwners(
  { summary, recovery }: Analysis,
  truth: OwnerTruth,
  seen: OwnerTruth,
): readonly Judged[] {
  const side: WithUnobserved | undefined = summary.ownership[0]?.sides[0];
  const zeroMs = recovery?.effect.ms;
  if (side === undefined || zeroMs === undefined) return [];
  return [
    ...stateJudged('none', { side, zeroMs }, truth.none),
    ...stateJudged('multiple', { side, zeroMs }, truth.multiple),
    ...summary.checks.flatMap((check) => checkJudged(check, truth, seen)),
  ];
}

function stateJudged(
  name: 'none' | 'multiple',
  { side, zeroMs }: { readonly side: WithUnobserved; readonly zeroMs: number },
  state: StateSpans,
): readonly Judged[] {
  const windows = side[name];
  const sum = (of: (w: OwnershipWindow) => number): number => windows.reduce((total, w) => total + of(w), 0);
  const total = {
    ms: sum((w) => w.ms),
    minMs: sum((w) => w.minMs),
    maxMs: sum((w) => w.maxMs) + (side.unobservedMs?.[name] ?? 0),
  };
  const certain = windows.filter((w) => w.certain);
  return [
    ...bounds(`${name} total`, total, totalOf(state)),
    ...certain.map((w) => {
      // `fromMs` is the middle of the bounds of its start.
      const fromMs = zeroMs + w.fromMs - w.maxMs;
      const toMs = zeroMs + w.fromMs + w.maxMs;
      const isSo = state.most.some((span) => span.fromMs <= toMs && span.toMs >= fromMs);
      return judged(
        `${name} certain`,
        isSo ? 'held' : 'violated',
        `${w.minMs} to ${w.maxMs} ms from ${w.fromMs} ms after the fault on`,
      );
    }),
  ];
}

function checkJudged(check: CheckResult, truth: OwnerTruth, seen: OwnerTruth): readonly Judged[] {
  const toleranceMs = check.kind === 'never' ? Number(check.name.split(' ')[1]) : undefined;
  const reported = (toleranceMs ?? check.limits?.maxMs) === 0 ? seen : truth;
  const about = ownerStates.find((name) => check.name.startsWith(name));
  if (about === undefined) return [];
  const state = reported[about];
  if (check.kind === 'ownership')
    return verdict(check, totalOf(state)).map((one) =>
      about === 'differs' ? { ...one, figure: 'check ownership differs' } : one,
    );
  if (toleranceMs === undefined) return [];
  const longest = longestOf(state);
  const outcome = judgeVerdict(check.status, { maxMs: toleranceMs }, longest);
  return [judged('check never', outcome, `${check.status}: ${check.observed}; ${truthText(longest)}`)];
}
