import { execFile } from 'node:child_process';
import { promises, type RecordWithTtl } from 'node:dns';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { messageOf } from '../core/errors.ts';
import type { NameAddress, ResolveName } from '../core/probe.ts';
import type { DurationMs } from '../core/time.ts';
import { parseHosts, searchList } from './system-files.ts';

/** Sources of a resolver; by default those of the system's configuration. */
export interface NameSources {
  /** Addresses of DNS servers, with a port as `192.0.2.53:5353`; default: those of /etc/resolv.conf. */
  readonly servers?: readonly string[];
  /** Returns the text of /etc/hosts. */
  readonly readHosts?: () => string;
  /** Returns the text of /etc/resolv.conf, for its search list. */
  readonly readConf?: () => string;
  /** Queried if the DNS servers answer that there is no such name. */
  readonly askSystem?: (name: string) => Promise<readonly NameAddress[]>;
  /** Monotonic clock, ms. */
  readonly nowMs?: () => DurationMs;
}

/**
 * A name that could not be resolved. `ENOTFOUND`: no such name; `EAI_AGAIN`: unknown, because the DNS servers
 * gave no usable answer.
 */
class NameError extends Error {
  readonly code: 'ENOTFOUND' | 'EAI_AGAIN';

  constructor(code: 'ENOTFOUND' | 'EAI_AGAIN', message: string) {
    super(message);
    this.name = 'NameError';
    this.code = code;
  }
}

/**
 * Timeout of one try at one server, ms; c-ares doubles it for each further round. A lost datagram is sent
 * again within a probe's timeout.
 */
const tryMs = 300;
const tries = 4;
/** Files and the servers of resolv.conf are read again after this time, ms. */
const filesForMs = 5000;
/** Answers of the system's name service have no TTL: they are used for this time, ms. */
const systemForMs = 5000;
/** Once one address family has answered, the other one may take this long, ms (RFC 8305, 3). */
const otherFamilyMs = 50;

/** Answers that mean that there is no such name, or no such record for it. */
const absentCodes: readonly unknown[] = ['ENOTFOUND', 'ENODATA'];

const codeWords: Readonly<Record<string, string>> = {
  ETIMEOUT: 'no answer',
  ECONNREFUSED: 'the DNS server refused the connection, or gave no answer',
  ESERVFAIL: 'SERVFAIL',
  EREFUSED: 'REFUSED',
  EFORMERR: 'FORMERR',
  ENOTIMP: 'NOTIMP',
  EBADRESP: 'the reply is not a DNS message',
};

/** Addresses (possibly none), and until when they may be used, ms. */
interface Kept {
  readonly addresses: readonly NameAddress[];
  readonly untilMs: DurationMs;
}

/** Addresses and how long they may be used, ms. */
interface Found {
  readonly addresses: readonly NameAddress[];
  readonly ttlMs: DurationMs;
}

/**
 * Resolves names without getaddrinfo. That call uses the process's four shared threads, so one name without
 * an answer would delay all others. The order is that of `hosts: files dns`, then the rest of the name
 * service:
 *
 * 1. /etc/hosts, and `localhost`.
 * 2. The DNS servers, over sockets of this thread, along the search list. Addresses are cached for the
 *    answer's TTL, never longer; other answers are not cached.
 * 3. getaddrinfo in its own process (mDNS and other sources), only if the DNS servers answer that there is no
 *    such name.
 *
 * Concurrent calls for one name share one query.
 */
export function createNameResolver(sources: NameSources = {}): ResolveName {
  const { nowMs = () => performance.now(), askSystem = askGetent } = sources;
  const kept = new Map<string, Kept>();
  const system = new Map<string, Kept>();
  const asking = new Map<string, Promise<readonly NameAddress[]>>();
  const hosts = readAgain(() => parseHosts((sources.readHosts ?? textOf('/etc/hosts'))()), nowMs);
  const conf = readAgain(sources.readConf ?? textOf('/etc/resolv.conf'), nowMs);
  const resolver = readAgain(() => {
    const made = new promises.Resolver({ timeout: tryMs, tries });
    if (sources.servers !== undefined) made.setServers(sources.servers);
    return made;
  }, nowMs);

  /** Queries DNS for a name; undefined if the servers answer that there is no such name. */
  const askDns = async (name: string): Promise<Found | undefined> => {
    let failure: NameError | undefined;
    for (const full of searchList(name, conf())) {
      try {
        const found = await askBoth(resolver(), full);
        if (found !== undefined) return found;
      } catch (error) {
        const code = codeOf(error);
        const why = codeWords[code ?? ''] ?? messageOf(error);
        failure ??= new NameError('EAI_AGAIN', `DNS could not resolve ${full}: ${why}`);
        // A server that fails for one domain of the search list may know the next one.
        if (code !== 'ESERVFAIL') break;
      }
    }
    if (failure !== undefined) throw failure;
    return undefined;
  };
  const ask = async (name: string): Promise<readonly NameAddress[]> => {
    const found = await askDns(name);
    if (found !== undefined) {
      kept.set(name, { addresses: found.addresses, untilMs: nowMs() + found.ttlMs });
      return found.addresses;
    }
    // DNS is queried again each time. The system's own sources are cached, because a query starts a process.
    const known = system.get(name);
    if (known !== undefined && nowMs() < known.untilMs) return known.addresses;
    const addresses = await askSystem(name);
    system.set(name, { addresses, untilMs: nowMs() + systemForMs });
    return addresses;
  };

  return async (text) => {
    const name = text.toLowerCase();
    const plain = name.replace(/\.$/, '');
    const fixed = hosts().get(plain) ?? loopbackOf(plain);
    if (fixed !== undefined) return fixed;
    const known = kept.get(name);
    if (known !== undefined && nowMs() < known.untilMs) return known.addresses;
    const running = asking.get(name) ?? ask(name).finally(() => asking.delete(name));
    asking.set(name, running);
    const addresses = await running;
    if (addresses.length === 0) throw new NameError('ENOTFOUND', `DNS: no such name: ${text}`);
    return addresses;
  };
}

/** RFC 6761, 6.3. */
function loopbackOf(name: string): readonly NameAddress[] | undefined {
  if (name !== 'localhost' && !name.endsWith('.localhost')) return undefined;
  return [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ];
}

type Resolver = InstanceType<typeof promises.Resolver>;

/**
 * Addresses of both families; undefined if the server answers that there are none. Rejects if the server
 * fails.
 */
async function askBoth(resolver: Resolver, name: string): Promise<Found | undefined> {
  const found: Found[] = [];
  const failures: unknown[] = [];
  const first = Promise.withResolvers<void>();
  const take = async (asked: Promise<Found | undefined>): Promise<void> => {
    try {
      const one = await asked;
      if (one === undefined) return;
      found.push(one);
      first.resolve();
    } catch (error) {
      failures.push(error);
    }
  };
  const both = Promise.all([
    take(toFound(resolver.resolve4(name, { ttl: true }), 4)),
    take(toFound(resolver.resolve6(name, { ttl: true }), 6)),
  ]);
  await Promise.race([both, first.promise.then(() => setTimeout(otherFamilyMs, undefined, { ref: false }))]);
  if (found.length > 0) {
    const addresses = found.flatMap((one) => one.addresses);
    return { addresses: inOrder(addresses), ttlMs: Math.min(...found.map((one) => one.ttlMs)) };
  }
  if (failures.length > 0) throw failures[0];
  return undefined;
}

/** One family's answer; undefined for "no such name" and "no such record". */
async function toFound(asked: Promise<readonly RecordWithTtl[]>, family: 4 | 6): Promise<Found | undefined> {
  try {
    const records = await asked;
    if (records.length === 0) return undefined;
    return {
      addresses: records.map(({ address }) => ({ address, family })),
      ttlMs: 1000 * Math.min(...records.map(({ ttl }) => ttl)),
    };
  } catch (error) {
    if (absentCodes.includes(codeOf(error))) return undefined;
    throw error;
  }
}

/** IPv6 first if this machine has a global IPv6 address, as getaddrinfo does. */
function inOrder(addresses: readonly NameAddress[]): readonly NameAddress[] {
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const hasSix = own.some(
    ({ family, internal, address }) => family === 'IPv6' && !internal && /^[23]/.test(address),
  );
  const first = hasSix ? 6 : 4;
  return addresses.toSorted((a, b) => Number(a.family !== first) - Number(b.family !== first));
}

/** Caches a value for `filesForMs`. */
function readAgain<T>(make: () => T, nowMs: () => DurationMs): () => T {
  let last: { readonly value: T; readonly atMs: DurationMs } | undefined;
  return () => {
    if (last === undefined || nowMs() - last.atMs >= filesForMs) last = { value: make(), atMs: nowMs() };
    return last.value;
  };
}

/**
 * Reads a small system file synchronously: an asynchronous read would wait for the threads that getaddrinfo
 * may occupy.
 */
function textOf(path: string): () => string {
  return () => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return '';
    }
  };
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Time limit of `getent`, ms: glibc's timeout for one server. */
const getentWithinMs = 5000;

/**
 * Queries the system's name service in its own process, for sources of /etc/nsswitch.conf other than files
 * and DNS, such as mDNS. Empty if the name is unknown or `getent` is missing. Never rejects.
 */
async function askGetent(name: string): Promise<readonly NameAddress[]> {
  if (name.startsWith('-')) return [];
  const { promise, resolve } = Promise.withResolvers<string>();
  execFile('getent', ['ahosts', name], { timeout: getentWithinMs }, (error, stdout) =>
    resolve(error === null ? stdout : ''),
  );
  const addresses = (await promise).split('\n').map((line) => line.split(/\s+/)[0] ?? '');
  return [...new Set(addresses)].flatMap((address) => {
    const family = isIP(address);
    return family === 4 || family === 6 ? [{ address, family }] : [];
  });
}
