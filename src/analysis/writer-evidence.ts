import { formatIpAddress, parseIpAddress } from '../core/ip-address.ts';
import type { Json } from '../core/plan.ts';
import type { RunMs } from '../core/time.ts';
import type { Range } from './intervals.ts';
import { NumberColumn, sortIndexes } from './number-column.ts';
import type { ProbeSeries, RunLog, WriterRecord } from './run-log.ts';

/** An acknowledged write: its address was up at some instant within it. ms on the run clock. */
export interface AckedWrite {
  readonly sendMs: RunMs;
  readonly finishMs: RunMs;
}

/**
 * Writes that were acknowledged by the address of a probe, in send order. They prove that the address was up although samples of
 * the probe timed out. They do not contradict other failures, because the probe may require more than a write does.
 */
export class AckedWrites {
  readonly #sendsMs = new NumberColumn<RunMs>();
  readonly #finishesMs = new NumberColumn<RunMs>();
  readonly #order: Uint32Array;

  constructor(log: RunLog, { probe }: ProbeSeries) {
    const asked = addressOf(probe.kind, probe.params);
    if (asked !== null) for (const writer of log.writing.values()) this.#addFrom(writer, asked);
    const indexes = Uint32Array.from({ length: this.#sendsMs.length }, (_, index) => index);
    this.#order = sortIndexes(indexes, (index) => this.#sendsMs.at(index));
  }

  #addFrom({ planned, written }: WriterRecord, address: string): void {
    const same = planned.paths.map((path) => addressOf(planned.kind, path.params) === address);
    if (!same.includes(true)) return;
    for (let row = 0; row < written.length; row++) {
      // Clients are numbered from 1, path after path.
      const isSame = same[Math.floor((written.clientOf(row) - 1) / planned.clients)] === true;
      if (!isSame || written.outcomeOf(row) !== 'acked') continue;
      this.#sendsMs.push(written.sendMsOf(row));
      this.#finishesMs.push(written.finishMsOf(row));
    }
  }

  get length(): number {
    return this.#order.length;
  }

  /** The write at a place in send order; undefined if there is none. */
  at(place: number): AckedWrite | undefined {
    const index = this.#order[place];
    if (index === undefined) return undefined;
    return { sendMs: this.#sendsMs.at(index), finishMs: this.#finishesMs.at(index) };
  }

  /** The writes within one of the spans, in send order. */
  within(spans: readonly Range[]): readonly AckedWrite[] {
    const inside: AckedWrite[] = [];
    for (let place = 0; place < this.length; place++) {
      const write = this.at(place);
      if (write !== undefined && spans.some((s) => write.sendMs >= s.fromMs && write.finishMs <= s.toMs))
        inside.push(write);
    }
    return inside;
  }
}

const defaultPorts: Readonly<Record<string, string>> = {
  'http:': '80',
  'https:': '443',
  'postgresql:': '5432',
  'postgres:': '5432',
};

/** The `host:port` that a probe or a writer connects to; null if its parameters do not contain it. */
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

/** The same text for all spellings of a `host:port`: IP addresses, upper and lower case, a trailing dot. */
function canonicalHostAndPort(text: string | null): string | null {
  const [, host, port] = /^\[?([^\]]*?)\]?:(\d+)$/.exec(text ?? '') ?? [];
  if (host === undefined) return text;
  const address = parseIpAddress(host);
  const name = address === undefined ? host.toLowerCase().replace(/\.$/, '') : formatIpAddress(address);
  return `${name} ${port}`;
}
