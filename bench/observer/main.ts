import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../src/core/host.ts';
import type { Json } from '../../src/core/plan.ts';
import { readCpuTimes } from '../../src/engine/cpu-times.ts';
import { createLocalHost } from '../../src/hosts/local.ts';
import { keepShells } from '../../src/hosts/kept-shells.ts';
import { probeKind } from '../../src/probes/catalog.ts';
import { createSystemClock } from '../../src/engine/system-clock.ts';
import { createNameResolver } from '../../src/resolver/name-resolver.ts';
import { pause } from '../mono.ts';
import type { ObserverInput, ObserverResult, SampleCostRow } from './messages.ts';
import { postgresPrograms, startPostgres } from './postgres.ts';
import { lastPid, treeCpuMs } from './tree-cpu.ts';

// Measures what one sample of each kind of probe costs, next to the tools that people use instead. Runs in a process of its own,
// whose CPU time is that of the samples, and where it may in a namespace of process ids, in which nobody else starts any.
// Its input is its argument, its result goes to the file that the second names.

const input = JSON.parse(process.argv[2] ?? '{}') as ObserverInput;
const timeoutMs = 2000;
/** Between two samples: each is over before the next. */
const pauseMs = 10;
/** Samples before those that count: code is compiled, connections are made. */
const warmUp = 10;

const rows: SampleCostRow[] = [];
const absent: string[] = [];
const local = createLocalHost('here');

/** A host whose commands run in a shell that is kept, as those of transport `docker` do. */
function shellHost(): Host {
  const run = keepShells(['sh']);
  return {
    ...local,
    exec: async (argv, options) => {
      const outcome = await run({ argv, ...options });
      if (outcome.kind !== 'exited') throw new Error(`the shell was ${outcome.kind}`);
      return outcome;
    },
  };
}

/** CPU time of all commands of this process, also of those in kept shells, ms; the server's process is not one of them. */
function commandsCpuMs(server: number | undefined): number {
  const own = process.cpuUsage();
  const whole = treeCpuMs(process.pid, server === undefined ? [] : [server]);
  return whole - Math.floor((own.user + own.system) / 10_000) * 10;
}

/** What is measured, around its samples. */
interface Series {
  readonly group: string;
  readonly what: string;
  readonly peer?: true;
  /** The server's process, where its CPU is asked for. */
  readonly server?: number;
}

async function measure(series: Series, samples: number, act: () => Promise<void>): Promise<void> {
  const { group, what, peer = false, server } = series;
  // Of this process to the microsecond, of its commands in ticks.
  const cpu = (): number => readCpuTimes().ownMs + commandsCpuMs(server);
  const serverCpu = (): number => (server === undefined ? 0 : treeCpuMs(server));
  const before = { cpu: cpu(), server: serverCpu(), pid: lastPid() };
  await act();
  // What ended a moment ago is reaped by then.
  await pause(50);
  rows.push({
    group,
    what,
    peer,
    samples,
    proberCpuMs: (cpu() - before.cpu) / samples,
    serverCpuMs: server === undefined ? null : (serverCpu() - before.server) / samples,
    processes: (lastPid() - before.pid) / samples,
  });
}

/** Samples of a probe, one after the other. */
async function probe(series: Series, kindName: string, fields: Json, host: Host = local): Promise<void> {
  const kind = probeKind(kindName);
  if (kind === undefined) throw new Error(`no probe ${kindName}`);
  const session = await kind.open(kind.params.parse(fields), {
    host,
    clock: createSystemClock(),
    timeoutMs,
    readText: async (path) => readFileSync(path, 'utf8'),
    env: (name) => process.env[name],
    resolveName: createNameResolver(),
  });
  const sample = async (): Promise<void> => {
    const seen = await session.observe(AbortSignal.timeout(timeoutMs));
    if (seen.status !== 'ok') throw new Error(`${series.what}: ${seen.message}`);
    await pause(pauseMs);
  };
  try {
    for (let n = 0; n < warmUp; n++) await sample();
    await measure(series, input.samples, async () => {
      for (let n = 0; n < input.samples; n++) await sample();
    });
  } finally {
    await session.close();
    await pause(100);
  }
}

/** A command in a loop of a shell, without pauses. */
async function loop(series: Series, command: string): Promise<void> {
  const script = `i=0; while [ $i -lt ${input.samples} ]; do ${command} >/dev/null || exit 1; i=$((i+1)); done`;
  await measure({ ...series, peer: true }, input.samples, async () => {
    const [code] = (await once(spawn('sh', ['-c', script], { stdio: 'ignore' }), 'exit')) as [number];
    if (code !== 0) throw new Error(`${command}: exit ${code}`);
  });
}

function works(...argv: readonly [string, ...string[]]): boolean {
  try {
    execFileSync(argv[0], argv.slice(1), { stdio: 'ignore', timeout: 5000 });
    return true;
  } catch {
    return false;
  }
}

async function measureSockets(): Promise<void> {
  const url = `http://127.0.0.1:${input.httpPort}/`;
  const at = `127.0.0.1:${input.httpPort}`;
  await probe({ group: 'tcp', what: '`tcp`' }, 'tcp', { address: at });
  await probe({ group: 'http', what: '`http`, a new connection' }, 'http', { url });
  await probe({ group: 'http', what: '`http`, kept alive' }, 'http', { url, connection: 'kept-alive' });
  if (works('curl', '--version')) await loop({ group: 'http', what: 'curl in a loop' }, `curl -s ${url}`);
  else absent.push('curl in a loop: there is no curl');
  const csv = `http://127.0.0.1:${input.csvPort}/;csv`;
  await probe({ group: 'haproxy-stats', what: '`haproxy-stats`' }, 'haproxy-stats', {
    url: csv,
    backend: 'web',
    server: 'a',
  });
  await probe({ group: 'dns', what: '`dns`' }, 'dns', { name: 'a.example', server: input.dnsAddress });
}

async function measureCommands(): Promise<void> {
  const argv = ['cat', '/proc/loadavg'];
  await probe({ group: 'exec', what: '`exec` of cat, transport local' }, 'exec', { argv });
  await probe(
    { group: 'exec', what: '`exec` of cat, kept shell (transport docker)' },
    'exec',
    { argv },
    shellHost(),
  );
  await loop({ group: 'exec', what: 'cat in a loop' }, argv.join(' '));
  if (works('ping', '-c1', '127.0.0.1'))
    await probe({ group: 'icmp', what: '`icmp`' }, 'icmp', { address: '127.0.0.1' });
  else absent.push('icmp: no ping that may send');
}

async function measurePostgres(): Promise<void> {
  const programs = postgresPrograms();
  if (programs === undefined) {
    absent.push('sql: no PostgreSQL server is installed');
    return;
  }
  const folder = join(input.folder, 'postgres');
  mkdirSync(folder);
  const server = await startPostgres(programs, folder);
  const dsn = `postgresql://postgres@127.0.0.1:${server.port}/postgres`;
  const query = 'SELECT pg_is_in_recovery()';
  const group = { group: 'sql', server: server.pid };
  try {
    await probe({ ...group, what: '`sql`, a new session' }, 'sql', { dsn, query });
    await probe({ ...group, what: '`sql`, kept' }, 'sql', { dsn, query, connection: 'kept' });
    await loop({ ...group, what: 'psql in a loop' }, `psql -XAtc '${query}' '${dsn}'`);
  } finally {
    await server.stop();
  }
}

async function measureDocker(): Promise<void> {
  const found = works('docker', 'version')
    ? execFileSync('docker', ['ps', '-aq', '--no-trunc'], { encoding: 'utf8' }).split('\n')[0]
    : undefined;
  if (found === undefined || found === '') {
    absent.push(
      `container: ${found === undefined ? 'no Docker engine answers' : 'the engine has no container'}`,
    );
    return;
  }
  const group = { group: 'container' };
  await probe({ ...group, what: '`container`, API over a kept connection' }, 'container', { name: found });
  const { pipe: _, ...byCommand } = local;
  await probe({ ...group, what: '`container`, a command each' }, 'container', { name: found }, byCommand);
  await loop(
    { ...group, what: 'docker inspect in a loop' },
    `docker inspect --format '{{.State.Status}}' ${found}`,
  );
}

for (const part of [measureSockets, measureCommands, measurePostgres, measureDocker]) await part();
const result: ObserverResult = { rows, absent, countedAlone: process.pid < 100 };
writeFileSync(process.argv[3] ?? '/dev/stdout', JSON.stringify(result));
process.exit(0);
