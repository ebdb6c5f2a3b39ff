import { join } from 'node:path';
import { percentile } from '../../src/analysis/latency-model.ts';
import { readLogFile } from '../../src/cli/run-folder.ts';
import { startHostileServers } from '../../src/net/testing/hostile-servers.ts';
import { loggedSamples, type LoggedSample } from '../logged-samples.ts';
import { monoMs, pause } from '../mono.ts';
import { probeWith } from '../prober/plan.ts';
import { processUsage } from '../process-usage.ts';
import { startBenchProber } from '../prober/start.ts';
import type { BenchContext } from './part.ts';

/** Result of the prober against misbehaving servers, all at the same time. */
export interface HostileResult {
  readonly servers: number;
  readonly samples: number;
  /** Slots without a sample that were not reported as dropped. */
  readonly lost: number;
  readonly dropped: number;
  readonly latenessP99Ms: number;
  /** Longest time by which a sample exceeded its timeout, ms. Samples in a stall of the prober are marked and do not count. */
  readonly overrunMs: number;
  /** Samples that do not count for that reason. */
  readonly stalled: number;
  /** Servers with a wrong outcome, and that outcome. */
  readonly misjudged: readonly string[];
  /** Growth of the resident memory: the median of the last quarter minus that of the second. In the first one V8 still grows. */
  readonly growthBytes: number;
}

const intervalMs = 100;
const timeoutMs = 300;
const readEveryMs = 500;

/** Measures cadence, timeouts, and memory of the prober against about 25 misbehaving servers. */
export async function runHostile(context: BenchContext): Promise<HostileResult> {
  const hostile = await startHostileServers(context.folder);
  const logPath = join(context.folder, 'hostile.ndjson');
  const probes = hostile.servers.map(({ name, params }) =>
    probeWith(name, params, { intervalMs, timeoutMs }),
  );
  const prober = await startBenchProber({ probes, logPath });
  await pause(context.quick ? 1000 : 5000);
  const fromMs = monoMs() - prober.originMs;
  const rss: number[] = [];
  for (let i = 0; i < (context.quick ? 8 : 80); i++) {
    await pause(readEveryMs);
    rss.push(processUsage(prober.pid).rssBytes);
  }
  const untilMs = monoMs() - prober.originMs;
  // A sample that is in progress at the end is not logged, so the last ones get time to finish.
  await pause(2 * timeoutMs);
  await prober.stop();
  await hostile.close();

  const within = (dueMs: number): boolean => dueMs >= fromMs && dueMs < untilMs;
  const samples = loggedSamples(logPath).filter((sample) => within(sample.dueMs));
  const dropped = [...readLogFile(logPath).series].flatMap(([probe, one]) =>
    one.dropped.filter((slot) => within(slot.dueMs)).map(({ slot }) => ({ probe, slot })),
  );
  const whole = samples.filter((sample) => sample.stallMs === undefined && sample.status !== 'unknown');
  const known = new Map<string, readonly LoggedSample[]>();
  for (const sample of whole) known.set(sample.probe, [...(known.get(sample.probe) ?? []), sample]);
  return {
    servers: hostile.servers.length,
    samples: samples.length,
    lost: hostile.servers.reduce((sum, { name }) => sum + gapsIn(samples, dropped, name), 0),
    dropped: dropped.length,
    latenessP99Ms: percentile(
      samples.map(({ sendMs, dueMs }) => sendMs - dueMs).sort((a, b) => a - b),
      0.99,
    ),
    overrunMs: Math.max(0, ...whole.map(({ sendMs, finishMs }) => finishMs - sendMs - timeoutMs)),
    stalled: samples.length - whole.length,
    misjudged: hostile.servers.flatMap(({ name, outcome }) => {
      const reported = [...new Set((known.get(name) ?? []).map(({ cause, status }) => cause ?? status))];
      return reported.length === 1 && reported[0] === outcome
        ? []
        : [`${name}: ${reported.join(', ') || 'nothing'}`];
    }),
    growthBytes: median(rss.slice(-rss.length / 4)) - median(rss.slice(rss.length / 4, rss.length / 2)),
  };
}

/** Number of slots of a probe, between its first and its last, without a sample or a drop. */
function gapsIn(
  samples: readonly LoggedSample[],
  dropped: readonly { readonly probe: string; readonly slot: number }[],
  name: string,
): number {
  const slots = [...samples, ...dropped].filter(({ probe }) => probe === name).map(({ slot }) => slot);
  return Math.max(...slots) - Math.min(...slots) + 1 - slots.length;
}

function median(values: readonly number[]): number {
  return percentile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}
