import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { seeded } from '../../src/analysis/testing/log-builder.ts';
import type { Summary } from '../../src/core/summary.ts';
import { startFaultServer, type FaultServer } from '../fault-server/start.ts';
import type { OutageKind } from '../fault-server/messages.ts';
import { isStalled, lengthOf } from '../judge.ts';
import type { BenchContext } from './part.ts';

/** One drill compared with the real outage, ms. */
export interface RtoTrial {
  readonly kind: OutageKind;
  readonly trueMs: number;
  /** Null: the drill reported no RTO. */
  readonly reported: { readonly ms: number; readonly minMs: number; readonly maxMs: number } | null;
  /** The server itself was stalled at an edge, so the true length is unknown. */
  readonly voided: boolean;
}

const command = fileURLToPath(new URL('../../bin/firedrill.mjs', import.meta.url));
const kinds: readonly OutageKind[] = ['refused', 'hang', 'http-503'];
const inParallel = 6;

/** Runs whole drills with the command line, and compares their RTO with the real outage. */
export async function runRto(context: BenchContext): Promise<readonly RtoTrial[]> {
  const rounds = context.quick ? 1 : 5;
  const server = await startFaultServer({ host: '127.0.0.1', tracks: inParallel * rounds });
  const random = seeded(context.seed);
  try {
    const lanes = Array.from({ length: inParallel }, (_, lane) =>
      Array.from({ length: rounds }, (_, round): Drill => {
        const track = lane * rounds + round;
        const kind = kinds[track % kinds.length] ?? 'refused';
        return { track, kind, lengthMs: Math.round(1263 + random() * 2500) };
      }),
    );
    const trials = await Promise.all(lanes.map((drills) => runDrills(context, server, drills)));
    return trials.flat();
  } finally {
    await server.stop();
  }
}

interface Drill {
  readonly track: number;
  readonly kind: OutageKind;
  readonly lengthMs: number;
}

/** Runs drills one after another, with one command. */
async function runDrills(
  context: BenchContext,
  server: FaultServer,
  drills: readonly Drill[],
): Promise<readonly RtoTrial[]> {
  const folder = join(context.folder, `rto-${drills[0]?.track ?? 0}`);
  mkdirSync(folder);
  const files = drills.map((drill) => writeDrill(folder, server, drill));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [command, 'run', ...files, '--json', '--out', join(folder, 'out'), '--seed', String(context.seed)],
    { env: { ...process.env, FIREDRILL_STATE_DIR: join(folder, 'state') } },
  ).catch((error: { readonly stdout?: string }) => {
    // A drill without a pass ends with an error, but also prints its summary.
    if (error.stdout === undefined || error.stdout === '') throw error;
    return { stdout: error.stdout };
  });
  const summaries = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Summary);
  return drills.map(({ track, kind }) => {
    const outage = server.outages().find((one) => one.track === track);
    const summary = summaries.find(({ scenario }) => scenario.name === nameOf(track));
    if (outage === undefined || summary === undefined)
      throw new Error(`drill ${track} has no summary, or its outage did not happen`);
    const { rto } = summary;
    return {
      kind,
      ...lengthOf(outage),
      voided: isStalled({ stalls: server.stalls() }, outage),
      reported: rto === null ? null : { ms: rto.ms, minMs: rto.minMs, maxMs: rto.maxMs },
    };
  });
}

function nameOf(track: number): string {
  return `drill-${track}`;
}

/** Writes the target and the scenario of a drill, and returns the scenario's path. */
function writeDrill(folder: string, server: FaultServer, { track, kind, lengthMs }: Drill): string {
  const url = `http://127.0.0.1:${server.ports[track] ?? 0}/`;
  const order = `http://127.0.0.1:${server.controlPort}/${track}/${kind}/${lengthMs}`;
  // JSON is YAML.
  writeFileSync(
    join(folder, `target-${track}.yaml`),
    JSON.stringify({
      name: `bench-${track}`,
      environment: 'test',
      hosts: { here: { transport: 'local' } },
      probes: [{ id: 'health', kind: 'http', url, interval: '1s', burst: '50ms' }],
      steady: { for: '1s', within: '20s', require: [{ probe: 'health' }] },
    }),
  );
  const scenario = join(folder, `${nameOf(track)}.yaml`);
  writeFileSync(
    scenario,
    JSON.stringify({
      name: nameOf(track),
      title: `${kind} for ${lengthMs} ms`,
      target: `target-${track}.yaml`,
      faults: [{ kind: 'command', on: 'here', run: ['curl', '-s', order], jitter: '1s' }],
      recovery: { probe: 'health', within: '30s' },
      redundancy: { for: '1s', within: '20s' },
      checks: [{ kind: 'rto', max: '30s' }],
    }),
  );
  return scenario;
}
