import { describe, expect, test } from 'vitest';
import { LogBuilder, planWith, probeOf } from '../analysis/testing/log-builder.ts';
import { summarize } from '../analysis/summarize.ts';
import type { MachinePressure } from '../core/event.ts';
import { renderMarkdown } from './markdown.ts';
import { renderMetrics } from './openmetrics.ts';
import { htmlOf } from './testing/html-of.ts';
import { renderVerdictText } from './verdict-text.ts';
import { renderWatchText } from './watch-text.ts';

const pressure = (more: Partial<MachinePressure>, somePct: number | null, runQueue = 2) =>
  ({
    type: 'machine.pressure',
    machine: '757f4631',
    prober: true,
    hosts: ['node-1', 'node-2'],
    overMs: 1000,
    cpu: { somePct, busyPct: 50, stealPct: 0, runQueue, cores: 2 },
    memory: { somePct: 0, fullPct: 0 },
    io: { somePct: 0, fullPct: 0 },
    targetCpuPct: 60,
    harnessCpuPct: 20,
    ...more,
  }) as const;

/** A drill of 40 s. The prober's machine is starved from 14 s to 18 s; the other machine has no PSI. */
function drill(): LogBuilder {
  const log = new LogBuilder(
    planWith({
      probes: [probeOf('health')],
      faults: [{ id: 'fault-1', kind: 'process.kill', on: { host: 'node-1' }, atMs: 0, params: {} }],
      recovery: { probe: 'health', withinMs: 20_000, stableForMs: 5000 },
    }),
  )
    .at(1, { type: 'control.started', everyMs: 500, workMs: 7.5 })
    .at(9000, { type: 'gate', gate: 'steady', state: 'met', unmet: [] })
    .probing('health', 100, 40_000, 1000, (ms) => ({ status: 'ok', finishMs: ms + 5 }))
    .fault(10_000, { healedMs: 35_000 })
    .at(30_000, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
    .at(40_000, { type: 'run.ended' });
  for (let t = 500; t < 40_000; t += 500) {
    const wallMs = t > 14_000 && t <= 18_000 ? 40 : 8;
    log.at(t, { type: 'control.sample', finishMs: t, wallMs, cpuMs: 8 });
  }
  for (let t = 1000; t <= 39_000; t += 1000) {
    log.at(t, pressure({}, t > 20_000 ? 60 : t > 14_000 ? 90 : 10));
    log.at(t, pressure({ machine: '11111111', prober: false, hosts: ['vip'], targetCpuPct: null }, null));
  }
  return log;
}

describe('the report of a drill with a control', () => {
  const built = drill();
  const log = built.read();
  const summary = summarize(log);

  test('has the control and each machine in the prober section', () => {
    const prober = /^## Prober\n[^]*?(?=\n## )/m.exec(renderMarkdown(summary, log))?.[0];
    expect(prober).toMatchInlineSnapshot(`
      "## Prober

      |  |  |
      | --- | --- |
      | control | 79 samples, dilation p50 1.0 x, p99 5.0 x, max 5.0 x, starved for 4.49 s in 1 interval |
      | prober's machine (node-1, node-2) | CPU pressure p50 10 %, max 10 % before the fault, p50 60 %, max 90 % after it, other programs took 10 % of its CPU after the fault |
      | machine (vip) | run queue p50 2, max 2 before the fault, p50 2, max 2 after it |

      | starved from | to | for |
      | --- | --- | --- |
      | 2026-03-01T10:00:14.000Z | 2026-03-01T10:00:18.492Z | 4.49 s |

      The control uses 7.5 ms of CPU time on the prober's machine twice a second. Its dilation is the wall time divided by the CPU time: about 1.0 x on a quiet machine. Above 2.5 x the machine is starved. The target runs on the same machine, so a sample that fails while the machine is starved counts as failed. A check that fails while other programs took more than 25 % of its CPU is inconclusive.
      "
    `);
  });

  test('has the control in the texts, the event log, and the metrics', () => {
    const line =
      'control   79 samples, dilation p50 1.0 x, p99 5.0 x, max 5.0 x, starved for 4.49 s in 1 interval';
    expect(renderVerdictText(summary)).toContain(line);
    expect(renderWatchText(summary)).toContain("prober's control: 79 samples");
    expect(renderWatchText(summary)).toContain(
      'machine (vip): run queue p50 2, max 2 before the fault, p50 2, max 2 after it\n',
    );
    expect(renderMarkdown(summary, log)).toContain("the prober's machine is starved of CPU |");
    const metrics = renderMetrics([summary]);
    expect(metrics).toMatch(/^firedrill_drill_prober_starved_seconds\{[^}]*\} 4\.49\d*$/m);
    expect(metrics).toMatch(/^firedrill_drill_prober_dilation\{[^}]*stat="max"\} 5$/m);
  });

  test('has a band for each machine in the timeline', () => {
    const page = htmlOf(built);
    const words = [...page.matchAll(/role="img"\s+aria-label="([^"]*)"/g)].map((m) => m[1]);
    expect(words).toContain(
      'prober&#39;s machine (node-1, node-2): short of CPU for 19.00 s, starved of CPU for 10.49 s',
    );
    expect(words).toContain('machine (vip): never short of CPU');
    expect(page).toContain('CPU pressure up to 90 %');
  });
});
