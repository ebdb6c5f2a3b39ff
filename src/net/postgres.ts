import { isIP, type Socket } from 'node:net';
import { checkServerIdentity, type ConnectionOptions } from 'node:tls';
import type { Client, ClientConfig } from 'pg';
import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import { parseDsn } from './dsn.ts';
import { secureContext } from './http-exchange.ts';
import { caFile, clientCert } from './tls-params.ts';
import { readSecret, secretRef, type SecretPlaces } from './secret.ts';

/** Parameters of a connection to a PostgreSQL server, or to a pooler with the same protocol. */
export const connectionFields = {
  dsn: z
    .string()
    .superRefine((text, ctx) => {
      // The planner fills placeholders in later and checks again.
      const dsn = parseDsn(text.replaceAll(/\$\{(?:host|address)\}/g, 'placeholder'));
      if ('problem' in dsn) ctx.addIssue({ code: 'custom', message: dsn.problem });
    })
    .describe(
      'postgresql://user@host:port/database. Use the fields `password` and `tls` for the password and TLS.',
    ),
  password: secretRef
    .optional()
    .describe('File or environment variable with the password; never the password itself.'),
  tls: z
    .strictObject({
      mode: z
        .enum(['verify-full', 'require', 'disable'])
        .default('verify-full')
        .describe('verify-full checks the certificate and its name; require only encrypts.'),
      caFile,
      clientCert,
      serverName: z
        .string()
        .min(1)
        .optional()
        .describe('Expected name in the certificate; default: the DSN’s host.'),
    })
    .optional()
    .describe('TLS settings; default: the connection is not encrypted.'),
};

/** Server address and login. */
const connection = z.strictObject(connectionFields);
export type Connection = z.output<typeof connection>;

/** Whether a session is ready for its next statement. */
export interface Readiness {
  /** Call it before a statement is sent. */
  onSend(): void;
  isReady(): boolean;
  /** Resolves true once the session is ready, false once it is closed or the signal aborts. */
  untilReady(signal: AbortSignal): Promise<boolean>;
}

/**
 * Tracks a session's ReadyForQuery messages. One follows an ERROR, which rolls the statement back and keeps
 * the session. None follows a FATAL, which ends the session. The severity itself cannot be used: pg reports
 * it only in the server's language (`lc_messages`).
 */
export function followReadiness(client: Client, socket: Socket): Readiness {
  let isReady = true;
  client.on('drain', () => {
    isReady = true;
  });
  return {
    onSend: () => {
      isReady = false;
    },
    isReady: () => isReady,
    async untilReady(signal) {
      if (isReady || socket.closed || signal.aborted) return isReady;
      const { promise, resolve } = Promise.withResolvers<void>();
      client.once('drain', resolve);
      socket.once('close', resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
      await promise;
      client.off('drain', resolve);
      socket.off('close', resolve);
      return isReady;
    },
  };
}

/** Longest time for an orderly end of a session before its socket is destroyed, ms. */
const goodbyeMs = 1000;

/**
 * Ends a session according to the protocol, without blocking the caller; destroys the socket if the server
 * does not respond.
 */
export function sayGoodbye(client: Client, socket: Socket): void {
  const cut = setTimeout(() => socket.destroy(), goodbyeMs);
  cut.unref();
  void client
    .end()
    .catch(() => {})
    .finally(() => {
      clearTimeout(cut);
      socket.destroy();
    });
}

/** Options for pg. @throws DrillError `invalid-input` for an unreadable password or CA */
export async function clientConfig(p: Connection, files: SecretPlaces): Promise<ClientConfig> {
  const dsn = parseDsn(p.dsn);
  if ('problem' in dsn) throw new DrillError('invalid-input', `${p.dsn}: ${dsn.problem}`);
  const password =
    p.password === undefined ? '' : await readSecret(p.password, `the password for ${p.dsn}`, files);
  return {
    ...dsn,
    // A function, because with an empty string pg would fall back to PGPASSWORD and the user's ~/.pgpass.
    password: () => password,
    application_name: 'firedrill',
    ssl: p.tls === undefined || p.tls.mode === 'disable' ? false : await tlsOptions(p.tls, dsn.host, files),
  };
}

async function tlsOptions(
  tls: NonNullable<Connection['tls']>,
  host: string,
  files: SecretPlaces,
): Promise<ConnectionOptions> {
  const serverName = tls.serverName ?? host;
  return {
    secureContext: await secureContext(tls, files),
    rejectUnauthorized: tls.mode === 'verify-full',
    // pg sets SNI to the host of the connection; the expected certificate name is set here.
    checkServerIdentity: (_host, certificate) => checkServerIdentity(serverName, certificate),
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
  };
}
