import { isIP, type Socket } from 'node:net';
import { checkServerIdentity, type ConnectionOptions } from 'node:tls';
import type { Client, ClientConfig } from 'pg';
import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import { parseDsn } from './dsn.ts';
import { secureContext } from './http-exchange.ts';
import { caFile, clientCert } from './tls-params.ts';
import { readSecret, secretRef, type SecretPlaces } from './secret.ts';

/** Parameters of a connection to a PostgreSQL server, or to a pooler that speaks its protocol. */
export const connectionFields = {
  dsn: z
    .string()
    .superRefine((text, ctx) => {
      // The planner fills placeholders in later, and checks once more.
      const dsn = parseDsn(text.replaceAll(/\$\{(?:host|address)\}/g, 'placeholder'));
      if ('problem' in dsn) ctx.addIssue({ code: 'custom', message: dsn.problem });
    })
    .describe('postgresql://user@host:port/database; passwords and TLS have fields of their own.'),
  password: secretRef.optional().describe('Where the password is; never the password itself.'),
  tls: z
    .strictObject({
      mode: z
        .enum(['verify-full', 'require', 'disable'])
        .default('verify-full')
        .describe('verify-full checks certificate and name; require encrypts only.'),
      caFile,
      clientCert,
      serverName: z
        .string()
        .min(1)
        .optional()
        .describe('Name in the certificate; the DSN’s host by default.'),
    })
    .optional()
    .describe('Without it the connection is not encrypted.'),
};

/** Where a server is and how to log in. */
const connection = z.strictObject(connectionFields);
export type Connection = z.output<typeof connection>;

/** Whether a session waits for its next statement. */
export interface Readiness {
  /** A statement is about to be sent. */
  onSend(): void;
  isReady(): boolean;
  /** Resolves true once it is ready, false once it is closed or the signal aborts. */
  untilReady(signal: AbortSignal): Promise<boolean>;
}

/**
 * Follows a session's ReadyForQuery messages. One comes after an ERROR, which undoes the statement and leaves the session as it
 * is; none comes after a FATAL, which ends the session. pg gives the severity only in the server's language (`lc_messages`).
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

/** How long a good session may take to say goodbye before its socket is cut. */
const goodbyeMs = 1000;

/** Ends a session as the protocol wants it, off the caller's time; cuts it when the server does not follow. */
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

/** What pg needs to connect. @throws DrillError `invalid-input` for a password or CA that cannot be had */
export async function clientConfig(p: Connection, files: SecretPlaces): Promise<ClientConfig> {
  const dsn = parseDsn(p.dsn);
  if ('problem' in dsn) throw new DrillError('invalid-input', `${p.dsn}: ${dsn.problem}`);
  const password =
    p.password === undefined ? '' : await readSecret(p.password, `the password for ${p.dsn}`, files);
  return {
    ...dsn,
    // A function: with a plain value, pg would fall back to PGPASSWORD and ~/.pgpass of whoever runs this.
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
    // pg sets SNI to the host it connects to; what the certificate must say is decided here.
    checkServerIdentity: (_host, certificate) => checkServerIdentity(serverName, certificate),
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
  };
}
