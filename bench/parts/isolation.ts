import { join } from 'node:path';
import { percentile } from '../../src/analysis/latency-model.ts';
import { startFaultServer } from '../fault-server/start.ts';
import { type LoggedSample, loggedSamples } from '../logged-samples.ts';
import { monoMs } from '../mono.ts';
import { httpProbe } from '../prober/plan.ts';
import { startBenchProber } from '../prober/start.ts';
import type { BenchContext } from './part.ts';

/** Samples of healthy targets in a period. */
interface Stretch {
  readonly slots: number;
  readonly samples: number;
  readonly latenessP99Ms: number;
  readonly latencyP99Ms: number;
}

/** The effect of hanging targets on the samples of the others. */
export interface IsolationResult {
  readonly targets: number;
  readonly hung: number;
  /** The healthy targets: before the others hang, and while they hang. */
  readonly before: Stretch;
  readonly during: Stretch;
}

const intervalMs = 100;

/** Lets half of the targets hang. The samples of the others must not change. */
export async function runIsolation(context: BenchContext): Promise<IsolationResult> {
  const targets = 50;
  const stretchMs = context.quick ? 3000 : 15_000;
  const server = await startFaultServer({ host: '127.0.0.1', tracks: targets });
  const logPath = join(context.folder, 'isolation.ndjson');
  const probes = server.ports.map((port, index) =>
    httpProbe(`p${index}`, `http://127.0.0.1:${port}/`, { intervalMs }),
  );
  const prober = await startBenchProber({ probes, logPath });
  const beginMs = monoMs() + 3000;
  const hangMs = beginMs + stretchMs;
  const hangs = server.ports.flatMap((_, track) =>
    track % 2 === 0 ? [{ track, kind: 'hang' as const, atMs: hangMs, lengthMs: stretchMs + 1000 }] : [],
  );
  await server.play(hangs);
  await prober.stop();
  await server.stop();
  const wellIds = new Set(probes.filter((_, track) => track % 2 === 1).map(({ id }) => id));
  const well = loggedSamples(logPath).filter(({ probe }) => wellIds.has(probe));
  const over = (fromMs: number): Stretch => {
    const offsetMs = fromMs - prober.originMs;
    const own = well.filter((s) => s.dueMs >= offsetMs && s.dueMs < offsetMs + stretchMs);
    const p99 = (of: (sample: LoggedSample) => number) =>
      percentile(
        own.map(of).sort((a, b) => a - b),
        0.99,
      );
    return {
      slots: ((targets - hangs.length) * stretchMs) / intervalMs,
      samples: own.filter((s) => s.status === 'ok').length,
      latenessP99Ms: p99((s) => s.sendMs - s.dueMs),
      latencyP99Ms: p99((s) => s.finishMs - s.sendMs),
    };
  };
  // The first second, in which many connections begin to hang, is excluded.
  return { targets, hung: hangs.length, before: over(beginMs), during: over(hangMs + 1000) };
}
