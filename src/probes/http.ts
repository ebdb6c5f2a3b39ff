import { TreeInterpreter, compile, type JSONValue } from '@jmespath-community/jmespath';
import { z } from 'zod';
import { messageOf } from '../core/errors.ts';
import type { ProbeKind } from '../core/probe.ts';
import type { Observation } from '../core/sample.ts';
import { shorten } from '../core/shorten.ts';
import { exchange, prepareHttpCall, statusCause, type HttpReply } from '../net/http-exchange.ts';
import { isJmesPath } from '../net/jmespath.ts';
import { headers, secretRef } from '../net/secret.ts';
import { hostPort, httpUrl, regex, requireRegex } from '../net/text-params.ts';
import { httpTlsFields } from '../net/tls-params.ts';

const params = z.strictObject({
  url: httpUrl,
  connectTo: hostPort
    .optional()
    .describe(
      'host:port to connect to, instead of the host and port in the URL. The Host header, SNI, and the certificate check still use the URL.',
    ),
  connection: z
    .enum(['new', 'kept-alive'])
    .default('new')
    .describe(
      '`new`: a new connection for each sample. `kept-alive`: one connection for as long as it works, like a client with a connection pool; after a failed sample, the next sample opens another. The recovery probe may use `kept-alive` only with `keptConnection: true`, because a kept connection does not show that new clients are refused.',
    ),
  method: z
    .enum(['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS'])
    .default('GET')
    .describe('Method of the request. POST and PUT may have a body.'),
  body: z
    .union([z.string(), secretRef], { error: 'expected a text, { file: … } or { env: … }' })
    .optional()
    .describe('Body of the request, or where to read it. Set its Content-Type in `headers`.'),
  headers,
  ...httpTlsFields,
  expect: z
    .strictObject({
      status: z
        .array(z.int().min(100).max(599))
        .min(1)
        .default([200])
        .describe('Status codes that count as good. Redirects are not followed.'),
      body: regex.optional().describe('Regular expression that the body must match.'),
    })
    .prefault({})
    .describe('Conditions for a good reply.'),
  value: z
    .string()
    .refine(isJmesPath, { error: 'not a valid JMESPath expression' })
    .optional()
    .describe(
      "JMESPath expression that reads the probe’s value from the JSON body, also of a bad reply. Whole numbers beyond 2^53 are read as text with all digits. A good reply without a match fails with the cause `bad-body`; to avoid that, add a default: `leader || 'none'`.",
    ),
  maxBodyBytes: z
    .int()
    .min(1)
    .max(16_777_216)
    .default(65_536)
    .describe(
      'Longest body that is read, in bytes. The request asks for an uncompressed body; gzip, deflate, br, and zstd are decoded.',
    ),
});
type Params = z.output<typeof params>;

/** Longest value, in characters: a value is a state, not a document. */
const valueLimit = 200;

/** Sends an HTTP request, over a new connection for each sample or over a kept one. */
export const http: ProbeKind<Params> = {
  kind: 'http',
  summary:
    'An HTTP request over a new or a kept connection. Status and body decide whether the sample is good; a value can be read from JSON.',
  params,
  lane: 'network',
  needsHost: false,
  cost: (p) => ({ newConnections: p.connection === 'kept-alive' ? 0 : 1, commands: 0, processes: 0 }),
  keepsSession: (p) => (p.connection === 'kept-alive' ? 'client' : undefined),
  conflict: ({ method, body }) =>
    body === undefined || method === 'POST' || method === 'PUT'
      ? undefined
      : { field: 'body', message: `body: a ${method} request has no body; set \`method\` to POST or PUT` },
  describe: (p) =>
    `${p.method} ${p.url}${p.connectTo === undefined ? '' : ` at ${p.connectTo}`}${p.connection === 'kept-alive' ? ' over a kept connection' : ''}`,
  async open(p, ctx) {
    const keptAlive = p.connection === 'kept-alive';
    const call = await prepareHttpCall({ ...p, keptAlive }, ctx);
    const good = new Set(p.expect.status);
    const body = p.expect.body === undefined ? undefined : requireRegex(p.expect.body);
    const read = p.value === undefined ? undefined : valueReader(p.value);
    // A good reply is read to its end, because the connection may break in its body. A bad reply is read only
    // for its value, or to reuse the connection.
    const keepBody = (status: number): boolean => good.has(status) || read !== undefined || keptAlive;
    return {
      observe: async (signal) => {
        const reply = await exchange(call, ctx, signal, keepBody);
        return 'status' in reply ? reply : judge(reply, good, body, read);
      },
      close: async () => call.agent?.destroy(),
    };
  },
};

/**
 * The outcome of a reply. The first of these that applies decides:
 *
 * 1. the status is not in `expect.status`: `fail` (a value in the body is still read);
 * 2. the body broke off: `fail`, or `unknown` if firedrill is the cause;
 * 3. the body does not match `expect.body`, or cannot be decoded: `fail` with the cause `bad-body`;
 * 4. `value` finds nothing: `fail` with the cause `bad-body`;
 * 5. otherwise `ok`.
 */
function judge(
  reply: HttpReply,
  good: ReadonlySet<number>,
  body: RegExp | undefined,
  read: ((body: string) => string) | undefined,
): Observation {
  const { statusCode, phases } = reply;
  const value = readValue(reply, read);
  const known = value.text === undefined ? {} : { value: value.text };
  if (!good.has(statusCode)) {
    return {
      status: 'fail',
      cause: statusCause(statusCode),
      message: `status ${statusCode}`,
      ...known,
      phases,
    };
  }
  if (reply.broken !== undefined) {
    return reply.broken.status === 'fail' ? { ...reply.broken, phases } : reply.broken;
  }
  if (body !== undefined && reply.unread !== undefined)
    return { status: 'fail', cause: 'bad-body', message: shorten(reply.unread), phases };
  if (body !== undefined && !body.test(reply.body)) {
    const message = `the body does not match ${body.source}: ${shorten(reply.body.slice(0, 120))}`;
    return { status: 'fail', cause: 'bad-body', message: shorten(message), ...known, phases };
  }
  if (value.problem !== undefined)
    return { status: 'fail', cause: 'bad-body', message: value.problem, phases };
  return { status: 'ok', ...known, phases };
}

/** The value in the body, or why there is none; neither if the probe has no `value`. */
function readValue(
  { body, unread }: HttpReply,
  read: ((body: string) => string) | undefined,
): { readonly text?: string; readonly problem?: string } {
  if (read === undefined) return {};
  if (unread !== undefined) return { problem: shorten(unread) };
  try {
    return { text: read(body) };
  } catch (error) {
    return { problem: shorten(`no value in the body: ${messageOf(error)}`) };
  }
}

/**
 * Reads the value of a JSON body as text: strings unchanged, everything else as JSON. Throws if the body is
 * not JSON, or if nothing matches: JMESPath then returns `null`, which is not a state.
 */
function valueReader(expression: string): (body: string) => string {
  const compiled = compile(expression);
  return (body) => {
    const value = TreeInterpreter.search(compiled, parseExactly(body) as JSONValue);
    if (value === null || value === undefined) throw new Error(`nothing matches ${expression}`);
    return (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, valueLimit);
  };
}

/** The context that `JSON.parse` passes to a reviver: the source text of a primitive. */
interface Source {
  readonly source?: string;
}

/**
 * Parses JSON without loss: a number that a double cannot represent, such as a 64-bit LSN, becomes a string
 * with all of its digits.
 * @throws SyntaxError
 */
function parseExactly(text: string): unknown {
  const exact = (_key: string, value: unknown, context?: Source): unknown =>
    typeof value === 'number' && isLossy(value) ? (context?.source ?? value) : value;
  return JSON.parse(text, exact);
}

/** Whole numbers beyond 2^53, and numbers that overflow to infinity. */
function isLossy(value: number): boolean {
  return !Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value));
}
