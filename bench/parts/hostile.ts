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

/** The prober against servers that do what servers should not, all at once. */
export interface HostileResult {
  readonly servers: number;
  readonly samples: number;
  /** Slots of the stretch that were neither looked at nor told as dropped. */
  readonly lost: number;
  readonly dropped: number;
  readonly latenessP99Ms: number;
  /** Most that a look outlived its time-out; those in which the prober itself was held up say so and do not count. */
  readonly overrunMs: number;
  /** Looks that do not count for that reason. */
  readonly stalled: number;
  /** Servers that were told for something else than they are, with what was told. */
  readonly misjudged: readonly string[];
  /** Resident memory, median of the last quarter minus that of the second: V8 has its size after the first. */
  readonly growthBytes: number;
}

const intervalMs = 100;
const timeoutMs = 300;
const readEveryMs = 500;

/** Cadence, time-outs and memory of the prober while a score of servers misbehave. */
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
  // The last ones are to be over before the end, which leaves no sample of those under way.
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
      const told = [...new Set((known.get(name) ?? []).map(({ cause, status }) => cause ?? status))];
      return told.length === 1 && told[0] === outcome ? [] : [`${name}: ${told.join(', ') || 'nothing'}`];
    }),
    growthBytes: median(rss.slice(-rss.length / 4)) - median(rss.slice(rss.length / 4, rss.length / 2)),
  };
}

/** Slots of a probe between its first and its last that nothing is told of. */
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
