import { TreeInterpreter, compile, type JSONValue } from '@jmespath-community/jmespath';
import { z } from 'zod';
import { messageOf } from '../core/errors.ts';
import { rangesOf } from '../core/row-ranges.ts';
import { shorten } from '../core/shorten.ts';
import type { Row, RowClient, Rows, WriterContext, WriterKind, Written } from '../core/writer.ts';
import { exchange, prepareHttpCall, type HttpCall, type HttpReply } from '../net/http-exchange.ts';
import { isJmesPath } from '../net/jmespath.ts';
import { headers, type Headers } from '../net/secret.ts';
import { hostPort, httpUrl } from '../net/text-params.ts';
import { httpTlsFields } from '../net/tls-params.ts';

const status = z
  .array(z.int().min(100).max(599))
  .min(1)
  .describe('Status codes that mean success. Redirects are not followed.');

const request = {
  url: httpUrl.refine((url) => url.includes('${rows}'), {
    error: 'needs `${rows}`, which firedrill replaces by the name of this run’s rows',
  }),
  headers,
  body: z.string().optional().describe('Body of the request; may contain `${rows}` and `${row}`.'),
};

const params = z.strictObject({
  connectTo: hostPort
    .optional()
    .describe(
      'host:port to connect to in place of the URLs’ host. The Host header, SNI, and the certificate check still use the URLs.',
    ),
  ...httpTlsFields,
  write: z
    .strictObject({
      method: z.enum(['POST', 'PUT']).default('POST').describe('Method of the request.'),
      ...request,
      acked: status.default([200, 201, 202, 204]),
      refused: z
        .array(z.int().min(100).max(599))
        .default([])
        .describe(
          'Status codes that mean that nothing was written. After a code that is in neither list, the outcome is unknown.',
        ),
    })
    .refine(({ url, body }) => `${url} ${body ?? ''}`.includes('${row}'), {
      error: 'needs `${row}` in its url or body, which firedrill replaces by client-number, such as 3-17',
    })
    .describe('The request that writes a row.'),
  read: z
    .strictObject({
      method: z.enum(['GET', 'POST']).default('GET').describe('Method of the request.'),
      ...request,
      rows: z
        .string()
        .refine(isJmesPath, { error: 'not a valid JMESPath expression' })
        .describe('JMESPath expression for the list of rows in the JSON body.'),
      maxBodyBytes: z
        .int()
        .min(1)
        .max(268_435_456)
        .default(16_777_216)
        .describe('Longest body that is read.'),
    })
    .describe('The request that reads all rows.'),
  remove: z
    .strictObject({
      method: z.enum(['DELETE', 'POST', 'PUT']).default('DELETE').describe('Method of the request.'),
      ...request,
      status: status.default([200, 202, 204, 404]),
    })
    .describe('The request that removes all rows.'),
});
type Params = z.output<typeof params>;

/** Rows that an application stores, each written by its own request over its own connection. */
export const httpRows: WriterKind<Params> = {
  kind: 'http',
  summary: 'Rows that an application stores, over a new connection for each request.',
  params,
  newConnections: () => 1,
  describe: ({ write, read, remove }) => ({
    write: `${write.method} ${write.url}`,
    read: `${read.method} ${read.url}`,
    remove: `${remove.method} ${remove.url}`,
  }),
  async open(p, ctx) {
    const { connectTo, serverName, insecureSkipVerify } = p;
    const prepare = (
      what: { readonly method: string; readonly url: string; readonly headers: Headers },
      maxBodyBytes = 65_536,
    ): Promise<HttpCall> =>
      prepareHttpCall(
        {
          connectTo,
          caFile: p.caFile,
          clientCert: p.clientCert,
          serverName,
          insecureSkipVerify,
          maxBodyBytes,
          method: what.method,
          headers: what.headers,
          url: what.url,
        },
        ctx,
      );
    const calls: Calls = {
      write: await prepare(p.write),
      read: await prepare(p.read, p.read.maxBodyBytes),
      remove: await prepare(p.remove),
    };
    const read = compile(p.read.rows);
    const client: RowClient = {
      write: (row, signal) => write(p, calls, row, ctx, signal),
      rows: (signal) => readRows(p, calls, read, ctx, signal),
      close: () => {},
    };
    return {
      // The application creates its store with the first row.
      create: async () => {},
      drop: async (signal) => {
        const reply = await send(calls.remove, p.remove, undefined, ctx, signal);
        if (!p.remove.status.includes(reply.statusCode)) throw new Error(`status ${reply.statusCode}`);
      },
      connect: () => client,
    };
  },
};

interface Calls {
  readonly write: HttpCall;
  readonly read: HttpCall;
  readonly remove: HttpCall;
}

async function write(
  p: Params,
  calls: Calls,
  row: Row,
  ctx: WriterContext,
  signal: AbortSignal,
): Promise<Written> {
  const reply = await exchange(callFor(calls.write, p.write, row, ctx.store), ctx, signal, () => true);
  if ('status' in reply) {
    const message = reply.status === 'ok' ? 'no reply' : reply.message;
    // Nothing is sent before the connection (with TLS, its handshake) is complete.
    const phases = reply.status === 'fail' ? reply.phases : undefined;
    const ready = calls.write.secure ? phases?.tlsMs : phases?.connectMs;
    return { outcome: phases !== undefined && ready === undefined ? 'refused' : 'indeterminate', message };
  }
  const { statusCode, broken } = reply;
  if (broken !== undefined && broken.status !== 'ok')
    return { outcome: 'indeterminate', message: shorten(`status ${statusCode}, then ${broken.message}`) };
  if (p.write.acked.includes(statusCode)) return { outcome: 'acked' };
  const message = shorten(`status ${statusCode}: ${reply.body.slice(0, 120)}`);
  return { outcome: p.write.refused.includes(statusCode) ? 'refused' : 'indeterminate', message };
}

async function readRows(
  p: Params,
  calls: Calls,
  rows: ReturnType<typeof compile>,
  ctx: WriterContext,
  signal: AbortSignal,
): Promise<Rows> {
  const { statusCode, body, unread, broken } = await send(calls.read, p.read, undefined, ctx, signal);
  if (statusCode !== 200) throw new Error(`status ${statusCode}`);
  if (broken !== undefined && broken.status !== 'ok') throw new Error(broken.message);
  if (unread !== undefined) throw new Error(unread);
  let list: unknown;
  try {
    list = TreeInterpreter.search(rows, JSON.parse(body) as JSONValue);
  } catch (error) {
    throw new Error(`cannot read rows from the body: ${messageOf(error)}`, { cause: error });
  }
  if (!Array.isArray(list)) throw new Error(`${p.read.rows} returned no list`);
  const numbers = new Map<number, number[]>();
  for (const { client, number } of list.map(rowOf)) {
    const own = numbers.get(client) ?? [];
    own.push(number);
    numbers.set(client, own);
  }
  return new Map([...numbers].map(([client, own]) => [client, rangesOf(own)]));
}

function rowOf(text: unknown): Row {
  const match = /^(\d+)-(\d+)$/.exec(String(text));
  if (match === null) throw new Error(`row "${shorten(String(text))}" does not have the form client-number`);
  return { client: Number(match[1]), number: Number(match[2]) };
}

async function send(
  call: HttpCall,
  what: { readonly url: string; readonly body?: string | undefined },
  row: Row | undefined,
  ctx: WriterContext,
  signal: AbortSignal,
): Promise<HttpReply> {
  const reply = await exchange(callFor(call, what, row, ctx.store), ctx, signal, () => true);
  if ('status' in reply) throw new Error(reply.status === 'ok' ? 'no reply' : reply.message);
  return reply;
}

/** The prepared call with `${rows}` and `${row}` filled in. */
function callFor(
  call: HttpCall,
  { url, body }: { readonly url: string; readonly body?: string | undefined },
  row: Row | undefined,
  store: string,
): HttpCall {
  const fill = (text: string): string =>
    text
      .replaceAll('${rows}', store)
      .replaceAll('${row}', row === undefined ? '' : `${row.client}-${row.number}`);
  const { pathname, search } = new URL(fill(url));
  return {
    ...call,
    options: { ...call.options, path: `${pathname}${search}` },
    ...(body === undefined ? {} : { body: fill(body) }),
  };
}
