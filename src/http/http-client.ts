import type { Agent, Dispatcher } from 'undici';
import { messageOf } from '../core/errors.ts';
import { limitWords } from '../core/format-duration.ts';
import { parseJson } from '../core/parse-json.ts';
import { proxyFor } from './proxy.ts';

/** A request to an API. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON; a text is JSON already, or what `content-type` says, and sent as it is. */
  readonly body?: unknown;
}

/** A whole reply. */
export interface Answer {
  readonly kind: 'answer';
  readonly status: number;
  /** Lower-case names; of a header that came several times, the first. */
  readonly headers: Readonly<Record<string, string>>;
  /** The parsed body; undefined when it is no JSON. */
  readonly body: unknown;
  /** The body as it came. */
  readonly text: string;
}

/** No whole reply came: nobody knows whether the request was carried out. */
export interface Silence {
  readonly kind: 'silence';
  readonly why: string;
  /** No connection came about: the request was surely not carried out. */
  readonly unsent?: true;
}

/** Sends one request, once. Never rejects, and ends with its own time-out or with the signal. */
export type HttpClient = (call: Call, signal: AbortSignal) => Promise<Answer | Silence>;

/** What TLS connections trust, and by what they are trusted. */
export interface Trust {
  readonly verify: boolean;
  /** PEM of the CAs that count instead of the system's. */
  readonly ca?: string;
  /** PEM of the client's own certificate, and of its key. */
  readonly cert?: string;
  readonly key?: string;
}

/** Answers that matter here have a few kB; a list of a thousand servers comes near this. */
const maxBodyBytes = 1_048_576;

/**
 * A client for the APIs of one place. Redirects are not followed: a token goes only where it was meant to go. HTTPS_PROXY,
 * HTTP_PROXY, ALL_PROXY, and NO_PROXY of `env` decide whether a request goes through a proxy (`proxyFor`).
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
    // A connection for each request: one that is kept may be dead, and a request that dies with it has an
    // unknown outcome. Drills ask a few times a second; a handshake more does not matter.
    pipelining: 0,
    allowH2: false,
    // Idle timers, both; the signal below ends a reply that drips.
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  };
  const dispatchers = new Map<string, Dispatcher>();
  // Loaded with the first request: most runs ask no cloud, and it takes 15 MB.
  const dispatcherFor = (undici: typeof import('undici'), proxy: URL | undefined): Dispatcher => {
    const known = dispatchers.get(proxy?.href ?? '');
    if (known !== undefined) return known;
    const made =
      proxy === undefined
        ? new undici.Agent({ ...options, connect: { timeout: connectTimeout, ...tls } })
        : // The proxy's own TLS is between it and this machine: the cloud's CA and certificate are not for it.
          new undici.ProxyAgent({
            ...options,
            uri: proxy.href,
            connectTimeout,
            requestTls: tls,
            // Without TLS, too, a connection for each request.
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
        // Leaving the loop destroys the body, and with it the connection.
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
      if (deadline.aborted)
        return { kind: 'silence', why: `no answer within ${limitWords(timeoutMs)}${via}` };
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

/** Of several addresses that were tried, each has its error. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return messageOf(error) || 'failed without a message';
}
