import { formatIpAddress, parseIpAddress } from '../core/ip-address.ts';
import type { Json } from '../core/plan.ts';
import type { ProbeSeries, RunLog, WriterRecord } from './read-log.ts';

/** An acknowledged write: what it was sent to was up at some instant in it. ms on the run clock. */
export interface AckedWrite {
  readonly sendMs: number;
  readonly finishMs: number;
}

/**
 * Writes that were acknowledged by the address which a probe asks, in send order. They show that it was up where samples of
 * the probe timed out. They say nothing against any other failure: the probe may ask for more than a write needs.
 */
export function ackedWrites(log: RunLog, { probe }: ProbeSeries): readonly AckedWrite[] {
  const asked = addressOf(probe.kind, probe.params);
  if (asked === null) return [];
  return [...log.writing.values()]
    .flatMap((writer) => acknowledgedBy(writer, asked))
    .sort((a, b) => a.sendMs - b.sendMs);
}

function acknowledgedBy({ planned, written }: WriterRecord, address: string): readonly AckedWrite[] {
  const same = planned.paths.map((path) => addressOf(planned.kind, path.params) === address);
  if (!same.includes(true)) return [];
  // Clients are numbered from 1, path after path.
  return written.filter(
    (w) => w.outcome === 'acked' && same[Math.floor((w.client - 1) / planned.clients)] === true,
  );
}

const defaultPorts: Readonly<Record<string, string>> = {
  'http:': '80',
  'https:': '443',
  'postgresql:': '5432',
  'postgres:': '5432',
};

/** `host:port` that a probe or a writer connects to; null where its parameters do not say. */
function addressOf(kind: string, params: Json): string | null {
  if (kind === 'sql') return hostAndPort(textAt(params, 'dsn'));
  if (kind !== 'http') return null;
  const url = textAt(params, 'url') ?? textAt(params, 'write', 'url');
  return canonicalHostAndPort(textAt(params, 'connectTo')) ?? hostAndPort(url);
}

function textAt(params: Json, ...path: readonly string[]): string | null {
  let at: unknown = params;
  for (const name of path) at = typeof at === 'object' && at !== null ? Reflect.get(at, name) : null;
  return typeof at === 'string' ? at : null;
}

function hostAndPort(text: string | null): string | null {
  if (text === null || !URL.canParse(text)) return null;
  const { protocol, hostname, port } = new URL(text);
  if (hostname === '') return null;
  return canonicalHostAndPort(`${hostname}:${port === '' ? (defaultPorts[protocol] ?? '') : port}`);
}

/** One text for all spellings of a `host:port`: an address may be spelled in several ways, a name in capitals or with a last dot. */
function canonicalHostAndPort(text: string | null): string | null {
  const [, host, port] = /^\[?([^\]]*?)\]?:(\d+)$/.exec(text ?? '') ?? [];
  if (host === undefined) return text;
  const address = parseIpAddress(host);
  const name = address === undefined ? host.toLowerCase().replace(/\.$/, '') : formatIpAddress(address);
  return `${name} ${port}`;
}
