import { existsSync, readFileSync, writeFileSync } from 'node:fs';
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
import { sharedTemporaryFolder } from '../../../temporary-folder.ts';

// Restarts the Docker engine of the fault's host during the fault: containers stop and come back by their restart policies,
// and the engine does not answer for a while. Then the harness, or `heal` after a kill, must restore the original state. The
// suite has a few cases. `npm run test:storm` has each kind in both ways, and also restarts the engine under the machines.
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
  return { name: kind, fault: { kind, on, ...fields }, hasAutoRevert: true };
}

const folder = sharedTemporaryFolder();
const done: {
  readonly kind: string;
  readonly way: string;
  readonly ended: string;
  readonly left: boolean;
}[] = [];
let untouched: string;

beforeAll(async () => {
  await stormUp(signal);
  // Two containers that share a namespace have their own problems when an engine starts, so remove them.
  await must(signal, machines.engine, 'docker', 'rm', '--force', 'guest', 'holder');
  // Its containers have no restart policy, so they would stay down after the restart.
  await must(signal, machines.engine, 'docker', 'compose', '--project-name', 'whole', 'down');
  for (const kind of kinds) writeFileSync(join(folder, `${kind.name}.yaml`), stormScenario(kind, target));
  untouched = await whole(signal);
});

afterAll(async () => {
  await machinesDown();
  bench.remove();
  keepReport(reportPath, done, report);
});

/** Starts a drill and waits for its fault's effect. */
async function drillUntilEffect(kind: string, out: string) {
  const child = bench.start('run', join(folder, `${kind}.yaml`), '--out', out);
  const reported: string[] = [];
  child.all.on('data', (chunk: Buffer) => reported.push(chunk.toString()));
  const steps = () => killedLog(out).events.map(({ type }) => type);
  await vi.waitFor(() => expect(steps(), reported.join('')).toContain('fault.effect'), {
    timeout: 60_000,
    interval: 20,
  });
  return { child, reported };
}

const ways = ['the harness heals', 'the harness is killed, `heal` heals'] as const;

describe('an engine that is restarted over a fault', () => {
  const all = kinds.flatMap((kind) => ways.map((way) => ({ kind: kind.name, way })));
  test.each(storm ? all : all.slice(0, 2))('$kind: $way', async ({ kind, way }) => {
    const out = join(folder, `${kind} ${way}`);
    // Set again for each drill, because Compose recreates containers without this policy.
    await must(signal, machines.engine, 'docker', 'update', '--restart', 'unless-stopped', 'spare', 'storm');
    const { child } = await drillUntilEffect(kind, out);
    if (way !== 'the harness heals') child.kill('SIGKILL');
    // Without the reset, systemd would refuse a fourth start within 1 min.
    await must(signal, machines.engine, 'systemctl', 'reset-failed', 'docker.service');
    await must(signal, machines.engine, 'systemctl', 'restart', 'docker.service');
    const drill = await child;
    const ended = drill.exitCode === undefined ? 'killed' : `exit ${drill.exitCode}`;
    const leftOpen = openRecords(state);
    const heal = await bench.start('heal');
    const left = await difference(untouched, 10_000, signal);
    done.push({ kind, way, ended, left: left !== '' || openRecords(state).length > 0 });
    // If the harness lives, it must heal without `heal`.
    const open = way === 'the harness heals' ? leftOpen : openRecords(state);
    expect({ left, heal: heal.exitCode, open }, `${drill.all}\n${heal.all}`).toEqual({
      left: '',
      heal: 0,
      open: [],
    });
  });

  // Takes every container of this machine down and up, so nothing else may run in parallel.
  test.runIf(storm)('under the machines: `heal` heals after they are back', async () => {
    const kind = 'container.stop';
    const out = join(folder, 'under');
    const { child, reported } = await drillUntilEffect(kind, out);
    const pid = Number(readFileSync('/var/run/docker.pid', 'utf8'));
    process.kill(pid, 'SIGTERM');
    await vi.waitFor(() => expect(existsSync(`/proc/${pid}`)).toBe(false), { timeout: 60_000 });
    child.kill('SIGINT');
    // An interrupted harness waits for its heal, which cannot succeed without the machines.
    const waits = clock.sleep(1000, signal).then(() => 'waits');
    expect(await Promise.race([child.then(() => 'ended'), waits]), reported.join('')).toBe('waits');
    child.kill('SIGKILL');
    await child;
    expect(openRecords(state)).toHaveLength(1);
    const started = await bench.start('lab', 'build', '--stack', 'certlocker');
    expect(started.exitCode, started.all).toBe(0);
    // Their policy is `restart: no`, so the test must start them.
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
    `${done.length} drills during whose open fault the engine was restarted. After ${clean} of them, the machines had no open fault`,
    'and no change left.',
    '',
    '| fault | way | the drill ended with | left behind |',
    '| --- | --- | --- | --- |',
    ...done.map(
      ({ kind, way, ended, left }) => `| ${kind} | ${way} | ${ended} | ${left ? 'something' : 'nothing'} |`,
    ),
  ].join('\n');
}
