import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { percentile } from '../../src/analysis/latency-model.ts';
import { startFaultServer } from '../fault-server/start.ts';
import { loggedSamples } from '../logged-samples.ts';
import { pause } from '../mono.ts';
import { cpuShare, processUsage } from '../process-usage.ts';
import type { BenchContext } from './part.ts';

/** Result of `firedrill watch` with ten targets and one sample a second for each. */
export interface LightResult {
  readonly targets: number;
  readonly samples: number;
  /** Share of one core. */
  readonly cpuShare: number;
  readonly rssBytes: number;
  readonly maxRssBytes: number;
  readonly latenessP50Ms: number;
  readonly latenessP99Ms: number;
  readonly latenessMaxMs: number;
  /** Median lateness in the last quarter minus that in the first: it grows if the schedule drifts. */
  readonly driftMs: number;
}

const command = fileURLToPath(new URL('../../bin/firedrill.mjs', import.meta.url));
const targets = 10;

/** Measures the cost and the lateness of a watch without output, on an idle machine. */
export async function runLight(context: BenchContext): Promise<LightResult> {
  const server = await startFaultServer({ host: '127.0.0.1', tracks: 0 });
  const target = join(context.folder, 'target.yaml');
  const url = `http://127.0.0.1:${server.plainPort}/`;
  const probes = Array.from({ length: targets }, (_, index) => ({ id: `p${index}`, kind: 'http', url }));
  // JSON is YAML.
  const steady = { require: [{ probe: 'p0' }] };
  writeFileSync(target, JSON.stringify({ name: 'bench', environment: 'test', hosts: {}, probes, steady }));
  const out = join(context.folder, 'light');
  const child = fork(command, ['watch', '--target', target, '--out', out, '--json'], { silent: true });
  const ended = once(child, 'exit');
  const pid = child.pid ?? 0;
  await pause(10_000);
  const before = processUsage(pid);
  await pause(context.quick ? 5000 : 50_000);
  const after = processUsage(pid);
  child.kill('SIGINT');
  await ended;
  await server.stop();
  const logPath = join(out, readdirSync(out)[0] ?? '', 'events.ndjson');
  const samples = loggedSamples(logPath).toSorted((a, b) => a.dueMs - b.dueMs);
  const late = samples.map((s) => s.sendMs - s.dueMs);
  const quarter = Math.floor(late.length / 4);
  const at = (values: readonly number[], share: number) =>
    percentile(
      values.toSorted((a, b) => a - b),
      share,
    );
  return {
    targets,
    samples: samples.length,
    cpuShare: cpuShare(before, after),
    rssBytes: after.rssBytes,
    maxRssBytes: after.maxRssBytes,
    latenessP50Ms: at(late, 0.5),
    latenessP99Ms: at(late, 0.99),
    latenessMaxMs: at(late, 1),
    driftMs: at(late.slice(-quarter), 0.5) - at(late.slice(0, quarter), 0.5),
  };
}
