import { isIP, Socket } from 'node:net';
import { checkServerIdentity, type ConnectionOptions } from 'node:tls';
import { Client, DatabaseError, type ClientConfig } from 'pg';
import { z } from 'zod';
import { DrillError, messageOf } from '../core/errors.ts';
import type { ProbeContext, ProbeKind } from '../core/probe.ts';
import type { Observation } from '../core/sample.ts';
import { secureContext } from './lib/http-exchange.ts';
import { abortedBy, failureOf, shorten } from './lib/net-errors.ts';
import { mapValue, valueMap } from './lib/value-map.ts';

const params = z.strictObject({
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
  query: z
    .string()
    .min(1)
    .describe('Statement to run; the first column of the first row is the probe’s value.'),
  map: valueMap,
});
type Params = z.output<typeof params>;

/** How long a good session may take to say goodbye before its socket is cut. */
const goodbyeMs = 1000;

/** Runs a statement over a connection of its own each time. */
export const sql: ProbeKind<Params> = {
  kind: 'sql',
  summary: 'A statement on a PostgreSQL server over a new connection; its first column is the value.',
  params,
  lane: 'network',
  needsHost: false,
  describe: (p) => `${p.query} on ${p.dsn}`,
  async open(p, ctx) {
    const config = await clientConfig(p, ctx);
    const sockets = new Set<Socket>();
    return {
      observe: (signal) => look(p, config, sockets, ctx, signal),
      close: async () => {
        for (const socket of sockets) socket.destroy();
      },
    };
  },
};

async function look(
  p: Params,
  config: ClientConfig,
  sockets: Set<Socket>,
  ctx: ProbeContext,
  signal: AbortSignal,
): Promise<Observation> {
  if (signal.aborted) return abortedBy(signal);
  const startMs = ctx.clock.nowMs();
  const phases: { connectMs?: number } = {};
  const withPhases = (seen: Observation): Observation =>
    seen.status === 'unknown' ? seen : { ...seen, phases };
  // The socket is ours, so that it can always be cut: end() of a client waits for the server.
  const socket = new Socket();
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
  socket.once('connect', () => void (phases.connectMs = ctx.clock.nowMs() - startMs));
  const aborted = Promise.withResolvers<Observation>();
  const onAbort = (): void => aborted.resolve(withPhases(abortedBy(signal)));
  signal.addEventListener('abort', onAbort, { once: true });
  let polite = false;
  try {
    const client = new Client({ ...config, stream: () => socket });
    // Errors also reject the call under way; without a listener they would end the process.
    client.on('error', () => {});
    const asked = ask(client, p).then(
      (seen) => {
        polite = true;
        sayGoodbye(client, socket);
        return withPhases(seen);
      },
      (error: unknown) => withPhases(sqlFailure(error)),
    );
    return await Promise.race([asked, aborted.promise]);
  } catch (error) {
    return withPhases(sqlFailure(error));
  } finally {
    signal.removeEventListener('abort', onAbort);
    if (!polite) socket.destroy();
  }
}

async function ask(client: Client, p: Params): Promise<Observation> {
  await client.connect();
  const result: unknown = await client.query({
    text: p.query,
    rowMode: 'array',
    // Values stay as the server wrote them: t and f, not true and false.
    types: { getTypeParser: () => (text: unknown) => text },
  });
  // Several statements in one give a list of results: the last one speaks.
  const last: unknown = Array.isArray(result) ? result.at(-1) : result;
  const rows = typeof last === 'object' && last !== null && 'rows' in last ? last.rows : [];
  const row: unknown = Array.isArray(rows) ? rows[0] : undefined;
  const cell: unknown = Array.isArray(row) ? row[0] : undefined;
  if (cell === undefined) return { status: 'fail', cause: 'error', message: 'the statement gave no row' };
  return { status: 'ok', value: mapValue(p.map, shorten(typeof cell === 'string' ? cell : 'null')) };
}

/** Ends a session as the protocol wants it, off the look's time; cuts it when the server does not follow. */
function sayGoodbye(client: Client, socket: Socket): void {
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

function sqlFailure(error: unknown): Observation {
  const message = messageOf(error);
  if (error instanceof DatabaseError) {
    return { status: 'fail', cause: 'error', message: shorten(`${error.code ?? ''} ${message}`) };
  }
  // pg's own errors carry no code: see its lib/connection.js and lib/client.js.
  if (message.startsWith('Connection terminated')) return { status: 'fail', cause: 'reset', message };
  if (/SSL connection/.test(message)) return { status: 'fail', cause: 'tls', message };
  return failureOf(error);
}

async function clientConfig(p: Params, ctx: ProbeContext): Promise<ClientConfig> {
  const problem = dsnProblem(p.dsn);
  if (problem !== undefined) throw new DrillError('invalid-input', `${p.dsn}: ${problem}`);
  const url = new URL(p.dsn);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const user = decodeURIComponent(url.username);
  const password = await readPassword(p, ctx);
  return {
    host,
    port: url.port === '' ? 5432 : Number(url.port),
    user,
    database: decodeURIComponent(url.pathname.slice(1)) || user,
    // A function: with a plain value, pg would fall back to PGPASSWORD and ~/.pgpass of whoever runs this.
    password: () => password,
    application_name: 'firedrill',
    ssl: p.tls === undefined || p.tls.mode === 'disable' ? false : await tlsOptions(p.tls, host, ctx),
  };
}

async function tlsOptions(
  tls: NonNullable<Params['tls']>,
  host: string,
  ctx: ProbeContext,
): Promise<ConnectionOptions> {
  const serverName = tls.serverName ?? host;
  return {
    secureContext: await secureContext(tls.caFile, ctx),
    rejectUnauthorized: tls.mode === 'verify-full',
    // pg sets SNI to the host it connects to; what the certificate must say is decided here.
    checkServerIdentity: (_host, certificate) => checkServerIdentity(serverName, certificate),
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
  };
}

async function readPassword(p: Params, ctx: ProbeContext): Promise<string> {
  if (p.password === undefined) return '';
  if ('env' in p.password) {
    const text = ctx.env(p.password.env);
    if (text === undefined) {
      throw new DrillError('invalid-input', `the environment variable ${p.password.env} is not set`, {
        mend: `Put the password for ${p.dsn} into it.`,
      });
    }
    return text;
  }
  try {
    return (await ctx.readText(p.password.file)).replace(/\r?\n$/, '');
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
