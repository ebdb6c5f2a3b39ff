import type { Analysis } from '../../../../src/analysis/summarize.ts';
import type { Family, Step } from '../drill-script.ts';
import { judged, type Judged } from '../judged.ts';
import { judgeCompleteness, judgeSlowWindows, judgeWindows, windowText } from '../judge-windows.ts';
import type { KnownRun } from '../known-run.ts';
import type { Behavior } from '../service.ts';
import { latencyOf, serviceScript } from '../service-case.ts';
import { outagesOf } from '../sight.ts';
import { failing, outage } from '../service-family.ts';

function judgeWatch(known: KnownRun, analysis: Analysis, lateMs: number): readonly Judged[] {
  const windows = analysis.windows.get('health') ?? [];
  const outages = outagesOf(known, 'health', lateMs);
  const detail = windowText(windows);
  return [
    ...judgeWindows(windows, outages).map((outcome) => judged('window', outcome, detail)),
    ...judgeSlowWindows(windows, outages).map((outcome) => judged('slow window', outcome, detail)),
    ...judgeCompleteness(windows, outages).map((outcome) => judged('outage found', outcome, detail)),
  ];
}

const watch: Family = {
  name: 'watch',
  about: 'a watch without a fault; the service stalls and fails at times',
  script: (stage) => {
    const { dice } = stage;
    const latency = latencyOf(dice, dice.scale(1, 10));
    const watchMs = dice.between(20_000, 40_000);
    const intervalMs = dice.pick([50, 100, 200, 1000]);
    const script = serviceScript(stage, {
      probe: { intervalMs, timeoutMs: 900 },
      latency,
      stableForMs: 5000,
      effects: () => [],
    });
    const { service } = script.probed('health');
    const steps: Step[] = [];
    const share = dice.between(0, 1);
    let atMs = dice.between(3000, 8000);
    while (atMs < watchMs - 5000) {
      const lengthMs = dice.scale(100, 2000);
      const down: Behavior = dice.chance(share) ? { kind: 'hang' } : failing(dice);
      steps.push(...outage(service, latency, atMs, lengthMs, down));
      atMs += lengthMs + dice.scale(500, 15_000);
    }
    return {
      ...script,
      watchMs,
      background: steps,
      judge: (known, analysis) => judgeWatch(known, analysis, latency.lateMs),
    };
  },
};

/** Families about runs without a fault. */
export const watchFamilies: readonly Family[] = [watch];
