import type { Analysis } from '../../../../src/analysis/summarize.ts';
import type { Family } from '../drill-script.ts';
import { judged, type Judged } from '../judged.ts';
import type { KnownRun } from '../known-run.ts';
import type { Behavior } from '../service.ts';
import { latencyOf, serviceScript, up } from '../service-case.ts';

/** A drill that did not start from the steady state must not fail, because it proves nothing about the stack. */
function judgeUnsteady({ plan, sent, gates, faults }: KnownRun, { summary }: Analysis): readonly Judged[] {
  const issuedMs = Math.min(...faults.map((fault) => fault.issuedMs));
  const metMs = gates.findLast((g) => g.gate === 'steady' && g.isMet && g.t <= issuedMs)?.t ?? Infinity;
  const timeoutMs = plan.probes[0]?.timeoutMs ?? 0;
  const failed = sent.filter(
    ({ sample }) => sample.status === 'fail' && sample.sendMs > metMs && sample.sendMs + timeoutMs < issuedMs,
  );
  if (failed.length === 0) return [];
  const isFailed = summary.verdict === 'fail' || summary.checks.some(({ status }) => status === 'fail');
  const detail = `${failed.length} samples failed between the gate and the fault; the verdict is ${summary.verdict}`;
  return [judged('not begun from the steady state', isFailed ? 'wrong' : 'right', detail)];
}

const unsteady: Family = {
  name: 'unsteady',
  about: 'a share of the samples times out, from before the gate or from between gate and fault on',
  script: (stage) => {
    const { dice, time } = stage;
    const latency = latencyOf(dice, dice.scale(1, 5));
    const share = dice.between(0.02, 0.6);
    const fromMs = dice.between(0, 5500);
    const untilMs = fromMs + dice.between(1000, 15_000);
    const flaky: Behavior = {
      kind: 'up',
      latencyMs: (nowMs) =>
        nowMs >= fromMs && nowMs < untilMs && dice.chance(share) ? 60_000 : latency.latencyMs(),
    };
    const probe = {
      intervalMs: dice.pick([200, 500, 1000]),
      timeoutMs: dice.pick([500, 900]),
      ...(dice.chance(0.5) ? { burstMs: 100 } : {}),
    };
    const script = serviceScript(stage, {
      probe,
      latency,
      stableForMs: 3000,
      withinMs: 20_000,
      latestAtMs: 6000,
      effects: (service) => [
        { afterMs: 200, act: () => service.set({ kind: 'refuse' }) },
        { afterMs: 2000, act: () => service.set(time.nowMs() < untilMs ? flaky : up(latency)) },
      ],
      heals: () => [],
    });
    const { service } = script.probed('health');
    service.set(flaky);
    const unobserved = dice.chance(0.5) ? ({ actsUnobserved: true } as const) : {};
    return { ...script, ...unobserved, isNotJudged: true, judge: judgeUnsteady };
  },
};

/** Families about the time before the fault. */
export const beforeFamilies: readonly Family[] = [unsteady];
