import type { BurstEffect, RateFigures } from '../core/burst-effect.ts';
import { durationText, limitText } from '../core/format-duration.ts';
import type { Finding } from '../core/finding.ts';
import type { Plan } from '../core/plan.ts';
import type { DurationMs } from '../core/time.ts';
import { kindsFor } from '../extension/load.ts';
import { drillTime } from '../model/drill-time.ts';
import { loadAdvice, loadText } from '../scenario/load-text.ts';
import { probingLoad } from '../scenario/probing-load.ts';
import type { TargetPlan } from '../scenario/target-planner.ts';

/**
 * The load of probing on the stack, for each drill. Drills with the same load share a line. Without drills: the load of all
 * probes of the target.
 */
export function loadFindings(target: TargetPlan, plans: readonly Plan[]): Finding[] {
  if (plans.length === 0) {
    return [loadFinding('load of all probes', { ...target, writers: [] })];
  }
  const byLoad = Map.groupBy(plans, (plan) => {
    const kinds = kindsFor(plan);
    return JSON.stringify([probingLoad(plan, kinds), loadAdvice(plan, kinds)]);
  });
  return [...byLoad.values()].flatMap(([plan, ...others]) => {
    if (plan === undefined) return [];
    return [loadFinding(`load of ${nameWith(plan, others.length)}`, plan)];
  });
}

function loadFinding(
  name: string,
  plan: Parameters<typeof loadAdvice>[0] & Pick<Plan, 'extensions'>,
): Finding {
  const kinds = kindsFor(plan);
  const { base, burst } = probingLoad(plan, kinds);
  const observed = `${loadText(base)}; in the burst ${loadText(burst)}`;
  const advice = loadAdvice(plan, kinds);
  if (advice.length === 0) return { name, status: 'ok', observed };
  return {
    name,
    status: 'warn',
    observed: [observed, ...advice.map(({ text }) => text)].join('; '),
    hint: advice.map(({ hint }) => hint).join('; '),
  };
}

/** The predicted duration of each drill whose RTO has a model. Drills of the same duration share a line. */
export function timeFindings(plans: readonly Plan[]): Finding[] {
  const timed = plans.flatMap((plan) => {
    const time = drillTime(plan);
    return time === undefined ? [] : [{ plan, time }];
  });
  const byTime = Map.groupBy(timed, ({ time }) => JSON.stringify(time));
  return [...byTime.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const { plan, time } = first;
    return [
      {
        name: `time of ${nameWith(plan, others.length)}`,
        status: 'ok',
        observed: `about ${durationText(time.medianMs)}, in the slow case ${durationText(time.slowMs)}, predicted by the target's models, without preparations, heal, and return`,
      },
    ];
  });
}

function nameWith({ scenario }: Plan, others: number): string {
  return others === 0 ? scenario.name : `${scenario.name} and ${others} more`;
}

/** Share of the timeout that the p90 of good answers may take. In drills that failed falsely it took 0.71 to 0.81, in good ones 0.02 to 0.19. */
const tightShare = 0.5;
/** If the p90 in the burst is longer by more than this factor, the burst slows the answers. */
const slowedTimes = 3;
/** Below this p90, ms, a longer answer is not a sign of load. */
const slowedFromMs = 20;

/** The measured effect of the burst on each probe. */
export function burstFindings(effects: readonly BurstEffect[]): Finding[] {
  return effects.map((effect) => {
    const { probe, base, burst } = effect;
    const every = limitText(probe.burstIntervalMs ?? probe.intervalMs);
    const ratio =
      base.p90Ms === null || burst.p90Ms === null || base.p90Ms === 0
        ? ''
        : `, ${(burst.p90Ms / base.p90Ms).toFixed(1)} times the base p90`;
    const name = `burst ${probe.id}`;
    const observed = `base ${rateText(base)}; burst, every ${every}, ${rateText(burst)}${ratio}`;
    const why = whyTooMuch(effect);
    return why === undefined
      ? { name, status: 'ok', observed }
      : {
          name,
          status: 'warn',
          observed: `${observed}: ${why}`,
          hint: 'Set a longer `burst` for the probes that open the most connections (`firedrill plan` names them), or run firedrill on a separate machine.',
        };
  });
}

/** `p50 12 ms, p90 20 ms, 40 samples`, with the failed, unknown, and unsent samples. */
function rateText({ sent, dropped, failed, unknown, p50Ms, p90Ms }: RateFigures): string {
  const lost = [
    failed > 0 ? `${failed} failed` : '',
    unknown > 0 ? `${unknown} unknown` : '',
    dropped > 0 ? `${dropped} not sent` : '',
  ].filter(Boolean);
  const latency =
    p50Ms === null || p90Ms === null ? 'no good answer' : `p50 ${tenths(p50Ms)}, p90 ${tenths(p90Ms)}`;
  return `${latency}, ${sent} samples${lost.length === 0 ? '' : ` (${lost.join(', ')})`}`;
}

/** Why the burst is too much; undefined if it is not. Failures are not counted if the base rate has failures, too. */
function whyTooMuch({ probe, base, burst }: BurstEffect): string | undefined {
  if (burst.dropped > 0) return 'samples were not sent, because too many earlier ones had no answer yet';
  if (base.failed + base.unknown === 0 && burst.failed + burst.unknown > 0)
    return 'samples fail only in the burst';
  if (burst.p90Ms === null) return undefined;
  if (burst.p90Ms > probe.timeoutMs * tightShare)
    return `answers take more than half of the timeout (${limitText(probe.timeoutMs)})`;
  const slowed = base.p90Ms !== null && burst.p90Ms > base.p90Ms * slowedTimes;
  return slowed && burst.p90Ms > slowedFromMs ? 'answers are slower in the burst' : undefined;
}

function tenths(ms: DurationMs): string {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
