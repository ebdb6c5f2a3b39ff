import { messageOf } from '../core/errors.ts';
import { ProbeTimeout } from '../core/probe.ts';
import type { FailCause, Observation } from '../core/sample.ts';
import { shorten } from '../core/shorten.ts';
import type { NameLookup } from './name-lookup.ts';

/**
 * Errors of the probing machine: out of file descriptors, ports, or memory, or its own firewall or link. They
 * show nothing about the target.
 */
const observerCodes: ReadonlySet<string> = new Set([
  'EMFILE',
  'ENFILE',
  'EADDRNOTAVAIL',
  'EADDRINUSE',
  'ENOBUFS',
  'ENOMEM',
  'EAGAIN',
  'EPERM',
  'EACCES',
  'ENETDOWN',
]);

const causes: Readonly<Record<string, FailCause>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  ECONNABORTED: 'reset',
  EPIPE: 'reset',
  ERR_STREAM_PREMATURE_CLOSE: 'reset',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ETIMEDOUT: 'timeout',
  // Codes of c-ares.
  ETIMEOUT: 'timeout',
  ENOTFOUND: 'dns',
  ENODATA: 'dns',
  ESERVFAIL: 'dns',
  EAI_AGAIN: 'dns',
  EAI_NODATA: 'dns',
  EAI_NONAME: 'dns',
  EAI_FAIL: 'dns',
};

// X.509 verification results of OpenSSL, as Node.js names them, in addition to those with the prefixes below.
const certificateCodes =
  /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|CRL_|ERROR_IN_CERT_|ERROR_IN_CRL_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH|PATH_LENGTH_)/;

/**
 * The observation for a failed exchange. An error of the probing machine is `unknown`; an error without a
 * known code has the cause `otherwise`.
 */
export function failureOf(error: unknown, otherwise: FailCause = 'error'): Observation {
  const code = codeOf(error);
  const message = shorten(plainText(messageOf(error)) || code || 'failed without a message');
  if (code !== undefined && observerCodes.has(code)) {
    return { status: 'unknown', message: `firedrill's machine failed, not the target: ${message}` };
  }
  return { status: 'fail', cause: causeOf(code) ?? otherwise, message };
}

/**
 * The observation for an aborted attempt. It is `unknown` if the run stops, else a timeout of the target, or
 * of the DNS servers if a name was being looked up.
 */
export function abortedBy(signal: AbortSignal, names?: Pick<NameLookup, 'resolving'>): Observation {
  const reason: unknown = signal.reason;
  const resolving = names?.resolving;
  if (reason instanceof ProbeTimeout && resolving !== undefined)
    return { status: 'fail', cause: 'dns', message: `DNS: ${reason.message} for ${resolving}` };
  if (reason instanceof ProbeTimeout) return { status: 'fail', cause: 'timeout', message: reason.message };
  return { status: 'unknown', message: `cut short: ${messageOf(reason)}` };
}

// `write EPROTO 405D8AE59C7F0000:error:0A00042E:SSL routines:ssl3_read_bytes:tlsv1 alert protocol version:../deps/…`
const openSslError = /[0-9A-F]+:error:[0-9A-F]+:SSL routines:[^:]*:([^:]+):/;

/** Shortens a message to OpenSSL's reason, and removes Node's advice from a certificate error. */
function plainText(message: string): string {
  const reason = openSslError.exec(message)?.[1];
  return reason === undefined
    ? message.replace(/; if the root CA is installed locally,.*$/, '')
    : `TLS: ${reason}`;
}

function causeOf(code: string | undefined): FailCause | undefined {
  if (code === undefined) return undefined;
  if (code.startsWith('ERR_TLS_') || code.startsWith('ERR_SSL_') || code === 'EPROTO') return 'tls';
  if (certificateCodes.test(code)) return 'tls';
  // The reply is not HTTP (llhttp's parse errors).
  if (code.startsWith('HPE_')) return 'http-other';
  return causes[code];
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
