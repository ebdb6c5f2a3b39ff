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
import type { NotMeasured, ObserverInput, ObserverResult, SampleCostRow } from './messages.ts';
import { postgresPrograms, startPostgres } from './postgres.ts';
import { lastPid, treeCpuMs } from './tree-cpu.ts';

// Measures the cost of one sample of each probe kind and of common tools. A separate process, so that its CPU time is that of the
// samples. As root it runs in its own PID namespace, in which no other program starts processes. The first argument is the
// input; the result goes to the file in the second argument.

const input = JSON.parse(process.argv[2] ?? '{}') as ObserverInput;
const timeoutMs = 2000;
/** Pause between two samples, ms. */
const pauseMs = 10;
/** Samples before the measured ones, in which code is compiled and connections are opened. */
const warmUp = 10;

const rows: SampleCostRow[] = [];
const absent: NotMeasured[] = [];
let postgres: string | null = null;
const local = createLocalHost('here');

/** A host whose commands run in a kept shell, as for transport `docker`. */
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

/** CPU time of all commands of this process, including those in kept shells and without the server's process, ms. */
function commandsCpuMs(server: number | undefined): number {
  const own = process.cpuUsage();
  const whole = treeCpuMs(process.pid, server === undefined ? [] : [server]);
  return whole - Math.floor((own.user + own.system) / 10_000) * 10;
}

/** One measured series. */
interface Series {
  readonly kind: string;
  readonly what: string;
  readonly peer?: true;
  /** The server's process id, if its CPU is measured. */
  readonly server?: number;
  /** The commands count for a host, not for the prober's machine. */
  readonly onHost?: true;
}

async function measure(series: Series, samples: number, act: () => Promise<void>): Promise<void> {
  const { kind, what, peer = false, server, onHost = false } = series;
  // Precise to 1 µs for this process, and to a clock tick for its commands.
  const cpu = (): number => readCpuTimes().ownMs + (onHost ? 0 : commandsCpuMs(server));
  const hostCpu = (): number | null => {
    if (onHost) return commandsCpuMs(undefined);
    return server === undefined ? null : treeCpuMs(server);
  };
  const before = { cpu: cpu(), host: hostCpu(), pid: lastPid() };
  await act();
  // Commands that have just ended are reaped within this time.
  await pause(50);
  const host = hostCpu();
  rows.push({
    kind,
    what,
    peer,
    proberCpuMs: (cpu() - before.cpu) / samples,
    hostCpuMs: host === null || before.host === null ? null : (host - before.host) / samples,
    processes: (lastPid() - before.pid) / samples,
  });
}

/** Measures samples of a probe, one after another. */
async function probe(series: Series, fields: Json, host: Host = local): Promise<void> {
  const kind = probeKind(series.kind);
  if (kind === undefined) throw new Error(`no probe ${series.kind}`);
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

/** The same for a kind whose requirements are only known at the first sample. */
async function probeOrAbsent(series: Series, fields: Json, host: Host): Promise<void> {
  try {
    await probe(series, fields, host);
  } catch (error) {
    absent.push({ kind: series.kind, why: (error as Error).message });
  }
}

/** Measures a command in a shell loop, without pauses. */
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
  await probe({ kind: 'tcp', what: '`tcp`' }, { address: at });
  const lines = { address: `127.0.0.1:${input.linePort}`, send: 'PING', expect: '^ok$' };
  await probe({ kind: 'tcp-session', what: '`tcp-session`' }, lines);
  await probe({ kind: 'http', what: '`http`, a new connection' }, { url });
  await probe({ kind: 'http', what: '`http`, kept alive' }, { url, connection: 'kept-alive' });
  if (works('curl', '--version')) await loop({ kind: 'http', what: 'curl in a loop' }, `curl -s ${url}`);
  else absent.push({ kind: 'http', why: 'curl was not installed' });
  const csv = `http://127.0.0.1:${input.csvPort}/;csv`;
  const stats = { url: csv, backend: 'web', server: 'a' };
  await probe({ kind: 'haproxy-stats', what: '`haproxy-stats`' }, stats);
  await probe({ kind: 'dns', what: '`dns`' }, { name: 'a.example', server: input.dnsAddress });
}

async function measureCommands(): Promise<void> {
  const argv = ['cat', '/proc/loadavg'];
  const exec = { kind: 'exec' };
  await probe(
    { ...exec, what: '`exec` of cat, transport local (the host is the prober’s machine)' },
    { argv },
  );
  await probe({ ...exec, what: '`exec` of cat, kept shell of a host', onHost: true }, { argv }, shellHost());
  await loop({ ...exec, what: 'cat in a loop' }, argv.join(' '));
  if (works('ping', '-c1', '127.0.0.1'))
    await probe({ kind: 'icmp', what: '`icmp`' }, { address: '127.0.0.1' });
  else absent.push({ kind: 'icmp', why: 'there was no usable ping' });
}

/** Measures kinds that run a command in a host's kept shell for each sample. */
async function measureHostKinds(): Promise<void> {
  if (works('ip', '-V')) {
    const series: Series = { kind: 'vip-claim', what: '`vip-claim`, kept shell of a host', onHost: true };
    await probeOrAbsent(series, { address: '192.0.2.1' }, shellHost());
    await loop({ kind: 'vip-claim', what: 'ip address in a loop' }, 'ip -j address show');
  } else absent.push({ kind: 'vip-claim', why: 'ip was not installed' });
  if (works('journalctl', '--lines=1')) {
    const series: Series = { kind: 'journal', what: '`journal`, kept shell of a host', onHost: true };
    const marks = [{ name: 'any', match: 'never in any line' }];
    await probeOrAbsent(series, { unit: 'systemd-journald.service', marks }, shellHost());
  } else absent.push({ kind: 'journal', why: 'there was no readable journal' });
  absent.push(
    { kind: 'arp', why: 'there was no network segment with another machine' },
    { kind: 'vrrp', why: 'there was no network segment with another machine' },
  );
}

async function measurePostgres(): Promise<void> {
  const programs = postgresPrograms();
  if (programs === undefined) {
    absent.push({ kind: 'sql', why: 'no PostgreSQL server was installed' });
    return;
  }
  postgres = execFileSync(join(programs, 'postgres'), ['--version'], { encoding: 'utf8' })
    .replace(/^postgres \(PostgreSQL\) (\S+).*$/s, '$1')
    .trim();
  const folder = join(input.folder, 'postgres');
  mkdirSync(folder);
  const server = await startPostgres(programs, folder);
  const dsn = `postgresql://postgres@127.0.0.1:${server.port}/postgres`;
  const query = 'SELECT pg_is_in_recovery()';
  const sql = { kind: 'sql', server: server.pid };
  try {
    await probe({ ...sql, what: '`sql`, a new session' }, { dsn, query });
    await probe({ ...sql, what: '`sql`, `connection: kept`' }, { dsn, query, connection: 'kept' });
    await loop({ ...sql, what: 'psql in a loop' }, `psql -XAtc '${query}' '${dsn}'`);
  } finally {
    await server.stop();
  }
}

async function measureDocker(): Promise<void> {
  const kind = 'container';
  const found = works('docker', 'version')
    ? execFileSync('docker', ['ps', '-aq', '--no-trunc'], { encoding: 'utf8' }).split('\n')[0]
    : undefined;
  if (found === undefined || found === '') {
    const why = found === undefined ? 'no Docker engine answered' : 'the engine had no container';
    absent.push({ kind, why });
    return;
  }
  await probe({ kind, what: '`container`, API over a kept connection' }, { name: found });
  const { pipe: _, ...byCommand } = local;
  await probe({ kind, what: '`container`, a command each' }, { name: found }, byCommand);
  await loop(
    { kind, what: 'docker inspect in a loop' },
    `docker inspect --format '{{.State.Status}}' ${found}`,
  );
}

const parts = [measureSockets, measureCommands, measureHostKinds, measurePostgres, measureDocker];
for (const part of parts) await part();
const { samples } = input;
const result: ObserverResult = { samples, rows, absent, countedAlone: process.pid < 100, postgres };
writeFileSync(process.argv[3] ?? '/dev/stdout', JSON.stringify(result));
process.exit(0);
