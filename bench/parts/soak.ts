import { join } from 'node:path';
import { statSync } from 'node:fs';
import { startFaultServer } from '../fault-server/start.ts';
import { pause } from '../mono.ts';
import { processUsage } from '../process-usage.ts';
import { httpProbe } from '../prober/plan.ts';
import { startBenchProber } from '../prober/start.ts';
import type { BenchContext } from './part.ts';

/** A day of samples of one target, at one a second, compressed to 90 s after a warm-up. */
export interface SoakResult {
  readonly samples: number;
  /** Resident memory after each hour of samples after the warm-up. */
  readonly rssByHour: readonly number[];
  /** Median of the last three hours minus the first hour. */
  readonly growthBytes: number;
  readonly logBytesPerSample: number;
}

const targets = 100;
const intervalMs = 100;
const hours = 24;
const samplesPerHour = 3600;
/** V8 grows in the first minutes. Without a warm-up, the compressed first hour would be over before. */
const warmUpMs = 20_000;

/** Measures whether the prober's memory grows with the number of samples. */
export async function runSoak(context: BenchContext): Promise<SoakResult> {
  const server = await startFaultServer({ host: '127.0.0.1', tracks: 0 });
  const logPath = join(context.folder, 'soak.ndjson');
  const probes = Array.from({ length: targets }, (_, index) =>
    httpProbe(`p${index}`, `http://127.0.0.1:${server.plainPort}/`, { intervalMs }),
  );
  const prober = await startBenchProber({ probes, logPath });
  const hourMs = (samplesPerHour * intervalMs) / targets;
  const rssByHour: number[] = [];
  await pause(context.quick ? 1000 : warmUpMs);
  const beforeBytes = statSync(logPath).size;
  for (let hour = 0; hour < (context.quick ? 4 : hours); hour++) {
    await pause(hourMs);
    rssByHour.push(processUsage(prober.pid).rssBytes);
  }
  await prober.stop();
  await server.stop();
  const samples = rssByHour.length * samplesPerHour;
  const [, last = 0] = rssByHour.slice(-3).sort((a, b) => a - b);
  return {
    samples,
    rssByHour,
    growthBytes: last - (rssByHour[0] ?? 0),
    logBytesPerSample: (statSync(logPath).size - beforeBytes) / samples,
  };
}
