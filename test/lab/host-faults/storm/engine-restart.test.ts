import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createSystemClock } from '../../../../src/engine/system-clock.ts';
import { createBench } from '../../../firedrill.ts';
import { keepReport } from '../../lib/keep-report.ts';
import { killedLog } from '../../lib/killed-log.ts';
import { machines, machinesDown } from '../machines.ts';
import { type StormFault, stormScenario } from './faults.ts';
import { difference, must, openRecords, stormUp, whole } from './stand.ts';

// The Docker engine of the fault's host is restarted while the fault is there: containers end and come back by their restart
// policies, the engine answers nobody for a while. Then the harness, or `heal` where it was killed, has to bring back what was.
// The suite has a few; `npm run test:storm` has each kind both ways, and restarts the engine under the machines themselves.
const reportPath = process.env['STORM_ENGINE_REPORT'];
const storm = reportPath !== undefined;

const bench = createBench();
const { state } = bench;
const target = join(import.meta.dirname, 'target.yaml');
const clock = createSystemClock();
const signal = AbortSignal.timeout(3_600_000);

const on = 'engine';
const kinds: readonly StormFault[] = [
  fault('container.stop', { container: 'spare', graceSeconds: 0 }),
  fault('compose.down', { projectDirectory: '/opt/storm' }),
  fault('container.pause', { container: 'spare' }),
  fault('container.kill', { container: 'spare' }),
  fault('container.remove', { container: 'spare', projectDirectory: '/opt/app' }),
  fault('container.restart', { container: 'spare', graceSeconds: 0 }),
];

function fault(kind: string, fields: Readonly<Record<string, string | number>>): StormFault {
  return { name: kind, fault: { kind, on, ...fields }, hasDeadMan: true };
}

const folder = mkdtempSync(join(tmpdir(), 'firedrill-engine-'));
const done: {
  readonly kind: string;
  readonly way: string;
  readonly ended: string;
  readonly left: boolean;
}[] = [];
let untouched: string;

beforeAll(async () => {
  await stormUp(signal);
  // Two containers that share a namespace are a matter of their own when an engine starts: not here.
  await must(signal, machines.engine, 'docker', 'rm', '--force', 'guest', 'holder');
  // Containers without a restart policy stay down when an engine starts.
  await must(signal, machines.engine, 'docker', 'compose', '--project-name', 'whole', 'down');
  for (const kind of kinds) writeFileSync(join(folder, `${kind.name}.yaml`), stormScenario(kind, target));
  untouched = await whole(signal);
});

afterAll(async () => {
  await machinesDown();
  bench.remove();
  rmSync(folder, { recursive: true });
  keepReport(reportPath, done, report);
});

/** Starts a drill and waits until its fault is there. */
async function drillUntilEffect(kind: string, out: string) {
  const child = bench.start('run', join(folder, `${kind}.yaml`), '--out', out);
  const told: string[] = [];
  child.all.on('data', (chunk: Buffer) => told.push(chunk.toString()));
  const steps = () => killedLog(out).events.map(({ type }) => type);
  await vi.waitFor(() => expect(steps(), told.join('')).toContain('fault.effect'), {
    timeout: 60_000,
    interval: 20,
  });
  return { child, told };
}

const ways = ['the harness heals', 'the harness is killed, `heal` heals'] as const;

describe('an engine that is restarted over a fault', () => {
  const all = kinds.flatMap((kind) => ways.map((way) => ({ kind: kind.name, way })));
  test.each(storm ? all : all.slice(0, 2))('$kind: $way', async ({ kind, way }) => {
    const out = join(folder, `${kind} ${way}`);
    // Each time: Compose makes containers as its files say.
    await must(signal, machines.engine, 'docker', 'update', '--restart', 'unless-stopped', 'spare', 'storm');
    const { child } = await drillUntilEffect(kind, out);
    if (way !== 'the harness heals') child.kill('SIGKILL');
    // systemd would not start it a fourth time within a minute.
    await must(signal, machines.engine, 'systemctl', 'reset-failed', 'docker.service');
    await must(signal, machines.engine, 'systemctl', 'restart', 'docker.service');
    const drill = await child;
    const ended = drill.exitCode === undefined ? 'killed' : `exit ${drill.exitCode}`;
    const leftOpen = openRecords(state);
    const heal = await bench.start('heal');
    const left = await difference(untouched, 10_000, signal);
    done.push({ kind, way, ended, left: left !== '' || openRecords(state).length > 0 });
    // What the harness lived to heal needs no `heal`.
    const open = way === 'the harness heals' ? leftOpen : openRecords(state);
    expect({ left, heal: heal.exitCode, open }, `${drill.all}\n${heal.all}`).toEqual({
      left: '',
      heal: 0,
      open: [],
    });
  });

  // Takes every container of this machine down and up: not beside anything else.
  test.runIf(storm)('under the machines themselves: `heal` heals when they are there again', async () => {
    const kind = 'container.stop';
    const out = join(folder, 'under');
    const { child, told } = await drillUntilEffect(kind, out);
    const pid = Number(readFileSync('/var/run/docker.pid', 'utf8'));
    process.kill(pid, 'SIGTERM');
    await vi.waitFor(() => expect(existsSync(`/proc/${pid}`)).toBe(false), { timeout: 60_000 });
    child.kill('SIGINT');
    // An interrupted harness waits for its heal; one that is interrupted again would, too. This one has no machines left.
    const waits = clock.sleep(1000, signal).then(() => 'waits');
    expect(await Promise.race([child.then(() => 'ended'), waits]), told.join('')).toBe('waits');
    child.kill('SIGKILL');
    await child;
    expect(openRecords(state)).toHaveLength(1);
    const started = await bench.start('lab', 'build', '--stack', 'certlocker');
    expect(started.exitCode, started.all).toBe(0);
    // As nobody else starts them: `restart: no`.
    await execa('docker', ['start', ...Object.keys(machines).map((name) => `firedrill-host-faults-${name}`)]);
    const heal = await bench.start('heal');
    expect(heal.exitCode, heal.all).toBe(0);
    expect(openRecords(state)).toEqual([]);
    const states = await must(signal, machines.engine, 'docker', 'ps', '--format', '{{.Names}}');
    expect(states.split('\n')).toContain('spare');
    done.push({
      kind,
      way: 'the engine under the machines, the harness is killed',
      ended: 'killed',
      left: false,
    });
  });
});

function report(): string {
  const clean = done.filter(({ left }) => !left).length;
  return [
    '# Storm: the Docker engine restarted',
    '',
    `${done.length} drills over whose open fault the engine was restarted; after ${clean} of them nothing was left open or changed, as`,
    'seen on the machines.',
    '',
    '| fault | way | the drill ended with | left behind |',
    '| --- | --- | --- | --- |',
    ...done.map(
      ({ kind, way, ended, left }) => `| ${kind} | ${way} | ${ended} | ${left ? 'something' : 'nothing'} |`,
    ),
  ].join('\n');
}
