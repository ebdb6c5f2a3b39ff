import { join } from 'node:path';
import { readLogFile } from '../../src/cli/run-folder.ts';
import { percentile } from '../../src/analysis/latency-model.ts';
import { startFaultServer } from '../fault-server/start.ts';
import { loggedSamples } from '../logged-samples.ts';
import { monoMs, pause } from '../mono.ts';
import { cpuShare, processUsage } from '../process-usage.ts';
import { httpProbe } from '../prober/plan.ts';
import { startBenchProber } from '../prober/start.ts';
import type { BenchContext } from './part.ts';

/** The prober at one rate of new connections. */
export interface RateResult {
  readonly requestedPerSecond: number;
  readonly perSecond: number;
  readonly samples: number;
  readonly dropped: number;
  /** Samples that were not OK although the target was up. */
  readonly bad: number;
  readonly latenessP50Ms: number;
  readonly latenessP99Ms: number;
  readonly latenessMaxMs: number;
  readonly latencyP99Ms: number;
  /** Share of one core: the whole process, including the log. */
  readonly cpuShare: number;
  readonly maxRssBytes: number;
}

const intervalMs = 100;
const ratesPerSecond = [1000, 2000, 3000];

/** Measures how many new connections per second the prober can open without late sends. */
export async function runCapacity(
  context: BenchContext,
  rates = ratesPerSecond,
): Promise<readonly RateResult[]> {
  const server = await startFaultServer({ host: '127.0.0.1', tracks: 0 });
  try {
    const results: RateResult[] = [];
    for (const perSecond of rates) {
      context.report(`${perSecond} new connections per second`);
      results.push(await runRate(context, perSecond, `http://127.0.0.1:${server.plainPort}/`));
    }
    return results;
  } finally {
    await server.stop();
  }
}

async function runRate(context: BenchContext, requestedPerSecond: number, url: string): Promise<RateResult> {
  const logPath = join(context.folder, `capacity-${requestedPerSecond}.ndjson`);
  const probes = Array.from({ length: (requestedPerSecond * intervalMs) / 1000 }, (_, index) =>
    httpProbe(`p${index}`, url, { intervalMs }),
  );
  const prober = await startBenchProber({ probes, logPath });
  await pause(context.quick ? 1000 : 5000);
  const fromMs = monoMs() - prober.originMs;
  const before = processUsage(prober.pid);
  await pause(context.quick ? 3000 : 15_000);
  const after = processUsage(prober.pid);
  const untilMs = monoMs() - prober.originMs;
  await prober.stop();
  const series = [...readLogFile(logPath).series.values()];
  const samples = loggedSamples(logPath).filter((sample) => sample.dueMs >= fromMs && sample.dueMs < untilMs);
  const lateness = samples.map((s) => s.sendMs - s.dueMs).sort((a, b) => a - b);
  const latency = samples.map((s) => s.finishMs - s.sendMs).sort((a, b) => a - b);
  return {
    requestedPerSecond,
    perSecond: Math.round((samples.length * 1000) / (untilMs - fromMs)),
    samples: samples.length,
    dropped: series.flatMap((one) => one.dropped).length,
    bad: samples.filter((s) => s.status !== 'ok').length,
    latenessP50Ms: percentile(lateness, 0.5),
    latenessP99Ms: percentile(lateness, 0.99),
    latenessMaxMs: lateness.at(-1) ?? 0,
    latencyP99Ms: percentile(latency, 0.99),
    cpuShare: cpuShare(before, after),
    maxRssBytes: after.maxRssBytes,
  };
}
