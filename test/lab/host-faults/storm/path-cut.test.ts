import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seeded } from '../../../../src/analysis/testing/log-builder.ts';
import { createSystemClock } from '../../../../src/engine/system-clock.ts';
import { ownLoopback } from '../../../../src/hosts/testing/own-loopback.ts';
import { type Relay, startRelay } from '../../../../src/hosts/testing/ssh-server.ts';
import { createBench, must as onThisMachine } from '../../../firedrill.ts';
import { keepReport } from '../../lib/keep-report.ts';
import { machines, machinesDown } from '../machines.ts';
import { stormFaults, stormScenario } from './faults.ts';
import { isAimed, untilMoment } from './moment.ts';
import { difference, must, openRecords, stormUp, whole } from './stand.ts';
import { sharedTemporaryFolder } from '../../../temporary-folder.ts';

// Cuts the path between harness and machines at random moments of drills over SSH: packets are dropped without an error. The
// harness lives, but cannot act. Each machine must undo the fault itself within the lease plus 5 s, as checked on the
// machines. After the path is back, nothing may be injected again, and no fault may stay open. The suite has a few cuts;
// `npm run test:storm` has more.
const leased = stormFaults.flatMap(({ overSsh, ...fault }) =>
  fault.hasAutoRevert && overSsh !== null ? [{ ...fault, fault: { ...fault.fault, ...overSsh } }] : [],
);
const cuts = Number(process.env['STORM_CUTS'] ?? 3);
const seed = Number(process.env['STORM_SEED'] ?? 4712);
const reportPath = process.env['STORM_PATH_REPORT'];

const bench = createBench();
const { state } = bench;
const clock = createSystemClock();
const signal = AbortSignal.timeout(7_200_000);
/** The faults' lease plus the time that the machine may take after it, ms. */
const autoRevertMs = 3000 + 5000;
/** Approximate time of the fault after the start of a drill here. */
const faultMs = { fromMs: 1500, toMs: 5500 };

interface Cut {
  readonly kind: string;
  /** An undo record was open when the path was cut. */
  readonly open: boolean;
  /** From the cut until all machines were restored, ms; undefined: not in time. */
  readonly undoneMs: number | undefined;
  readonly settled: boolean;
}

const folder = sharedTemporaryFolder();
const done: Cut[] = [];
const random = seeded(seed);
const addresses = { a: '198.18.65.11', b: '198.18.65.12', engine: '198.18.65.13' } as const;
const relays: Relay[] = [];
let untouched: string;

beforeAll(async () => {
  await stormUp(signal);
  const key = join(folder, 'key');
  await onThisMachine(['ssh-keygen', '-q', '-t', 'ecdsa', '-N', '', '-f', key]);
  const own = readFileSync(`${key}.pub`, 'utf8').trim();
  const hosts: string[] = [];
  const known: string[] = [];
  for (const name of ['a', 'b', 'engine'] as const) {
    const machine = machines[name];
    await must(
      signal,
      machine,
      'bash',
      '-c',
      `install -d -m 0700 /root/.ssh && echo '${own}' >/root/.ssh/authorized_keys && ssh-keygen -A >/dev/null && systemctl restart ssh`,
    );
    const hostKey = await must(signal, machine, 'cat', '/etc/ssh/ssh_host_ed25519_key.pub');
    known.push(`machine-${name} ${hostKey.trim()}`);
    const relay = await startRelay(22, addresses[name]);
    relays.push(relay);
    hosts.push(
      `Host ${name}`,
      `  HostName ${ownLoopback}`,
      `  Port ${relay.port}`,
      '  User root',
      `  HostKeyAlias machine-${name}`,
      `  IdentityFile "${key}"`,
      `  UserKnownHostsFile "${join(folder, 'known_hosts')}"`,
      // SSH ends the connection after 3 s without an answer.
      '  ServerAliveInterval 1',
    );
  }
  const config = join(folder, 'config');
  writeFileSync(config, `${hosts.join('\n')}\n`);
  writeFileSync(join(folder, 'known_hosts'), `${known.join('\n')}\n`);
  const target = join(folder, 'target.yaml');
  writeFileSync(
    target,
    JSON.stringify({
      name: 'path-cut',
      environment: 'test',
      hosts: Object.fromEntries(
        Object.entries(addresses).map(([name, address]) => [
          name,
          { transport: 'ssh', host: name, config, address },
        ]),
      ),
      probes: [
        { id: 'echo', kind: 'tcp', address: '198.18.65.11:8001', interval: '200ms', timeout: '180ms' },
      ],
      steady: { for: '200ms', within: '60s', require: [{ probe: 'echo' }] },
    }),
  );
  for (const fault of leased) writeFileSync(join(folder, `${fault.name}.yaml`), stormScenario(fault, target));
  untouched = await whole(signal);
});

afterAll(async () => {
  for (const relay of relays) await relay.close();
  await machinesDown();
  bench.remove();
  keepReport(reportPath, done, report);
});

/** Cuts the path during one drill and checks the result. */
async function cutOnce(number: number, kind: string) {
  const out = join(folder, `out-${number}`);
  const drill = bench.start('run', join(folder, `${kind}.yaml`), '--out', out);
  await untilMoment(number, { drill, state, random, ...faultMs, signal });
  for (const relay of relays) relay.swallow();
  const cutMs = clock.nowMs();
  const open = openRecords(state).length > 0;
  const seen = await difference(untouched, autoRevertMs, signal);
  const undoneMs = seen === '' ? Math.round(clock.nowMs() - cutMs) : undefined;
  for (const relay of relays) relay.restore();
  const { all } = await drill;
  const heal = await bench.start('heal');
  const after = await difference(untouched, 5000, signal);
  const left = openRecords(state);
  done.push({ kind, open, undoneMs, settled: after === '' && heal.exitCode === 0 && left.length === 0 });
  if (existsSync(out)) rmSync(out, { recursive: true });
  return { seen, after, heal: heal.exitCode, left, story: `${all}\n${heal.all}` };
}

const plan = Array.from({ length: cuts }, (_, number) => {
  // A step of 3 selects different families first: network, service, container.
  const fault = leased[(number * 3) % leased.length];
  if (fault === undefined) throw new Error('plan the cuts: there is no leased fault');
  return { number, name: fault.name };
});

describe('a machine without a path to the harness undoes the fault itself', () => {
  test.each(plan)('$name, cut $number', async ({ number, name }) => {
    const { seen, after, heal, left, story } = await cutOnce(number, name);
    expect({ seen, after, heal, left }, story).toEqual({ seen: '', after: '', heal: 0, left: [] });
  });

  test('the cuts that were aimed at open faults hit them', () => {
    expect(done).toHaveLength(cuts);
    expect(done.flatMap(({ open }, number) => (isAimed(number) && !open ? [number] : []))).toEqual([]);
  });
});

function report(): string {
  const share = (of: readonly Cut[], is: (cut: Cut) => boolean): string =>
    `${of.filter(is).length} of ${of.length}`;
  const longest = (of: readonly Cut[]): string => {
    const times = of.flatMap(({ open, undoneMs }) => (open && undoneMs !== undefined ? [undoneMs] : []));
    return times.length === 0 ? '' : `${(Math.max(...times) / 1000).toFixed(1)} s`;
  };
  const rows = leased.map(({ name }) => {
    const own = done.filter(({ kind }) => kind === name);
    const open = own.filter((cut) => cut.open);
    const undone = share(own, ({ undoneMs }) => undoneMs !== undefined);
    return `| ${name} | ${own.length} | ${open.length} | ${undone} | ${longest(own)} | ${share(own, ({ settled }) => settled)} |`;
  });
  return [
    '# Storm: the path cut',
    '',
    `${done.length} drills over SSH whose path was cut at random moments (seed ${seed}; two of every four while a fault was open). The harness`,
    `kept running. The machines undid ${share(done, ({ undoneMs }) => undoneMs !== undefined)} faults themselves within the lease of 3 s plus 5 s. After the path was`,
    `back, ${share(done, ({ settled }) => settled)} drills had no open fault and no change left on the machines.`,
    `${done.filter(({ open }) => open).length} of the drills had an open fault at the cut.`,
    '',
    '| fault | cuts | with an open fault | undone in time | longest undo of an open fault | nothing left afterwards |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}
