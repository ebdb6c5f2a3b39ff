import type { Socket } from 'node:net';
import { Client, DatabaseError, type ClientConfig } from 'pg';
import { z } from 'zod';
import { messageOf } from '../core/errors.ts';
import type { ProbeContext, ProbeKind, ProbeSession } from '../core/probe.ts';
import type { Observation, Phases } from '../core/sample.ts';
import { shorten } from '../core/shorten.ts';
import type { DurationMs } from '../core/time.ts';
import { keepSqlSessions, type KeptSqlSessions } from './lib/kept-sql-sessions.ts';
import { ResolvingSocket } from '../net/name-lookup.ts';
import { abortedBy, failureOf } from '../net/net-errors.ts';
import { clientConfig, connectionFields, sayGoodbye } from '../net/postgres.ts';
import { mapValue, valueMap } from './lib/value-map.ts';

const params = z.strictObject({
  ...connectionFields,
  query: z
    .string()
    .min(1)
    .describe('Statement to run. The first column of the first row is the probe’s value.'),
  map: valueMap,
  connection: z
    .enum(['new', 'kept'])
    .default('new')
    .describe(
      '`new` opens a session for each sample. Use it to measure whether clients can reach the server. `kept` uses at most two sessions for all samples. Use it to read the server’s state. Each new session costs the server a process, which is most of the cost of a sample. When a kept session breaks during a sample, that sample fails and the next one opens a session. A session that the server closed between two samples is replaced, and no sample fails. `kept` is not allowed for the recovery probe or a `downtime` check.',
    ),
});
type Params = z.output<typeof params>;

/** Runs a statement in a new session for each sample, or in a kept one. */
export const sql: ProbeKind<Params> = {
  kind: 'sql',
  summary:
    'A statement on a PostgreSQL server, in a new or a kept session. The first column of its first row is the value.',
  params,
  lane: 'network',
  needsHost: false,
  cost: (p) => ({ newConnections: p.connection === 'kept' ? 0 : 1, commands: 0, processes: 0 }),
  keepsSession: (p) => (p.connection === 'kept' ? 'state' : undefined),
  describe: (p) => `${p.query} on ${p.dsn}${p.connection === 'kept' ? ', in a kept session' : ''}`,
  async open(p, ctx) {
    const config = await clientConfig(p, ctx);
    if (p.connection === 'kept') return keptSession(p, keepSqlSessions(config, ctx), ctx);
    const sockets = new Set<Socket>();
    return {
      observe: (signal) => attempt(p, config, sockets, ctx, signal),
      close: async () => {
        for (const socket of sockets) socket.destroy();
      },
    };
  },
};

function keptSession(p: Params, sessions: KeptSqlSessions, ctx: ProbeContext): ProbeSession {
  return {
    isBusy: () => sessions.isBusy(),
    observe: async (signal) => {
      const startMs = ctx.clock.nowMs();
      const phases: { connectMs?: DurationMs; firstByteMs?: DurationMs } = {};
      const since = (): number => ctx.clock.nowMs() - startMs;
      let used: ResolvingSocket | undefined;
      const watch = (socket: ResolvingSocket): void => {
        used = socket;
        // A reused session is already connected, and with TLS its socket emits no more data events. Listeners
        // would only accumulate.
        if (!socket.pending) return;
        socket.once('connect', () => void (phases.connectMs = since()));
        socket.once('data', () => void (phases.firstByteMs = since()));
      };
      try {
        return withPhases(await sessions.use(async (client) => ask(client, p), signal, watch), phases);
      } catch (error) {
        return withPhases(signal.aborted ? abortedBy(signal, used?.names) : sqlFailure(error), phases);
      }
    },
    close: async () => sessions.close(),
  };
}

function withPhases(seen: Observation, phases: Phases): Observation {
  return seen.status === 'unknown' ? seen : { ...seen, phases };
}

async function attempt(
  p: Params,
  config: ClientConfig,
  sockets: Set<Socket>,
  ctx: ProbeContext,
  signal: AbortSignal,
): Promise<Observation> {
  if (signal.aborted) return abortedBy(signal);
  const startMs = ctx.clock.nowMs();
  const phases: { connectMs?: DurationMs; firstByteMs?: DurationMs } = {};
  const since = (): number => ctx.clock.nowMs() - startMs;
  // The probe creates the socket, so that it can always destroy it: the client's end() waits for the server.
  const socket = new ResolvingSocket(ctx.resolveName);
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
  socket.once('connect', () => {
    phases.connectMs = since();
    // Time of the first reply, to the request for TLS or for a session: a proxy may accept connections for a
    // server that is down.
    socket.once('data', () => void (phases.firstByteMs = since()));
  });
  const aborted = Promise.withResolvers<Observation>();
  const onAbort = (): void => aborted.resolve(withPhases(abortedBy(signal, socket.names), phases));
  signal.addEventListener('abort', onAbort, { once: true });
  let polite = false;
  try {
    const client = new Client({ ...config, stream: () => socket });
    // Errors also reject the pending call. Without a listener they would end the process.
    client.on('error', () => {});
    const asked = connectAndAsk(client, p).then(
      (seen) => {
        polite = true;
        sayGoodbye(client, socket);
        return withPhases(seen, phases);
      },
      (error: unknown) => withPhases(sqlFailure(error), phases),
    );
    return await Promise.race([asked, aborted.promise]);
  } catch (error) {
    return withPhases(sqlFailure(error), phases);
  } finally {
    signal.removeEventListener('abort', onAbort);
    if (!polite) socket.destroy();
  }
}

async function connectAndAsk(client: Client, p: Params): Promise<Observation> {
  await client.connect();
  return ask(client, p);
}

async function ask(client: Client, p: Params): Promise<Observation> {
  const result: unknown = await client.query({
    text: p.query,
    rowMode: 'array',
    // Keeps values in the server's text format: t and f, not true and false.
    types: { getTypeParser: () => (text: unknown) => text },
  });
  // Several statements in one query return a list of results. The last one counts.
  const last: unknown = Array.isArray(result) ? result.at(-1) : result;
  const rows = typeof last === 'object' && last !== null && 'rows' in last ? last.rows : [];
  const row: unknown = Array.isArray(rows) ? rows[0] : undefined;
  const cell: unknown = Array.isArray(row) ? row[0] : undefined;
  if (cell === undefined) return { status: 'fail', cause: 'error', message: 'the statement returned no row' };
  return { status: 'ok', value: mapValue(p.map, shorten(typeof cell === 'string' ? cell : 'null')) };
}

function sqlFailure(error: unknown): Observation {
  const message = messageOf(error);
  if (error instanceof DatabaseError) {
    return { status: 'fail', cause: 'error', message: shorten(`${error.code ?? ''} ${message}`) };
  }
  // pg's own errors have no code: see its lib/connection.js and lib/client.js.
  if (message.startsWith('Connection terminated')) return { status: 'fail', cause: 'reset', message };
  if (/SSL connection/.test(message)) return { status: 'fail', cause: 'tls', message };
  return failureOf(error);
}
