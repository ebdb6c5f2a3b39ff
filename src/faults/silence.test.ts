import { describe, expect, test } from 'vitest';
import { DrillError } from '../core/errors.ts';
import type { ExecResult } from '../core/host.ts';
import type { Json } from '../core/plan.ts';
import { faultKind, faultKinds } from './catalog.ts';
import { faultContext } from './testing/fault-context.ts';
import { scriptedHost } from './testing/scripted-host.ts';

// If a command prints nothing, or only the output of another program, the fault's state is unknown. Then `effect` and `healed` must
// throw or return false.

interface Case {
  readonly params: Json;
  readonly before: Json;
}

const rule = (tool: string) => ({ tool, way: 'in', match: ['-s', '192.0.2.7'], target: 'DROP' });
const filter = { tag: 'ab12cd34', state: { interfaces: [], rules: [rule('iptables')] } };
const life = { status: 'running', startedAt: '2026-01-01T00:00:00Z' };

const cases: Readonly<Record<string, Case>> = {
  'compose.down': { params: { projectDirectory: '/srv/app' }, before: { services: ['web'], idle: [] } },
  'container.kill': { params: { container: 'web' }, before: life },
  'container.pause': { params: { container: 'web' }, before: life },
  'container.remove': {
    params: { container: 'web', projectDirectory: '/srv/app' },
    before: { id: 'cafe', name: 'web', up: ['docker', 'compose', 'up'] },
  },
  'container.restart': { params: { container: 'web' }, before: life },
  'container.stop': { params: { container: 'web' }, before: life },
  'network.delay': {
    params: { delay: '10ms' },
    before: { tag: 'ab12cd34', state: { interface: 'eth0', handle: '2b13:', netem: [] } },
  },
  'network.isolate': { params: {}, before: filter },
  'network.link-down': {
    params: {},
    before: { tag: 'ab12cd34', state: { interface: 'eth0', carrier: true, addresses: [], routes: [] } },
  },
  'network.loss': { params: { percent: 10 }, before: filter },
  'network.partition': { params: { peers: ['192.0.2.7'] }, before: filter },
  'process.kill': { params: { process: 'nginx' }, before: { life: 'host', processes: ['7 4711'] } },
  'service.restart': { params: { units: ['x.service'] }, before: { stamps: ['cafe'] } },
  'service.stop': { params: { units: ['x.service'] }, before: { active: ['x.service'] } },
};
/** Kinds that read their state from an exit code of the scenario's command, from a cloud, or from a power switch. */
const others = ['command', 'power.cut', 'server.reboot', 'server.stop'];

const answers: readonly Partial<ExecResult>[] = [
  { stdout: '' },
  { stdout: '\n' },
  { stdout: 'Welcome to host n1 - authorised use only\n' },
  { stdout: 'This account is currently not available.\n', exitCode: 1 },
  { stderr: 'bash: warning: setlocale: LC_ALL: cannot change locale (de_DE.UTF-8)\n' },
];

test('the cases cover every kind', () => {
  expect([...Object.keys(cases), ...others].sort()).toEqual(faultKinds.map(({ kind }) => kind).sort());
});

describe.each(Object.entries(cases))('%s', (name, { params, before }) => {
  const kind = faultKind(name)!;
  test.each(answers)('is neither in effect nor healed by %j', async (answer) => {
    const ctx = faultContext(scriptedHost(() => answer));
    const parsed = kind.params.parse(params);
    const asked = [kind.effect(parsed, before, ctx), kind.healed(parsed, before, ctx)];
    // False or a DrillError with a code, not an unexpected exception.
    const seen = (await Promise.allSettled(asked)).map((result) =>
      result.status === 'fulfilled'
        ? result.value
        : result.reason instanceof DrillError
          ? false
          : result.reason,
    );
    expect(seen).toEqual([false, false]);
  });
});
