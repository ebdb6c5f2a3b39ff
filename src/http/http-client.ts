import type { Agent, Dispatcher } from 'undici';
import { messageOf } from '../core/errors.ts';
import { limitText } from '../core/format-duration.ts';
import { parseJson } from '../core/parse-json.ts';
import { proxyFor } from './proxy.ts';

/** A request to an API. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. A string is sent unchanged, as JSON or as `content-type` says. */
  readonly body?: unknown;
}

/** A complete reply. */
export interface Answer {
  readonly kind: 'answer';
  readonly status: number;
  /** Lowercase names; of a repeated header, the first value. */
  readonly headers: Readonly<Record<string, string>>;
  /** The parsed body; undefined if it is not JSON. */
  readonly body: unknown;
  /** The body as text. */
  readonly text: string;
}

/** No complete reply came, so the request's outcome is unknown. */
export interface Silence {
  readonly kind: 'silence';
  readonly why: string;
  /** There was no connection, so the request was certainly not carried out. */
  readonly unsent?: true;
}

/** Sends one request once. Never rejects; ends with its own timeout or with the signal. */
export type HttpClient = (call: Call, signal: AbortSignal) => Promise<Answer | Silence>;

/** TLS settings: trusted CAs and the client's own certificate. */
export interface Trust {
  readonly verify: boolean;
  /** PEM of the CAs that replace the system's. */
  readonly ca?: string;
  /** PEM of the client's own certificate and of its key. */
  readonly cert?: string;
  readonly key?: string;
}

/** Longest body, bytes. Typical answers have a few kB; a list of a thousand servers comes close to this. */
const maxBodyBytes = 1_048_576;

/**
 * A client for the APIs of one service. It follows no redirects, so a token goes only to its intended server.
 * HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, and NO_PROXY of `env` select a proxy (`proxyFor`).
 */
export function createHttpClient(
  trust: Trust,
  timeoutMs = 10_000,
  env: Readonly<Record<string, string | undefined>> = process.env,
): HttpClient {
  const { verify, ...pem } = trust;
  const tls = { rejectUnauthorized: verify, ...pem };
  const connectTimeout = Math.min(timeoutMs, 5000);
  const options: Agent.Options = {
    // Each request has its own connection: a kept one may be dead, and then the outcome of its request is
    // unknown. Drills send a few requests per second, so the extra handshakes do not matter.
    pipelining: 0,
    allowH2: false,
    // Both are idle timeouts; the signal below ends a reply that arrives endlessly.
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  };
  const dispatchers = new Map<string, Dispatcher>();
  // Imported with the first request: most runs use no cloud, and undici takes 15 MB.
  const dispatcherFor = (undici: typeof import('undici'), proxy: URL | undefined): Dispatcher => {
    const known = dispatchers.get(proxy?.href ?? '');
    if (known !== undefined) return known;
    const made =
      proxy === undefined
        ? new undici.Agent({ ...options, connect: { timeout: connectTimeout, ...tls } })
        : // TLS to the proxy itself does not use the cloud's CA and certificate.
          new undici.ProxyAgent({
            ...options,
            uri: proxy.href,
            connectTimeout,
            requestTls: tls,
            // Also without TLS, each request has its own connection.
            factory: (origin, given: object) => new undici.Pool(origin, { ...options, ...given }),
          });
    dispatchers.set(proxy?.href ?? '', made);
    return made;
  };
  return async (call, signal) => {
    const deadline = AbortSignal.timeout(timeoutMs);
    let via = '';
    try {
      const url = URL.parse(call.url);
      const proxy = url === null ? undefined : proxyFor(url, env);
      if (proxy !== undefined) via = ` (through the proxy ${proxy.host})`;
      const undici = await import('undici');
      const { statusCode, headers, body } = await undici.request(call.url, {
        dispatcher: dispatcherFor(undici, proxy),
        method: call.method,
        headers: {
          accept: 'application/json',
          'user-agent': 'firedrill',
          ...jsonType(call),
          ...call.headers,
        },
        body: textOf(call.body),
        signal: AbortSignal.any([signal, deadline]),
      });
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of body as AsyncIterable<Buffer>) {
        size += chunk.length;
        // Leaving the loop destroys the body and its connection.
        if (size > maxBodyBytes)
          return { kind: 'silence', why: `the answer is longer than ${maxBodyBytes} bytes` };
        chunks.push(chunk);
      }
      const text = Buffer.concat(chunks).toString('utf8');
      return {
        kind: 'answer',
        status: statusCode,
        headers: firstValues(headers),
        body: parseJson(text),
        text,
      };
    } catch (error) {
      if (signal.aborted) return { kind: 'silence', why: 'cut short' };
      if (deadline.aborted) return { kind: 'silence', why: `no answer within ${limitText(timeoutMs)}${via}` };
      return {
        kind: 'silence',
        why: `${reasonOf(error)}${via}`,
        ...(neverSent(error) ? { unsent: true } : {}),
      };
    }
  };
}

function jsonType(call: Call): Record<string, string> {
  return call.body === undefined ? {} : { 'content-type': 'application/json' };
}

function textOf(body: unknown): string | null {
  if (body === undefined) return null;
  return typeof body === 'string' ? body : JSON.stringify(body);
}

/** Errors of name resolution and of connecting. */
const beforeSending: ReadonlySet<unknown> = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'UND_ERR_CONNECT_TIMEOUT',
]);

function neverSent(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    ('code' in error && beforeSending.has(error.code)) ||
    /^Proxy (response|Authentication Required) \(\d+\)/.test(error.message)
  );
}

function firstValues(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      const first = Array.isArray(value) ? value[0] : value;
      return first === undefined ? [] : [[name, first]];
    }),
  );
}

/** The error text; a connection attempt to multiple addresses has one error for each. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return messageOf(error) || 'failed without a message';
}
