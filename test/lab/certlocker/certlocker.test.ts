import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Plan } from '../../../src/core/plan.ts';
import { faultKind, faultKinds } from '../../../src/faults/catalog.ts';
import { createServer } from '../../../src/cloud/catalog.ts';
import type { FaultContext } from '../../../src/core/fault.ts';
import { createSystemClock } from '../../../src/engine/system-clock.ts';
import { createHost } from '../../../src/hosts/catalog.ts';
import { createBench, must } from '../../firedrill.ts';
import { noteRepeat, onceMoreIfStarved, starvedWordsIn } from '../../starvation.ts';
import { kindsOnHosts } from '../lib/kinds-on-hosts.ts';
import { isLong } from '../lib/long.ts';
import { expectDrivenOverSsh } from '../lib/ssh-drill.ts';

const bench = createBench();
const nodes = ['node-1', 'node-2'] as const;
const here = 'test/lab/certlocker';
const postgresCrash = 'scenarios/certlocker/postgres-crash.yaml';

/** Runs a command in a VM of the lab. */
const inVm = (vm: string, ...argv: string[]) =>
  must(['docker', 'exec', `firedrill-certlocker-${vm}`, ...argv]);
const onNodes = (...argv: string[]) => Promise.all(nodes.map((node) => inVm(node, ...argv)));
/** Starts a drill as a user does; the test interrupts or kills it. */
const startDrill = (scenario: string) => bench.start('run', scenario, '--out', bench.out);

/** The node whose database is the standby. */
async function standby(): Promise<string> {
  for (const node of nodes) {
    const psql =
      'PGPASSWORD=$POSTGRESQL_POSTGRES_PASSWORD psql -U postgres -h 127.0.0.1 -tAc "SELECT pg_is_in_recovery()"';
    if ((await inVm(node, 'docker', 'exec', 'certlocker-postgres', 'bash', '-c', psql)) === 't') return node;
  }
  throw new Error('find the standby: neither database is in recovery');
}

/** Names of tables that drills left in a node's database. */
const tablesOfDrills = (node: string): Promise<string> => {
  const query = "SELECT tablename FROM pg_tables WHERE tablename LIKE 'firedrill%'";
  const psql = `PGPASSWORD=$POSTGRESQL_POSTGRES_PASSWORD psql -U postgres -h 127.0.0.1 certlocker -tAc "${query}"`;
  return inVm(node, 'docker', 'exec', 'certlocker-postgres', 'bash', '-c', psql);
};

/** Brings the lab (back) to its steady state. */
function labUp(): Promise<void> {
  return bench.labUp('certlocker', '--set', 'timings=fast');
}

beforeAll(labUp);
afterAll(async () => {
  // With this lab up, a machine with two cores is too busy for the next labs.
  await bench.start('lab', 'down', '--stack', 'certlocker');
  bench.remove();
});

describe('the lab', () => {
  test('replicates over TLS 1.3 only', async () => {
    const node = await standby();
    const primary = nodes.find((name) => name !== node) ?? '';
    const address = primary === 'node-1' ? '198.18.0.11' : '198.18.0.12';
    const tls =
      'PGPASSWORD=$POSTGRESQL_POSTGRES_PASSWORD psql -U postgres -h 127.0.0.1 -tAc "SELECT s.ssl, s.version FROM pg_stat_replication r JOIN pg_stat_ssl s USING (pid)"';
    await expect(inVm(primary, 'docker', 'exec', 'certlocker-postgres', 'bash', '-c', tls)).resolves.toBe(
      't|TLSv1.3',
    );
    const plain = `PGPASSWORD=$REPMGR_PASSWORD psql "host=${address} user=repmgr dbname=repmgr sslmode=disable replication=1" -c "IDENTIFY_SYSTEM"`;
    await expect(inVm(node, 'docker', 'exec', 'certlocker-postgres', 'bash', '-c', plain)).rejects.toThrow(
      /no encryption/,
    );
  });
});

describe('the watchdog', () => {
  test('follows its rules on a simulated node', async () => {
    const watchdog = join(import.meta.dirname, '../../../compose-lab/certlocker/watchdog');
    const container = ['--rm', '--volume', `${watchdog}:/watchdog:ro`, '--entrypoint', 'bash'] as const;
    const reported = await must([
      'docker',
      'run',
      ...container,
      'firedrill-lab/node:1',
      '/watchdog/test-rules.sh',
    ]);
    expect(reported).toContain('ok: rule 1 promotes');
    expect(reported).not.toContain('FAILED');
  });
});

describe('postgres crash on the primary', () => {
  test('promotes the other node, serves from it, and restores redundancy', async () => {
    const { oldStandby, exitCode, all, stdout } = await fromStandby(postgresCrash);
    expect(exitCode, all).toBe(0);
    const summary = bench.summary();
    expect(summary).toMatchObject({ verdict: 'pass', healed: true });
    expect(summary.roles.find(({ role }) => role === 'db-primary')?.after).toBe(oldStandby);
    expect(summary.roles.find(({ role }) => role === 'active')?.after).toBe(oldStandby);
    await expect(standby()).resolves.not.toBe(oldStandby);

    const { rto } = summary;
    expect(rto).not.toBeNull();
    expect(rto?.minMs).toBeLessThanOrEqual(rto?.ms ?? 0);
    expect(rto?.maxMs).toBeGreaterThanOrEqual(rto?.ms ?? 0);
    const total = summary.stages.reduce((sum, stage) => sum + stage.ms, 0);
    expect(total).toBeCloseTo(rto?.ms ?? 0, 2);
    expect(summary.stages.map((stage) => stage.name)).toContain('repmgr promotes');
    expect(stdout).toContain('PASS');

    // The writers wrote through both pgpools and left no table.
    const [rows] = summary.writers;
    expect(rows?.paths).toEqual(['rows@node-1', 'rows@node-2']);
    expect(rows?.acked).toBeGreaterThan(0);
    expect(rows?.found).toMatchObject({ duplicated: 0, phantom: 0 });
    expect(rows?.found?.present).toBeGreaterThan(0);
    await expect(tablesOfDrills(oldStandby)).resolves.toBe('');
  });

  test('gives the same reports again from the event log alone', async () => {
    const folder = bench.runFolder();
    const names = ['summary.json', 'report.html', 'report.md', 'samples.csv'];
    const before = names.map((name) => readFileSync(join(folder, name), 'utf8'));
    const { exitCode } = await bench.start('report', folder);
    expect(exitCode).toBe(0);
    expect(names.map((name) => readFileSync(join(folder, name), 'utf8'))).toEqual(before);
  });
});

test.runIf(isLong)('a drill runs entirely over SSH', () =>
  expectDrivenOverSsh(bench, {
    stack: 'certlocker',
    drill: ['scenarios/certlocker/container-crash.yaml', '--var', 'container=ui', '--var', 'on=standby'],
    hosts: { lb: 'ssh', 'node-1': 'ssh', 'node-2': 'ssh', witness: 'ssh', vantage: 'ssh' },
  }),
);

describe.runIf(isLong)('a drill can fail', () => {
  test('with the watchdog off, because the application layer does not move', async () => {
    await onNodes('systemctl', 'stop', 'cl-watchdog.timer');
    try {
      const { exitCode, all } = await bench.drill(`${here}/broken-recovery.yaml`);
      expect(exitCode, all).toBe(1);
      const summary = bench.summary();
      expect(summary.healed).toBe(true);
      expect(summary.checks.find(({ name }) => name === 'active moves to another host')?.status).toBe('fail');
      expect(summary.checks.find(({ name }) => name === 'db-primary moves to another host')?.status).toBe(
        'pass',
      );
      expect(summary.reasons.join('\n')).toMatch(/router/);
    } finally {
      await onNodes('systemctl', 'start', 'cl-watchdog.timer');
    }
    await labUp();
  });

  test('with the watchdogs off during a node loss, because no Router starts next to the new primary', async () => {
    // Disabled, so that they stay off when the lost node boots again.
    await onNodes('systemctl', 'disable', '--now', 'cl-watchdog.timer');
    try {
      const { exitCode, all } = await bench.drill(`${here}/broken-node-loss.yaml`);
      expect(exitCode, all).toBe(1);
      const summary = bench.summary();
      expect(summary.healed).toBe(true);
      const status = Object.fromEntries(
        summary.checks.map(({ kind, name, status }) => [`${kind}: ${name}`, status]),
      );
      expect(status).toEqual({
        'rto: RTO ≤ 60 s': 'fail',
        'return: return ≤ 50 s': 'fail',
        'role-moved: db-primary moves to another host': 'pass',
        'role-moved: active moves to another host': 'fail',
      });
    } finally {
      await onNodes('systemctl', 'enable', '--now', 'cl-watchdog.timer');
    }
    await labUp();
  });

  test('with acknowledged writes that the standby never got, and reports them', async () => {
    const { oldStandby, exitCode, all, stdout } = await fromStandby(`${here}/loss-not-allowed.yaml`);
    expect(exitCode, all).toBe(1);
    const { checks, rpo, writers, healed, roles } = bench.summary();
    expect(healed).toBe(true);
    expect(roles.find(({ role }) => role === 'db-primary')?.after).toBe(oldStandby);
    expect(checks.map(({ status }) => status)).toEqual(['fail', 'pass', 'pass']);
    // At least 10 s of writes through both pgpools, and more on a busy machine.
    expect(rpo?.lost).toBeGreaterThan(0);
    expect(rpo?.minMs).toBeGreaterThan(5000);
    expect(rpo?.maxMs).toBeGreaterThanOrEqual(rpo?.minMs ?? Infinity);
    expect(new Set(writers[0]?.losses.map(({ path }) => path))).toEqual(new Set(writers[0]?.paths));
    expect(stdout).toContain(`${rpo?.lost} of ${rpo?.acked} acknowledged writes lost`);
    await expect(tablesOfDrills(oldStandby)).resolves.toBe('');
  });

  test('with repmgrd stopped, because no node is promoted', async () => {
    const node = await standby();
    await inVm(node, 'docker', 'exec', 'certlocker-postgres', 'pkill', '-STOP', '-x', 'repmgrd');
    try {
      const { exitCode, all } = await bench.drill(`${here}/broken-recovery.yaml`);
      expect(exitCode, all).toBe(1);
      const summary = bench.summary();
      expect(summary.healed).toBe(true);
      expect(summary.checks.find(({ name }) => name === 'db-primary moves to another host')?.status).toBe(
        'fail',
      );
      expect(summary.reasons.join('\n')).toMatch(/db-primary/);
    } finally {
      await inVm(node, 'docker', 'exec', 'certlocker-postgres', 'pkill', '-CONT', '-x', 'repmgrd');
    }
    await labUp();
  });
});

describe.runIf(isLong)('the harness', () => {
  test("detects no outage when the standby's UI stops, and starts it again", async () => {
    const node = await standby();
    const { exitCode, all } = await bench.drill(`${here}/ui-stop.yaml`);
    expect(exitCode, all).toBe(0);
    await expect(inVm(node, 'docker', 'inspect', '-f', '{{.State.Status}}', 'certlocker-ui')).resolves.toBe(
      'running',
    );
  });

  test('heals before it exits when it is interrupted', async () => {
    const node = await standby();
    const run = startDrill(`${here}/ui-stop.yaml`);
    for await (const line of run.iterable({ from: 'stderr' })) {
      if (line.includes('effect seen')) run.kill('SIGINT');
    }
    const { exitCode, all } = await run;
    expect(exitCode, all).toBe(130);
    await expect(inVm(node, 'docker', 'inspect', '-f', '{{.State.Status}}', 'certlocker-ui')).resolves.toBe(
      'running',
    );
    expect((await bench.start('status')).exitCode).toBe(0);
  });

  test('leaves an undo record when it is killed, refuses further drills, and heals from it', async () => {
    const node = await standby();
    const run = startDrill(`${here}/ui-stop.yaml`);
    for await (const line of run.iterable({ from: 'stderr' })) {
      if (line.includes('effect seen')) run.kill('SIGKILL');
    }
    await run;
    const state = () => inVm(node, 'docker', 'inspect', '-f', '{{.State.Status}}', 'certlocker-ui');
    await expect(state()).resolves.toBe('exited');
    expect((await bench.start('status')).exitCode).toBe(4);
    const refused = await startDrill(`${here}/ui-stop.yaml`);
    expect(refused.exitCode).toBe(5);
    expect(refused.stderr).toContain('firedrill heal');

    const healed = await bench.start('heal');
    expect(healed.exitCode, healed.all).toBe(0);
    await expect(state()).resolves.toBe('running');
    expect((await bench.start('heal')).stdout).toContain('no open faults');

    // `report` also works on a killed run.
    const { exitCode } = await bench.start('report', bench.runFolder());
    expect(exitCode).toBe(0);
    expect(bench.summary()).toMatchObject({ verdict: 'inconclusive', healed: false });
  });
});

/** Kinds that need a cloud server, tested on the standby's server: clients must not be affected. */
const kindsOfServers = ['server.reboot', 'server.stop'] as const;

describe('every kind of fault', () => {
  test.runIf(isLong)('has a drill that passes, and the stack has full redundancy after each', async () => {
    const table = await everyFault();
    const again = table.rows.filter(({ verdict, drills }) => verdict === 'inconclusive' && isStarved(drills));
    const repeated = again.length === 0 ? [] : (await everyFault(again.map(({ row }) => row))).rows;
    for (const { failure, drills } of again)
      noteRepeat(failure, drills.flatMap(({ reasons }) => starvedWordsIn(reasons)).join('; '));
    const outcomes = table.rows.map(({ failure, verdict, drills }) => [
      failure,
      repeated.find((one) => one.failure === failure)?.verdict ?? verdict,
      drills.flatMap(({ reasons }) => reasons),
    ]);
    expect(outcomes).toEqual(table.rows.map(({ failure }) => [failure, 'pass', expect.anything()]));
  });

  test('is in one of the two suites', async () => {
    const suite = parse(readFileSync(join(import.meta.dirname, 'every-fault.yaml'), 'utf8')) as {
      readonly rows: readonly { readonly scenario: string }[];
    };
    const scenarios = [postgresCrash, ...suite.rows.map(({ scenario }) => join(here, scenario))];
    const drilled = await kindsIn(scenarios);
    const known = faultKinds.map(({ kind }) => kind);
    expect([...new Set([...drilled, ...kindsOnHosts])].sort()).toEqual(known.sort());
  });

  test('is in the short run too: in the drill, on a single host, or on a server', async () => {
    const short = new Set([...(await kindsIn([postgresCrash])), ...kindsOnHosts, ...kindsOfServers]);
    expect([...short].sort()).toEqual(faultKinds.map(({ kind }) => kind).sort());
  });

  // Last in this file, because these tests do not wait for full redundancy of the node that has just booted. For the same
  // reason the second test cannot ask its database which node is the standby.
  let server: Promise<FaultContext> | undefined;
  test.each(kindsOfServers)(
    '%s on the standby takes effect, and is healed through the cloud',
    async (name) => {
      const ctx = await (server ??= serverOfStandby());
      const kind = faultKind(name);
      if (kind === undefined) throw new Error(`no fault kind ${name}`);
      const params = kind.params.parse({});
      const before = await kind.before(params, ctx);
      await kind.inject(params, before, ctx);
      await until(ctx, () => kind.effect(params, before, ctx));
      await until(ctx, async () => {
        await kind.heal(params, before, ctx);
        return kind.healed(params, before, ctx);
      });
      expect(await kind.healed(params, before, ctx)).toBe(true);
    },
  );
});

/** Kinds of the preparations and faults in these scenarios' plans. */
async function kindsIn(scenarios: readonly string[]): Promise<string[]> {
  const { stdout } = await bench.start('plan', '--json', ...scenarios);
  const plans = JSON.parse(stdout) as readonly Plan[];
  return plans.flatMap((plan) => [...plan.prepare, ...plan.faults].map((fault) => fault.kind));
}

/** The part of a failure table that a lab test reads. */
interface TableRows {
  readonly rows: readonly {
    readonly row: string;
    readonly failure: string;
    readonly verdict: string;
    readonly drills: readonly { readonly reasons: readonly string[] }[];
  }[];
}

/** Runs the table of all kinds, or some of its rows. */
async function everyFault(rows: readonly string[] = []): Promise<TableRows> {
  const grep = rows.length === 0 ? [] : ['--grep', `^(${rows.join('|')})$`];
  const args = ['--out', bench.out, '--reporter', 'json', ...grep];
  const { all, stdout } = await bench.start('table', `${here}/every-fault.yaml`, ...args);
  expect(stdout, all).not.toBe('');
  return JSON.parse(stdout) as TableRows;
}

function isStarved(drills: TableRows['rows'][number]['drills']): boolean {
  return drills.some(({ reasons }) => starvedWordsIn(reasons).length > 0);
}

/** Runs a drill, and returns the node that was the standby at its start; a repeat may have another standby. */
function fromStandby(scenario: string) {
  return onceMoreIfStarved(bench.out, async () => {
    const oldStandby = await standby();
    const result = await startDrill(scenario);
    return { oldStandby, exitCode: result.exitCode, all: result.all, stdout: result.stdout };
  });
}

/** The standby's host and server from the target. */
async function serverOfStandby(): Promise<FaultContext> {
  const { stdout } = await bench.start('plan', '--json', postgresCrash);
  const [plan] = JSON.parse(stdout) as readonly Plan[];
  const name = await standby();
  const planned = plan?.hosts.find((host) => host.name === name);
  if (planned === undefined) throw new Error(`the plan has no host ${name}`);
  return {
    host: createHost(planned),
    server: createServer(planned),
    clock: createSystemClock(),
    signal: AbortSignal.timeout(1_200_000),
  };
}

/** Polls every 500 ms until `holds`; an error counts as not yet. */
async function until({ clock, signal }: FaultContext, holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds().catch(() => false))) await clock.sleep(500, signal);
}
