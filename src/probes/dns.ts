import { Resolver } from 'node:dns';
import { isIP } from 'node:net';
import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import type { ProbeKind } from '../core/probe.ts';
import type { Observation } from '../core/sample.ts';
import { shorten } from '../core/shorten.ts';
import { abortedBy, failureOf } from '../net/net-errors.ts';
import { regex, requireRegex } from '../net/text-params.ts';

const params = z.strictObject({
  name: z.string().min(1).describe('Name to ask for, in full: no search list is gone through.'),
  type: z
    .enum(['A', 'AAAA', 'CNAME', 'MX', 'NS', 'PTR', 'SOA', 'SRV', 'TXT'])
    .default('A')
    .describe('Type of the records; of SOA the serial is told.'),
  server: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Address of the server to ask, or [address]:port, IPv4 also address:port; the system’s by default.',
    ),
  expect: regex.optional().describe('Regular expression that the value must match.'),
});
type Params = z.output<typeof params>;
type RecordType = Params['type'];

/** Longest value kept: a value is a state, not a document. */
const valueLimit = 200;
/** c-ares would ask again and wait longer each time: one try, which the probe's time-out ends. */
const beyondMs = 1000;

/** Codes of the answers that a server gives, as they are called in DNS. */
const answerWords: Readonly<Record<string, string>> = {
  ENOTFOUND: 'there is no such name (NXDOMAIN)',
  ENODATA: 'the name has no such record',
  ESERVFAIL: 'the server failed (SERVFAIL)',
  EREFUSED: 'the server will not answer this (REFUSED)',
  EFORMERR: 'the server does not understand the question (FORMERR)',
  ENOTIMP: 'the server does not do this (NOTIMP)',
  EBADRESP: 'the reply is no DNS',
};

/**
 * Asks a DNS server, from a new port for each look and past every cache but its own. A server that answers that there
 * is no such name, or with an error, is `dns`; one that does not answer is `timeout`, or `refused` by its machine.
 */
export const dns: ProbeKind<Params> = {
  kind: 'dns',
  summary: 'A DNS question to one server or to the system’s; the value is the answers, sorted.',
  params,
  lane: 'network',
  needsHost: false,
  // One datagram each way; a long answer over TCP is rare.
  cost: () => ({ newConnections: 0, commands: 0, processes: 0 }),
  describe: (p) => `resolve ${p.type} ${p.name}${p.server === undefined ? '' : ` at ${p.server}`}`,
  open: async (p, ctx) => {
    const server = p.server === undefined ? undefined : requireServer(p.server);
    const expected = p.expect === undefined ? undefined : requireRegex(p.expect);
    return {
      observe: async (signal) => {
        if (signal.aborted) return abortedBy(signal);
        // One for each look: ending a look ends everything that its resolver asks.
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
  phases: { readonly firstByteMs: number },
): Observation {
  const value = textsOf(records, type).sort().join(', ').slice(0, valueLimit);
  if (expected === undefined || expected.test(value)) return { status: 'ok', value, phases };
  const message = shorten(`the answer does not match ${expected.source}: ${value}`);
  return { status: 'fail', cause: 'bad-body', message, value, phases };
}

/** What the server answered is its failure; anything else is one of the way to it. */
function failed(error: NodeJS.ErrnoException, phases: { readonly firstByteMs: number }): Observation {
  const words = answerWords[error.code ?? ''];
  return words === undefined
    ? failureOf(error, 'dns')
    : { status: 'fail', cause: 'dns', message: words, phases };
}

/** Each record as text, as zone files have it, without its name, class and type. */
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

/** As c-ares takes it. @throws DrillError `invalid-input` */
function requireServer(text: string): string {
  const match = /^(?:\[([^\]]+)\]|([^:]+)|([^[\]]*:[^[\]]*:[^[\]]*))(?::(\d{1,5}))?$/.exec(text);
  const address = match?.[1] ?? match?.[2] ?? match?.[3] ?? '';
  const port = Number(match?.[4] ?? 53);
  if (isIP(address) === 0 || port < 1 || port > 65_535)
    throw new DrillError('invalid-input', `server: "${text}" is no address`, {
      mend: 'Write an IP address, with a port as 192.0.2.53:5353 or [2001:db8::53]:5353.',
    });
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}
