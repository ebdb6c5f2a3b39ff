import {
  Agent as HttpAgent,
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import {
  Agent as HttpsAgent,
  request as httpsRequest,
  type RequestOptions as HttpsRequestOptions,
} from 'node:https';
import { connect as netConnect, isIP, type Socket } from 'node:net';
import {
  checkServerIdentity,
  connect as tlsConnect,
  createSecureContext,
  type ConnectionOptions as TlsOptions,
  type PeerCertificate,
  type SecureContext,
} from 'node:tls';
import { DrillError, messageOf } from '../core/errors.ts';
import type { ProbeContext } from '../core/probe.ts';
import type { FailCause, Observation, Phases } from '../core/sample.ts';
import type { DurationMs } from '../core/time.ts';
import { bodyText } from './body-text.ts';
import { nameLookup } from './name-lookup.ts';
import { abortedBy, failureOf } from './net-errors.ts';
import { readHeaders, readSecret, type Headers, type SecretPlaces, type SecretRef } from './secret.ts';
import { requireHostPort, requireUrl } from './text-params.ts';
import type { ClientCert } from './tls-params.ts';

/** A request with everything prepared that is the same for each sample. */
export interface HttpCall {
  readonly options: HttpsRequestOptions;
  readonly secure: boolean;
  readonly maxBodyBytes: number;
  /** Sent with the request; default: none. */
  readonly body?: string;
  /** Keeps the connection between samples; absent if each sample has its own. */
  readonly agent?: HttpAgent | HttpsAgent;
}

/** The request's destination and content. */
export interface HttpCallParams {
  readonly url: string;
  readonly connectTo?: string | undefined;
  readonly method?: string;
  /** Sent with the request; default: none. */
  readonly body?: string | SecretRef | undefined;
  readonly headers?: Headers | undefined;
  readonly caFile?: string | undefined;
  readonly clientCert?: ClientCert | undefined;
  readonly serverName?: string | undefined;
  readonly insecureSkipVerify?: boolean;
  readonly maxBodyBytes: number;
  /** Reuse the connection as long as it works. Then the caller must destroy `HttpCall.agent` at the end. */
  readonly keptAlive?: boolean;
}

/** A reply: its status, and as much of its body as was requested and received. */
export interface HttpReply {
  readonly statusCode: number;
  readonly body: string;
  /** Why the body could not be decoded; then `body` is empty. */
  readonly unread?: string;
  readonly phases: Phases;
  /** An error after the status line, if there was one; the body ends there. */
  readonly broken?: Observation;
}

/** Prepares a call. @throws DrillError `invalid-input` for an unusable CA file or a missing secret */
export async function prepareHttpCall(params: HttpCallParams, ctx: SecretPlaces): Promise<HttpCall> {
  const url = requireUrl(params.url);
  const secure = url.protocol === 'https:';
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const target =
    params.connectTo === undefined
      ? { host: hostname, port: url.port === '' ? (secure ? 443 : 80) : Number(url.port) }
      : requireHostPort(params.connectTo);
  const sent = await readHeaders(params.headers ?? {}, ctx);
  const body =
    params.body === undefined || typeof params.body === 'string'
      ? params.body
      : await readSecret(params.body, 'the body of the request', ctx);
  const options: RequestOptions = {
    ...target,
    method: params.method ?? 'GET',
    path: `${url.pathname}${url.search}`,
    headers: {
      host: url.host,
      'user-agent': 'firedrill',
      accept: '*/*',
      'accept-encoding': 'identity',
      ...sent,
    },
    // A longer header block counts as a broken reply; the limit is Node's default of 16 KiB.
    maxHeaderSize: 16_384,
  };
  const { maxBodyBytes, keptAlive = false } = params;
  const common = { secure, maxBodyBytes, ...(body === undefined ? {} : { body }) };
  // By default each sample has its own connection without an agent, because a kept connection hides a dead
  // listener and a moved address. node:http is used because undici's lateness with new connections was 13
  // times higher (p99 36 ms against 2.7 ms at 1000/s) at twice the CPU time. With `keptAlive`: one
  // connection, like one client. Each new one authenticates the server again, without TLS session resumption.
  const one = { keepAlive: true, maxSockets: 1, maxCachedSessions: 0 };
  if (!secure) {
    if (!keptAlive) {
      const createConnection = ({ lookup }: RequestOptions): Socket =>
        netConnect({ ...target, noDelay: true, ...(lookup === undefined ? {} : { lookup }) });
      return { ...common, options: { ...options, createConnection } };
    }
    const agent = { agent: new HttpAgent(one) };
    return { ...common, options: { ...options, ...agent }, ...agent };
  }
  const serverName = params.serverName ?? hostname;
  // The certificate must match the URL's name, whatever the connection's address is.
  const identity = {
    checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
      checkServerIdentity(serverName, certificate),
  };
  const trust: TlsOptions = {
    // Created once: reading the CA store for each sample would add milliseconds to it.
    secureContext: await secureContext(params, ctx),
    // RFC 6066 does not allow an address in SNI.
    servername: isIP(serverName) === 0 ? serverName : '',
    rejectUnauthorized: params.insecureSkipVerify !== true,
  };
  if (!keptAlive) {
    const tls = { ...target, ...trust, ...identity, ALPNProtocols: ['http/1.1'], noDelay: true };
    const createConnection = ({ lookup }: RequestOptions): Socket =>
      tlsConnect({ ...tls, ...(lookup === undefined ? {} : { lookup }) });
    return { ...common, options: { ...options, createConnection } };
  }
  // The check must be an option of the agent: a request with its own check does not share the agent's
  // connection.
  const agent = { agent: new HttpsAgent({ ...one, ...identity }) };
  return { ...common, ...agent, options: { ...options, ...trust, ...agent } };
}

/** The cause of a failure by its status code. */
export function statusCause(statusCode: number): FailCause {
  return statusCode >= 500 && statusCode <= 599 ? 'http-5xx' : 'http-other';
}

/**
 * One request, on a new or a kept connection, without following redirects. Resolves with the reply, or with
 * an observation if there is none; never rejects. Ends with the signal, which must abort, because a body may
 * arrive endlessly.
 *
 * @param wantBody called with the status code; false ends the exchange after the headers
 */
export async function exchange(
  call: HttpCall,
  ctx: Pick<ProbeContext, 'clock' | 'resolveName'>,
  signal: AbortSignal,
  keepBody: (statusCode: number) => boolean,
): Promise<HttpReply | Observation> {
  const startMs = ctx.clock.nowMs();
  const since = (): number => ctx.clock.nowMs() - startMs;
  const phases: { connectMs?: DurationMs; tlsMs?: DurationMs; firstByteMs?: DurationMs } = {};
  const { promise, resolve } = Promise.withResolvers<HttpReply | Observation>();
  let request: ClientRequest | undefined;
  let reply: { readonly message: IncomingMessage; readonly chunks: Buffer[]; bytes: number } | undefined;

  const finish = (broken?: Observation): void => {
    if (reply === undefined) {
      const nothing = broken ?? failureOf(new Error('the connection closed without a reply'), 'reset');
      resolve(nothing.status === 'fail' ? { ...nothing, phases } : nothing);
      return;
    }
    const bytes = Buffer.concat(reply.chunks).subarray(0, call.maxBodyBytes);
    const read = bodyText(bytes, reply.message.headers, call.maxBodyBytes);
    const statusCode = reply.message.statusCode ?? 0;
    const unread = 'problem' in read ? { unread: read.problem } : {};
    resolve({ statusCode, body: read.text, ...unread, phases, ...(broken === undefined ? {} : { broken }) });
  };
  const names = nameLookup(ctx.resolveName);
  const onAbort = (): void => {
    finish(abortedBy(signal, names));
    request?.destroy();
  };

  try {
    if (signal.aborted) return abortedBy(signal);
    const options = { ...call.options, lookup: names.lookup };
    request = call.secure ? httpsRequest(options) : httpRequest(options);
    signal.addEventListener('abort', onAbort, { once: true });
    request.once('socket', (socket) => {
      if (!socket.connecting) return;
      socket.once('connect', () => void (phases.connectMs = since()));
      socket.once('secureConnect', () => void (phases.tlsMs = since()));
    });
    // Stays attached after the end, because a late error must not become an uncaught one.
    request.on('error', (error) => finish(failureOf(error)));
    request.once('close', () => {
      if (reply === undefined) finish();
      // This event comes before the reply's own error. A complete reply still emits `end`.
      else if (!reply.message.complete)
        finish(failureOf(new Error('the connection closed before the end of the reply'), 'reset'));
    });
    // An upgraded reply (101) has no body: the data after it belongs to another protocol.
    request.once('upgrade', (message, socket) => {
      phases.firstByteMs = since();
      reply = { message, chunks: [], bytes: 0 };
      finish();
      socket.destroy();
    });
    request.once('response', (message) => {
      phases.firstByteMs = since();
      reply = { message, chunks: [], bytes: 0 };
      message.on('error', (error) => finish(failureOf(error, 'reset')));
      if (!keepBody(message.statusCode ?? 0)) {
        finish();
        return;
      }
      message.on('data', (chunk: Buffer) => {
        if (reply === undefined) return;
        reply.chunks.push(chunk);
        reply.bytes += chunk.length;
        if (reply.bytes >= call.maxBodyBytes) finish();
      });
      message.once('end', () => finish());
    });
    request.end(call.body);
    return await promise;
  } catch (error) {
    return failureOf(error);
  } finally {
    signal.removeEventListener('abort', onAbort);
    // After a complete reply the agent already has its connection back, and this call has no effect.
    request?.destroy();
  }
}

/** Trusted CAs, and the client's own certificate. */
export interface TlsFiles {
  readonly caFile?: string | undefined;
  readonly clientCert?: ClientCert | undefined;
}

/**
 * A TLS context with this CA (default: those of Node.js) and this client certificate. @throws DrillError
 * `invalid-input`
 */
export async function secureContext(
  { caFile, clientCert }: TlsFiles,
  ctx: SecretPlaces,
): Promise<SecureContext> {
  const trusted = caFile === undefined ? {} : { ca: await readCa(caFile, ctx) };
  if (clientCert === undefined) return createSecureContext(trusted);
  const { certFile, keyFile, passphrase } = clientCert;
  const secret =
    passphrase === undefined
      ? {}
      : { passphrase: await readSecret(passphrase, `the passphrase of ${keyFile}`, ctx) };
  try {
    const [cert, key] = [await ctx.readText(certFile), await ctx.readText(keyFile)];
    return createSecureContext({ ...trusted, cert, key, ...secret });
  } catch (error) {
    throw new DrillError(
      'invalid-input',
      `cannot use the client certificate ${certFile} with the key ${keyFile}: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

async function readCa(caFile: string, ctx: SecretPlaces): Promise<string> {
  try {
    const ca = await ctx.readText(caFile);
    // OpenSSL accepts a file without certificates as an empty list, and would then reject every certificate.
    if (!/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/.test(ca))
      throw new Error('it contains no PEM certificate');
    createSecureContext({ ca });
    return ca;
  } catch (error) {
    throw new DrillError('invalid-input', `cannot use the CA file ${caFile}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
