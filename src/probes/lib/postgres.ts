import { isIP, type Socket } from 'node:net';
import { checkServerIdentity, type ConnectionOptions } from 'node:tls';
import type { Client, ClientConfig } from 'pg';
import { z } from 'zod';
import { DrillError, messageOf } from '../../core/errors.ts';
import type { ProbeContext } from '../../core/probe.ts';
import { secureContext } from './http-exchange.ts';

/** Parameters of a connection to a PostgreSQL server, or to a pooler that speaks its protocol. */
export const connectionFields = {
  dsn: z
    .string()
    .superRefine((text, ctx) => {
      const problem = dsnProblem(text);
      if (problem !== undefined) ctx.addIssue({ code: 'custom', message: problem });
    })
    .describe('postgresql://user@host:port/database; passwords and TLS have fields of their own.'),
  password: z
    .union([
      z.strictObject({ file: z.string().min(1).describe('File that holds the password.') }),
      z.strictObject({ env: z.string().min(1).describe('Environment variable that holds the password.') }),
    ])
    .optional()
    .describe('Where the password is; never the password itself.'),
  tls: z
    .strictObject({
      mode: z
        .enum(['verify-full', 'require', 'disable'])
        .default('verify-full')
        .describe('verify-full checks certificate and name; require encrypts only.'),
      caFile: z.string().min(1).optional().describe('PEM file of the CAs to trust instead of the system’s.'),
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

/** What preparing a connection may use. */
type Files = Pick<ProbeContext, 'readText' | 'env'>;

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
export async function clientConfig(p: Connection, files: Files): Promise<ClientConfig> {
  const problem = dsnProblem(p.dsn);
  if (problem !== undefined) throw new DrillError('invalid-input', `${p.dsn}: ${problem}`);
  const url = new URL(p.dsn);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const user = decodeURIComponent(url.username);
  const password = await readPassword(p, files);
  return {
    host,
    port: url.port === '' ? 5432 : Number(url.port),
    user,
    database: decodeURIComponent(url.pathname.slice(1)) || user,
    // A function: with a plain value, pg would fall back to PGPASSWORD and ~/.pgpass of whoever runs this.
    password: () => password,
    application_name: 'firedrill',
    ssl: p.tls === undefined || p.tls.mode === 'disable' ? false : await tlsOptions(p.tls, host, files),
  };
}

async function tlsOptions(
  tls: NonNullable<Connection['tls']>,
  host: string,
  files: Files,
): Promise<ConnectionOptions> {
  const serverName = tls.serverName ?? host;
  return {
    secureContext: await secureContext(tls.caFile, files),
    rejectUnauthorized: tls.mode === 'verify-full',
    // pg sets SNI to the host it connects to; what the certificate must say is decided here.
    checkServerIdentity: (_host, certificate) => checkServerIdentity(serverName, certificate),
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
  };
}

async function readPassword(p: Connection, files: Files): Promise<string> {
  if (p.password === undefined) return '';
  if ('env' in p.password) {
    const text = files.env(p.password.env);
    if (text === undefined) {
      throw new DrillError('invalid-input', `the environment variable ${p.password.env} is not set`, {
        mend: `Put the password for ${p.dsn} into it.`,
      });
    }
    return text;
  }
  try {
    return (await files.readText(p.password.file)).replace(/\r?\n$/, '');
  } catch (error) {
    throw new DrillError('invalid-input', `cannot read the password file: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** What is wrong with a DSN, in words. */
function dsnProblem(text: string): string | undefined {
  const url = URL.parse(text.replaceAll(/\$\{(?:host|address)\}/g, 'placeholder'));
  if (url === null) return 'expected postgresql://user@host:port/database';
  if (url.protocol !== 'postgresql:' && url.protocol !== 'postgres:') {
    return `no SQL probe for ${url.protocol}//: only postgresql:// is supported`;
  }
  if (url.password !== '')
    return 'a password does not belong in the DSN: use `password: {file: …}` or `{env: …}`';
  if (url.hostname === '' || url.username === '') return 'expected postgresql://user@host:port/database';
  if (url.search !== '' || url.hash !== '')
    return 'options do not belong in the DSN: TLS has the field `tls`';
  return undefined;
}
