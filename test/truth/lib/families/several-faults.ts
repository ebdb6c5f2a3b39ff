import type { Analysis } from '../../../../src/analysis/summarize.ts';
import type { Dice } from '../dice.ts';
import type { Family, FaultScript } from '../drill-script.ts';
import { judgedFigures } from '../figures.ts';
import { bounds, type Judged, verdict } from '../judged.ts';
import type { KnownRun } from '../known-run.ts';
import { msText, targetContent } from '../plan-text.ts';
import { Service } from '../service.ts';
import { type Latency, latencyOf, up } from '../service-case.ts';
import { failing, outage, usualProbe } from '../service-family.ts';

/** One fault of the scenario; times in ms. */
interface PlannedScript {
  readonly id: string;
  readonly atMs: number;
  readonly forMs: number | undefined;
}

function plannedScripts(dice: Dice): readonly PlannedScript[] {
  return Array.from({ length: dice.pick([2, 2, 3]) }, (_, index) => ({
    id: `fault-${index + 1}`,
    atMs: index === 0 ? dice.between(0, 1000) : dice.scale(200, 20_000),
    forMs: dice.chance(0.5) ? dice.scale(500, 20_000) : undefined,
  }));
}

/** Some of: an outage soon after the effect, a later outage, and an outage after the heal. */
function scriptOf(dice: Dice, service: Service, latency: Latency, { id }: PlannedScript): FaultScript {
  const some = (share: number, fromMs: number, lengthMs: number) =>
    dice.chance(share) ? outage(service, latency, fromMs, lengthMs, failing(dice)) : [];
  return {
    id,
    actsAfterMs: dice.scale(1, 1000),
    acknowledgedAfterMs: dice.scale(1, 200),
    effects: [
      ...some(0.8, dice.scale(1, 3000), dice.scale(50, 9000)),
      ...some(0.3, dice.scale(3000, 15_000), dice.scale(50, 4000)),
    ],
    heals: [
      { afterMs: 0, act: () => service.set(up(latency)) },
      ...some(0.4, dice.scale(1, 2000), dice.scale(50, 3000)),
    ],
    healTakesMs: dice.between(5, 200),
  };
}

function judgeFigures(known: KnownRun, { summary }: Analysis, lateMs: number): readonly Judged[] {
  const { rto, downtime, healOutage } = judgedFigures(known, { lateMs });
  const truths = { rto, downtime, 'heal-outage': healOutage };
  return [
    ...bounds('RTO', summary.rto, rto),
    ...bounds('downtime', summary.downtime, downtime),
    ...bounds('heal outage', summary.heal?.outage, healOutage),
    ...summary.checks.flatMap((check) =>
      check.kind in truths ? verdict(check, truths[check.kind as keyof typeof truths]) : [],
    ),
  ];
}

const severalFaults: Family = {
  name: 'several-faults',
  about:
    'two or three overlapping faults, with or without `for`; their heals may cause outages, and the prober may stall',
  script: ({ dice, time, stalls }) => {
    const latency = latencyOf(dice);
    const service = new Service(time, up(latency), { wayMs: () => dice.between(0.05, 0.5) });
    const planned = plannedScripts(dice);
    const phase = dice.between(0, 1);
    for (let left = dice.chance(0.3) ? 3 : 0; left > 0; left--) {
      const fromMs = dice.between(5000, 40_000);
      stalls.push({ fromMs, toMs: fromMs + dice.scale(20, 2000) });
    }
    return {
      target: targetContent([{ id: 'health', ...usualProbe(dice) }], {
        steady: { for: '2s', within: '60s', require: [{ probe: 'health' }] },
      }),
      scenario: {
        name: 'simulated',
        title: 'Simulated',
        faults: planned.map(({ id, atMs, forMs }, index) => ({
          id,
          kind: 'container.stop',
          on: index === 0 ? 'node-1' : 'node-2',
          container: id,
          at: msText(atMs),
          ...(forMs === undefined ? {} : { for: msText(forMs) }),
        })),
        recovery: {
          probe: 'health',
          within: '60s',
          stableFor: msText(dice.pick([1000, 3000, 5000])),
          quietFor: '6s',
        },
        redundancy: { for: '1s', within: '30s' },
      },
      probed: () => ({ service, phase }),
      faults: planned.map((one) => scriptOf(dice, service, latency, one)),
      tailMs: dice.between(500, 9000),
      lateMs: latency.lateMs,
      isNotJudged: true,
      checks: (known) => judgedFigures(known, latency).checks(dice),
      judge: (known, analysis) => judgeFigures(known, analysis, latency.lateMs),
    };
  },
};

export const severalFaultsFamilies: readonly Family[] = [severalFaults];
