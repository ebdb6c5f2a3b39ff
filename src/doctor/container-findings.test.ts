import { describe, expect, test } from 'vitest';
import type { PlannedFault, PlannedHost, PlannedProbe } from '../core/plan.ts';
import { scriptedHost } from '../faults/testing/scripted-host.ts';
import { containerFindings } from './container-findings.ts';

const planned: PlannedHost = { name: 'shop-web-1', transport: { kind: 'local' } };
const signal = new AbortController().signal;

interface Engine {
  readonly status?: string;
  readonly policy?: string;
  readonly init?: boolean | null;
}

/** An engine with one container, `shop-web-1`, in which nginx is PID 1. */
const engine = ({ status = 'running', policy = 'unless-stopped', init = null }: Engine) =>
  scriptedHost((argv) => {
    if (argv[1] === 'ps') return { stdout: 'shop-web-1\nshop-web-2\n' };
    if (argv[1] === 'top') return { stdout: '    PID COMMAND\n   1300 nginx-helper\n    900 nginx\n' };
    return argv.at(-1) === 'shop-web-1'
      ? { stdout: JSON.stringify({ status, policy, init }) }
      : { exitCode: 1, stderr: `Error: No such container: ${argv.at(-1)}` };
  });

const probe = (name: string): PlannedProbe => ({
  id: 'state',
  name: 'state',
  kind: 'container',
  params: { name },
  intervalMs: 1000,
  timeoutMs: 900,
});
const fault = (kind: string, params: PlannedFault['params'], on: PlannedFault['on']): PlannedFault => ({
  id: 'fault-1',
  kind,
  on,
  atMs: 0,
  params,
});
const here = { host: 'shop-web-1' };
const kill = (container: string, on: PlannedFault['on'] = here) => fault('container.kill', { container }, on);
const crash = fault('process.kill', { container: '${host}', process: 'nginx', signal: 'KILL' }, here);

async function judged(
  users: { readonly probes?: readonly PlannedProbe[]; readonly steps?: readonly PlannedFault[] },
  state: Engine = {},
  uid = 0,
): Promise<string[]> {
  const host = engine(state);
  const findings = await containerFindings(
    planned,
    host,
    { engine: '26.1.5', uid },
    { probes: [], steps: [], signal, ...users },
  );
  // Only what reads may run: doctor changes nothing.
  expect(host.commands.filter((command) => !/^docker (?:container inspect|ps|top) /.test(command))).toEqual(
    [],
  );
  return findings.map(({ name, status, observed, hint }) =>
    [`${status} ${name}: ${observed}`, hint].filter(Boolean).join(' | '),
  );
}

describe('a container that a probe or a fault names', () => {
  test('is found by the name that its host fills in, once', async () => {
    expect(await judged({ probes: [probe('shop-web-1')], steps: [kill('${host}')] })).toEqual([
      'ok shop-web-1: container shop-web-1: running; restart policy unless-stopped',
    ]);
  });

  test('that the engine does not know gets the nearest name; a fault on this host makes it a failure', async () => {
    const said = 'the engine knows no container of this name; did you mean "shop-web-1"?';
    const hint = 'Correct the name; `docker ps --all` lists the containers.';
    expect(await judged({ probes: [probe('shop-web1')] })).toEqual([
      `warn shop-web-1: container shop-web1: ${said} | ${hint}`,
    ]);
    expect(await judged({ steps: [kill('shop-web1')] })).toEqual([
      `fail shop-web-1: container shop-web1: ${said} | ${hint}`,
    ]);
    expect(await judged({ steps: [kill('shop-web1', { role: 'active' })] })).toEqual([
      `warn shop-web-1: container shop-web1: ${said} | ${hint}`,
    ]);
  });

  test('must run for a fault', async () => {
    expect(await judged({ steps: [kill('shop-web-1')] }, { status: 'exited' })).toEqual([
      'fail shop-web-1: container shop-web-1: exited, not running: a fault needs a running container | Start it: `docker start shop-web-1`.',
    ]);
  });

  test.each(['', 'no'])('without a restart policy (%j) stays down after a crash', async (policy) => {
    expect(await judged({ steps: [crash] }, { policy, init: true })).toEqual([
      'ok shop-web-1: container shop-web-1: running; no restart policy: if it exits, it stays down until the heal starts it',
    ]);
  });

  test('whose PID 1 is to be killed needs root, or an init process', async () => {
    const refused = [
      'fail shop-web-1: container shop-web-1: nginx is PID 1 of the container, and only root on this machine can kill it | Set `init: true` for shop-web-1 in its Compose file, or run firedrill as root.',
    ];
    expect(await judged({ steps: [crash] }, {}, 1000)).toEqual(refused);
    const fine = ['ok shop-web-1: container shop-web-1: running; restart policy unless-stopped'];
    expect(await judged({ steps: [crash] }, {}, 0)).toEqual(fine);
    expect(await judged({ steps: [crash] }, { init: true }, 1000)).toEqual(fine);
    const other = fault('process.kill', { container: '${host}', process: 'worker', signal: 'KILL' }, here);
    expect(await judged({ steps: [other] }, {}, 1000)).toEqual(fine);
    const polite = fault('process.kill', { container: '${host}', process: 'nginx', signal: 'TERM' }, here);
    expect(await judged({ steps: [polite] }, {}, 1000)).toEqual(fine);
  });

  test('is not asked for without an engine', async () => {
    const host = engine({});
    const users = { probes: [probe('shop-web-1')], steps: [], signal };
    expect(await containerFindings(planned, host, { engine: undefined, uid: 0 }, users)).toEqual([]);
    expect(host.commands).toEqual([]);
  });
});
