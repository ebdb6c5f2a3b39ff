import { describe, expect, test } from 'vitest';
import type { Plan } from '../core/plan.ts';
import { drawJitter } from './jitter.ts';
import { makePlans, openScenario } from './planner.ts';
import { planTarget } from './target-planner.ts';
import { inputOf, readTestdata } from './testing/corpus.ts';
import { problemsOf } from './testing/problems-of.ts';

const target = inputOf('target.yaml', readTestdata('target.yaml'));
const plans = (text: string, overrides: Record<string, string> = {}, name = 'scenario.yaml'): Plan[] =>
  makePlans(openScenario(inputOf(name, text)), () => target, { overrides });
const plan = (text: string, overrides: Record<string, string> = {}, name = 'scenario.yaml'): Plan => {
  const [only] = plans(text, overrides, name);
  if (only === undefined) throw new Error('no plan');
  return only;
};

describe('an SSH host of a target', () => {
  const withHost = (host: string) =>
    planTarget(
      inputOf(
        'target.yaml',
        readTestdata('target.yaml').replace('transport: docker, container: alpha-vm', host),
      ),
    ).hosts[0];

  test('may be a name alone, with the rest from ssh_config', () => {
    expect(withHost('transport: ssh, host: ops@alpha')).toEqual({
      name: 'alpha',
      address: '198.18.9.1',
      transport: { kind: 'ssh', host: 'ops@alpha' },
    });
  });

  test('may have options of `ssh`; paths are relative to the target file', () => {
    const all =
      'host: a, user: ops, port: 2222, identityFile: id, knownHosts: known, config: conf, jump: "b:22,c"';
    expect(withHost(`transport: ssh, ${all}`)?.transport).toEqual({
      kind: 'ssh',
      host: 'a',
      user: 'ops',
      port: 2222,
      identityFile: 'beside/id',
      knownHosts: 'beside/known',
      config: 'beside/conf',
      jump: 'b:22,c',
    });
    expect(withHost('transport: ssh, host: a, config: none')?.transport).toMatchObject({ config: 'none' });
  });
});

describe('a plan', () => {
  const made = plan(readTestdata('valid.yaml'));

  test('has one probe instance for each host, with its address filled in', () => {
    expect(made.probes.map((probe) => probe.id)).toEqual(['health', 'db-role@alpha', 'db-role@beta']);
    expect(made.probes[1]?.params).toMatchObject({ argv: ['db-role', '198.18.9.1'] });
  });

  test('has the values of failed samples, and the other probes of a condition', () => {
    const text = readTestdata('target.yaml')
      .replace('argv:', 'onFailure: { refused: down }, argv:')
      .replace('is: primary, count', 'is: primary, and: [{ probe: health }], count');
    const { probes, steady } = planTarget(inputOf('target.yaml', text));
    expect(probes[1]).toMatchObject({ onFailure: { refused: 'down' } });
    expect(probes[1]?.params).not.toHaveProperty('onFailure');
    expect(steady.require[1]).toMatchObject({
      probe: 'db-role',
      is: ['primary'],
      and: [{ probe: 'health' }],
    });
  });

  test('lets a probe run on another host than its own, or on a host without an own one', () => {
    const from = (on: string) => {
      const text = readTestdata('target.yaml').replace('on: [alpha, beta]', on);
      return planTarget(inputOf('target.yaml', text)).probes.slice(1);
    };
    expect(from('on: alpha, from: beta')).toEqual([
      expect.objectContaining({
        id: 'db-role@alpha',
        host: 'alpha',
        from: 'beta',
        params: expect.objectContaining({ argv: ['db-role', '198.18.9.1'] }) as unknown,
      }),
    ]);
    const withoutRoles = readTestdata('target.yaml')
      .replace('on: [alpha, beta]', 'from: beta')
      .replace(/^roles:\n.*\n/m, '');
    const [, alone] = planTarget(inputOf('target.yaml', withoutRoles)).probes;
    expect(alone).toMatchObject({ id: 'db-role', from: 'beta' });
    expect(alone).not.toHaveProperty('host');
  });

  test('holds every default, in milliseconds', () => {
    expect(made.probes[0]).toMatchObject({ intervalMs: 1000, timeoutMs: 900 });
    expect(made.recovery).toEqual({ probe: 'health', withinMs: 120_000, stableForMs: 5000 });
    expect(made.faults[0]).toEqual({
      id: 'fault-1',
      kind: 'process.kill',
      on: { role: 'db-primary' },
      atMs: 0,
      params: { container: 'db', process: 'postgres', signal: 'KILL' },
    });
    expect(made.checks[0]).toEqual({ kind: 'rto', name: 'RTO at most 30 s', maxMs: 30_000 });
  });

  test('uses the steady state of the target as restored redundancy', () => {
    expect(made.redundancy.require).toEqual(made.steady.require);
  });

  test('is unchanged after a round trip through the event log', () => {
    expect(JSON.parse(JSON.stringify(made))).toEqual(made);
  });
});

describe('a scenario with variables and a matrix', () => {
  const text = readTestdata('composed.yaml');
  const made = plans(text);
  const [first] = made;

  test('has a drill for each combination, with its values in name and title', () => {
    expect(made.map(({ scenario }) => `${scenario.name}: ${scenario.title}`)).toEqual([
      'composed-edge-alpha: Everything at once (container edge, on alpha)',
      'composed-edge-db-primary: Everything at once (container edge, on db-primary)',
      'composed-gate-way-alpha: Everything at once (container Gate.Way, on alpha)',
      'composed-gate-way-db-primary: Everything at once (container Gate.Way, on db-primary)',
    ]);
    expect(made[3]?.scenario.variables).toEqual({
      wait: '5s',
      copies: 1,
      stop: false,
      container: 'Gate.Way',
      on: 'db-primary',
    });
  });

  test('replaces variables, and leaves placeholders of the engine', () => {
    expect(made[1]?.prepare[0]).toMatchObject({
      id: 'prepare-1',
      on: { host: 'alpha' },
      params: { run: ['touch', '/tmp/edge'], undo: ['rm', '-f', '/tmp/edge'] },
    });
    expect(made[1]?.faults).toMatchObject([
      { id: 'cut', on: { role: 'db-primary' }, atMs: 5000, jitterMs: 10_000, forMs: 30_000 },
      { id: 'fault-2', after: 'cut', on: { host: 'beta' }, atMs: 0, params: { container: 'edge' } },
    ]);
    expect(made[1]?.faults[0]?.params).toMatchObject({ peers: ['${address.beta}'] });
    expect(made[1]?.repair[0]).toMatchObject({
      id: 'by-hand',
      on: { fault: 'cut' },
      params: { run: ['echo', '${host}', '5s 1'] },
    });
  });

  test('keeps the type of a variable that is the whole value', () => {
    expect(plans(text, { copies: '2' })[0]?.checks[0]).toMatchObject({
      condition: { count: { min: 2, max: 2 } },
    });
  });

  test('names its checks by their limits', () => {
    expect(first?.checks.map((check) => check.name)).toEqual([
      'db-role is primary on exactly 1 for at least 2 s',
      'downtime of db-role@alpha at least 1 s, at most 9 s',
      'outage of the return at most 2 s',
      'return in at most 60 s',
      'the service does not come back by itself',
    ]);
  });

  test('replaces the stages of the target with its own', () => {
    expect(first?.stages).toEqual([{ name: 'all of it', until: { kind: 'recovered' } }]);
  });

  test('accepts values from the command line, in the type of the default, and selects a value of a matrix', () => {
    const one = plans(text, { wait: '1s', container: 'edge', on: 'alpha', stop: 'true' });
    expect(one.map((plan) => plan.scenario.variables)).toEqual([
      { wait: '1s', copies: 1, stop: true, container: 'edge', on: 'alpha' },
    ]);
    expect(one[0]?.faults[0]?.atMs).toBe(1000);
  });

  test.each([
    [{ waits: '1s' }, '--var waits: scenario.yaml has no such variable; did you mean "wait"?'],
    [{ copies: 'two' }, '--var copies=two: expected a number, like the default (1)'],
    [{ stop: 'yes' }, '--var stop=yes: expected true or false'],
    [{ container: 'egde' }, '--var container=egde: the matrix has no such value; did you mean "edge"?'],
    [{ wait: '5' }, 'scenario.yaml:14:9: at: expected a duration with a unit, such as 500ms, 5s, 2m, or 1h'],
  ])('does not take %j', (overrides, message) => {
    expect(() => plans(text, overrides)).toThrow(message);
  });

  test('is the same file for all its drills', () => {
    expect(new Set(made.map(({ scenario }) => `${scenario.path} ${scenario.sha256}`)).size).toBe(1);
  });
});

describe('times with a jitter', () => {
  const [composed] = plans(readTestdata('composed.yaml'));
  const momentOf = (seed: number, round: number): number => {
    if (composed === undefined) throw new Error('no plan');
    return drawJitter(composed, seed, round).faults[0]?.atMs ?? Number.NaN;
  };

  test('are the same for the same seed and round', () => {
    expect(momentOf(7, 0)).toBe(momentOf(7, 0));
    const rounds = Array.from({ length: 100 }, (_, round) => momentOf(7, round));
    expect(new Set(rounds).size).toBeGreaterThan(90);
    expect(momentOf(8, 0)).not.toBe(momentOf(7, 0));
  });

  test('lie anywhere between `at` and `at` plus jitter', () => {
    const moments = Array.from({ length: 1000 }, (_, round) => momentOf(1, round));
    expect(Math.min(...moments)).toBeGreaterThanOrEqual(5000);
    expect(Math.max(...moments)).toBeLessThanOrEqual(15_000);
    // Uniformly: each tenth of the span gets about a tenth of the times.
    for (let from = 5000; from < 15_000; from += 1000) {
      const share = moments.filter((ms) => ms >= from && ms < from + 1000).length;
      expect(share).toBeGreaterThan(60);
      expect(share).toBeLessThan(140);
    }
  });

  test('record their seed and round; a plan without a jitter is unchanged', () => {
    if (composed === undefined) throw new Error('no plan');
    expect(drawJitter(composed, 7, 2).draw).toEqual({ seed: 7, round: 2 });
    const plain = plan(readTestdata('valid.yaml'));
    expect(drawJitter(plain, 7, 2)).toBe(plain);
  });
});

describe('the requirements of a kind of fault', () => {
  const targetText = readTestdata('target.yaml');
  const scenarioWith = (fault: string): string =>
    readTestdata('valid.yaml').replace(/ {2}- \{ kind: process.kill.*/, `  - ${fault}`);
  const planOn = (text: string, fault: string): Plan[] =>
    makePlans(openScenario(inputOf('scenario.yaml', scenarioWith(fault))), () =>
      inputOf('target.yaml', text),
    );
  const beta = 'beta: { transport: docker, container: beta-vm, address: 198.18.9.2 }';

  test('must be met on every host that the role may be on', () => {
    const server = (id: string): string => `server: { cloud: lab, cloudsFile: clouds.yaml, id: ${id} }`;
    const one = targetText.replace('container: alpha-vm', `container: alpha-vm, ${server('a')}`);
    const both = one.replace('container: beta-vm', `container: beta-vm, ${server('b')}`);
    const fault = '{ kind: server.stop, on: { role: db-primary } }';
    expect(problemsOf(() => planOn(one, fault))).toEqual([
      'scenario.yaml:4:30: a fault of kind server.stop needs a `server` for host "beta" in the target',
    ]);
    expect(planOn(both, fault)[0]?.hosts[0]?.server).toEqual({
      cloud: 'lab',
      cloudsFile: 'beside/clouds.yaml',
      id: 'a',
    });
  });

  test('include a power switch for a power cut', () => {
    expect(targetText).toContain(beta);
    const local = targetText.replace(beta, 'beta: { transport: local, address: 198.18.9.2 }');
    expect(problemsOf(() => planOn(local, '{ kind: power.cut, on: beta }'))).toEqual([
      'scenario.yaml:4:28: a fault of kind power.cut needs transport docker for host "beta" in the target',
    ]);
    expect(planOn(targetText, '{ kind: power.cut, on: beta }')).toHaveLength(1);
  });

  test('include an address if the fault uses one', () => {
    const without = targetText.replace(', address: 198.18.9.2', '').replace(", '${address}'", '');
    const fault = (peer: string, on: string): string =>
      `{ kind: network.partition, on: ${on}, peers: ['${peer}'] }`;
    for (const [peer, on] of [
      ['${address.beta}', 'alpha'],
      ['${address.db-primary}', 'alpha'],
      ['${address}', 'beta'],
    ] as const) {
      expect(problemsOf(() => planOn(without, fault(peer, on)))[0]).toMatch(
        /^scenario\.yaml:4:\d+: host "beta" has no address in the target; add `address` to the host$/,
      );
    }
    expect(planOn(without, fault('${address}', 'alpha'))).toHaveLength(1);
  });
});
