import { connect } from 'node:net';
import {
  abortedBy,
  defineExtension,
  defineProbe,
  failureOf,
  hostPort,
  nameLookup,
  requireHostPort,
  z,
} from 'firedrill';
import type { Observation } from 'firedrill';

const params = z.strictObject({
  address: hostPort.describe('host:port of memcached.'),
  key: z
    .string()
    .regex(/^[!-~]{1,250}$/, { error: 'expected at most 250 characters without blanks' })
    .optional()
    .describe('Key that must exist; its value is the value of the sample (default: ask for the version).'),
});
type Params = z.output<typeof params>;

/** An answer is a line or a short value: more than this is no answer of memcached. */
const maxAnswerChars = 64 * 1024;

/** Asks memcached by its text protocol, over a new connection for each sample. */
const get = defineProbe<Params>({
  kind: 'memcached.get',
  summary: 'A request to memcached by its text protocol. A sample is good when the key has a value.',
  params,
  lane: 'network',
  needsHost: false,
  cost: () => ({ newConnections: 1, commands: 0, processes: 0 }),
  describe: (p) => `${requestOf(p).trim()} to ${p.address}`,
  open: async (p, ctx) => {
    const target = requireHostPort(p.address);
    return {
      observe: async (signal) => {
        if (signal.aborted) return abortedBy(signal);
        const names = nameLookup(ctx.resolveName);
        const { promise, resolve } = Promise.withResolvers<Observation>();
        const socket = connect({ ...target, lookup: names.lookup });
        const onAbort = (): void => resolve(abortedBy(signal, names));
        signal.addEventListener('abort', onAbort, { once: true });
        let text = '';
        socket.setEncoding('latin1');
        socket.once('connect', () => socket.write(requestOf(p)));
        socket.on('data', (part: string) => {
          text += part;
          const seen = observationOf(text, p);
          if (seen !== undefined) resolve(seen);
        });
        socket.on('error', (error) => resolve(failureOf(error)));
        socket.on('close', () =>
          resolve({ status: 'fail', cause: 'reset', message: 'the connection closed without an answer' }),
        );
        try {
          return await promise;
        } finally {
          signal.removeEventListener('abort', onAbort);
          socket.destroy();
        }
      },
      close: async () => {},
    };
  },
});

function requestOf({ key }: Params): string {
  return key === undefined ? 'version\r\n' : `get ${key}\r\n`;
}

/** The observation of an answer; undefined while it is incomplete. */
function observationOf(text: string, { key }: Params): Observation | undefined {
  const bad = (message: string): Observation => ({ status: 'fail', cause: 'bad-body', message });
  if (text.length > maxAnswerChars) return bad(`an answer of more than ${maxAnswerChars} characters`);
  const end = text.indexOf('\r\n');
  if (end < 0) return undefined;
  const line = text.slice(0, end);
  if (/^(?:ERROR|CLIENT_ERROR|SERVER_ERROR)/.test(line))
    return { status: 'fail', cause: 'error', message: line };
  if (key === undefined) {
    const version = /^VERSION (\S+)$/.exec(line)?.[1];
    return version === undefined
      ? bad(`not an answer of memcached: ${line.slice(0, 80)}`)
      : { status: 'ok', value: version };
  }
  if (line === 'END') return bad(`no value for the key ${key}`);
  const size = /^VALUE \S+ \d+ (\d+)$/.exec(line)?.[1];
  if (size === undefined) return bad(`not an answer of memcached: ${line.slice(0, 80)}`);
  const from = end + 2;
  const after = from + Number(size);
  if (text.length < after + '\r\nEND\r\n'.length) return undefined;
  return text.slice(after) === '\r\nEND\r\n'
    ? { status: 'ok', value: text.slice(from, after) }
    : bad('an answer of another length than it says');
}

export default defineExtension({ name: 'memcached', probes: [get] });
