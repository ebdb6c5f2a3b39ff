import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** A complete request. */
export interface Call {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  /** The service's id of this request: `req-…`. */
  readonly requestId: string;
}

/** The answer to a request. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; nothing is sent for undefined. */
  readonly json?: unknown;
  /** Sent unchanged, with the content type in `headers`. */
  readonly text?: string;
}

/** Limit of both services, bytes: the default of oslo.middleware. */
const maxBodyBytes = 114_688;

/** Reads a request; undefined if it is too large. */
export async function readCall(request: IncomingMessage): Promise<Call | undefined> {
  const url = new URL(request.url ?? '/', 'http://cloud');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  return {
    method: request.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers: Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
    ),
    body: Buffer.concat(chunks).toString('utf8'),
    requestId: newRequestId(),
  };
}

/** A request id in the format of oslo.context. */
export function newRequestId(): string {
  return `req-${randomUUID()}`;
}

/** Sends a reply. */
export function send(response: ServerResponse, reply: Reply): void {
  const body = reply.text ?? (reply.json === undefined ? '' : JSON.stringify(reply.json));
  const bytes = Buffer.from(body);
  response.writeHead(reply.status, {
    'content-type': 'application/json',
    ...reply.headers,
    'content-length': String(bytes.length),
  });
  response.end(bytes);
}
