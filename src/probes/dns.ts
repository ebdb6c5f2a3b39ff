import { Resolver } from 'node:dns';
import { isIP } from 'node:net';
import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import type { ProbeKind } from '../core/probe.ts';
import type { Observation } from '../core/sample.ts';
import { shorten } from '../core/shorten.ts';
import type { DurationMs } from '../core/time.ts';
import { abortedBy, failureOf } from '../net/net-errors.ts';
import { regex, requireRegex } from '../net/text-params.ts';

const params = z.strictObject({
  name: z.string().min(1).describe('Full name to look up. The search list is not used.'),
  type: z
    .enum(['A', 'AAAA', 'CNAME', 'MX', 'NS', 'PTR', 'SOA', 'SRV', 'TXT'])
    .default('A')
    .describe('Type of the records. For SOA, the value is the serial.'),
  server: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Server to query: an IP address, optionally with a port (192.0.2.53:5353 or [2001:db8::53]:5353). Default: the system’s servers.',
    ),
  expect: regex.optional().describe('Regular expression that the value must match.'),
});
type Params = z.output<typeof params>;
type RecordType = Params['type'];

/** Longest value, in characters: a value is a state, not a document. */
const valueLimit = 200;
/**
 * Added to the probe's timeout for the resolver's only try. Otherwise c-ares would repeat the query and wait
 * longer each time.
 */
const beyondMs = 1000;

/** Messages for the resolver's error codes that stand for a server's answer. */
const answerWords: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name does not exist (NXDOMAIN)',
  ENODATA: 'the name has no record of this type',
  ESERVFAIL: 'the server reported a failure (SERVFAIL)',
  EREFUSED: 'the server refused the query (REFUSED)',
  EFORMERR: 'the server cannot parse the query (FORMERR)',
  ENOTIMP: 'the server does not support the query (NOTIMP)',
  EBADRESP: 'the reply is not a valid DNS message',
};

/**
 * Queries a DNS server from a new port for each sample. Only the server's own cache can answer. The cause is
 * `dns` if the server answers with an error, also if the name does not exist. It is `timeout` if the server
 * does not answer, and `refused` if its machine refuses the port.
 */
export const dns: ProbeKind<Params> = {
  kind: 'dns',
  summary: 'A DNS query to one server or to the system’s servers. The value is the sorted answers.',
  params,
  lane: 'network',
  needsHost: false,
  // One datagram in each direction. A long answer over TCP is rare.
  cost: () => ({ newConnections: 0, commands: 0, processes: 0 }),
  describe: (p) => `resolve ${p.type} ${p.name}${p.server === undefined ? '' : ` at ${p.server}`}`,
  open: async (p, ctx) => {
    const server = p.server === undefined ? undefined : requireServer(p.server);
    const expected = p.expect === undefined ? undefined : requireRegex(p.expect);
    return {
      observe: async (signal) => {
        if (signal.aborted) return abortedBy(signal);
        // One resolver per sample, because `cancel` ends all queries of a resolver.
        const resolver = new Resolver({ timeout: Math.ceil(ctx.timeoutMs) + beyondMs, tries: 1 });
        if (server !== undefined) resolver.setServers([server]);
        const startMs = ctx.clock.nowMs();
        const { promise, resolve } = Promise.withResolvers<Observation>();
        const onAbort = (): void => resolve(abortedBy(signal));
        signal.addEventListener('abort', onAbort, { once: true });
        resolver.resolve(p.name, p.type, (error, records: unknown) => {
          const phases = { firstByteMs: ctx.clock.nowMs() - startMs };
          resolve(error === null ? judge(records, p.type, expected, phases) : failed(error, phases));
        });
        try {
          return await promise;
        } finally {
          signal.removeEventListener('abort', onAbort);
          resolver.cancel();
        }
      },
      close: async () => {},
    };
  },
};

function judge(
  records: unknown,
  type: RecordType,
  expected: RegExp | undefined,
  phases: { readonly firstByteMs: DurationMs },
): Observation {
  const value = textsOf(records, type).sort().join(', ').slice(0, valueLimit);
  if (expected === undefined || expected.test(value)) return { status: 'ok', value, phases };
  const message = shorten(`the answer does not match ${expected.source}: ${value}`);
  return { status: 'fail', cause: 'bad-body', message, value, phases };
}

/** An error from the server has the cause `dns`. Any other error is a connection failure. */
function failed(error: NodeJS.ErrnoException, phases: { readonly firstByteMs: DurationMs }): Observation {
  const words = answerWords[error.code ?? ''];
  return words === undefined
    ? failureOf(error, 'dns')
    : { status: 'fail', cause: 'dns', message: words, phases };
}

/** Each record as text in the format of zone files, without its name, class, and type. */
function textsOf(records: unknown, type: RecordType): string[] {
  const list = Array.isArray(records) ? (records as unknown[]) : [records];
  return list.map((record) => {
    if (typeof record === 'string') return record;
    // The strings of one TXT record belong together.
    if (Array.isArray(record)) return record.join('');
    const field = record as Readonly<Record<string, unknown>>;
    const names = {
      MX: ['priority', 'exchange'],
      SRV: ['priority', 'weight', 'port', 'name'],
      SOA: ['serial'],
    };
    return (names[type as keyof typeof names] ?? []).map((name) => String(field[name])).join(' ');
  });
}

/** The server in the format of c-ares. @throws DrillError `invalid-input` */
function requireServer(text: string): string {
  const match = /^(?:\[([^\]]+)\]|([^:]+)|([^[\]]*:[^[\]]*:[^[\]]*))(?::(\d{1,5}))?$/.exec(text);
  const address = match?.[1] ?? match?.[2] ?? match?.[3] ?? '';
  const port = Number(match?.[4] ?? 53);
  if (isIP(address) === 0 || port < 1 || port > 65_535)
    throw new DrillError('invalid-input', `server: "${text}" is not an IP address`, {
      hint: 'Use an IP address, optionally with a port: 192.0.2.53:5353 or [2001:db8::53]:5353.',
    });
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}
