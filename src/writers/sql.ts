import { Client, DatabaseError, type ClientConfig } from 'pg';
import { z } from 'zod';
import { messageOf } from '../core/errors.ts';
import type { ResolveName } from '../core/probe.ts';
import type { RowRange } from '../core/row-ranges.ts';
import { shorten } from '../core/shorten.ts';
import type { Row, RowClient, Rows, WriterKind, Written } from '../core/writer.ts';
import { ResolvingSocket } from '../net/name-lookup.ts';
import {
  clientConfig,
  connectionFields,
  followReadiness,
  type Readiness,
  sayGoodbye,
} from '../net/postgres.ts';

const params = z.strictObject({
  ...connectionFields,
  schema: z
    .string()
    .regex(/^[a-z_][a-z0-9_]*$/, { error: 'expected a name of lowercase letters, digits, and underscores' })
    .optional()
    .describe('Schema for the table; default: the connection’s schema.'),
  copy: z
    .strictObject(connectionFields)
    .optional()
    .describe(
      'Connection to the database on the path’s own host, not through the stack’s path. Its rows are read before the heal.',
    ),
});
type Params = z.output<typeof params>;

/**
 * Rows in a new table, each written by its own statement (autocommit). Each client keeps its connection as
 * long as it works, as a connection pool does.
 */
export const sqlRows: WriterKind<Params> = {
  kind: 'sql',
  summary: 'Rows in a new PostgreSQL table, over persistent connections.',
  params,
  newConnections: () => 0,
  describe: (p) => ({
    write: `INSERT INTO a table of this run's name on ${p.dsn}`,
    read: `SELECT from it${p.copy === undefined ? '' : `, and before the heal from ${p.copy.dsn}`}`,
    remove: 'DROP TABLE',
  }),
  async open(p, ctx) {
    const config = await clientConfig(p, ctx);
    const table = p.schema === undefined ? ctx.store : `${p.schema}.${ctx.store}`;
    const connect = (): SqlClient => new SqlClient(config, table, ctx.resolveName);
    const once = async (statement: string, signal: AbortSignal): Promise<void> => {
      const client = connect();
      try {
        await client.ask(statement, signal);
      } finally {
        client.close();
      }
    };
    const copy = p.copy === undefined ? undefined : await clientConfig(p.copy, ctx);
    return {
      // A repeated attempt may find the table of the first one. The table has no key, so that duplicate rows
      // are detected.
      create: (signal) =>
        once(
          `CREATE TABLE IF NOT EXISTS ${table} (client integer NOT NULL, number integer NOT NULL)`,
          signal,
        ),
      drop: (signal) => once(`DROP TABLE IF EXISTS ${table}`, signal),
      connect,
      ...(copy === undefined ? {} : { connectCopy: () => new SqlClient(copy, table, ctx.resolveName) }),
    };
  },
};

/**
 * Reads a table as ranges. Consecutive numbers with the same count have the same difference to their rank.
 */
function islands(table: string): string {
  return `SELECT client, min(number), max(number), times FROM (
    SELECT client, number, count(*) AS times,
      number - row_number() OVER (PARTITION BY client, count(*) ORDER BY number) AS island
    FROM ${table} GROUP BY client, number) AS counted
    GROUP BY client, times, island ORDER BY client, min(number)`;
}

/** A connection, and whether it is ready for a statement. */
interface Session {
  readonly client: Client;
  readonly socket: ResolvingSocket;
  readonly readiness: Readiness;
}

/** A client with one connection, opened when it is needed and closed after any error. */
class SqlClient implements RowClient {
  readonly #config: ClientConfig;
  readonly #table: string;
  readonly #resolveName: ResolveName;
  #session: Session | undefined;

  constructor(config: ClientConfig, table: string, resolveName: ResolveName) {
    this.#config = config;
    this.#table = table;
    this.#resolveName = resolveName;
  }

  async write({ client, number }: Row, signal: AbortSignal): Promise<Written> {
    let session: Session | undefined;
    try {
      const statement = `INSERT INTO ${this.#table} (client, number) VALUES (${client}, ${number})`;
      await this.ask(statement, signal, (on) => void (session = on));
      return { outcome: 'acked' };
    } catch (error) {
      const message = shorten(
        error instanceof DatabaseError ? `${error.code ?? ''} ${error.message}` : messageOf(error),
      );
      return {
        outcome: session === undefined || isUndone(error, session) ? 'refused' : 'indeterminate',
        message,
      };
    }
  }

  async rows(signal: AbortSignal): Promise<Rows> {
    const rows = new Map<number, RowRange[]>();
    for (const [client = 0, from = 0, to = 0, times = 0] of await this.ask(islands(this.#table), signal)) {
      const ranges = rows.get(client) ?? [];
      ranges.push({ from, to, times });
      rows.set(client, ranges);
    }
    return rows;
  }

  close(): void {
    const session = this.#session;
    this.#session = undefined;
    if (session !== undefined) sayGoodbye(session.client, session.socket);
  }

  /**
   * Sends one statement in one message (simple protocol) and returns its rows; all cells are numbers.
   * `onSend` is called with the session just before the statement is sent.
   */
  async ask(
    statement: string,
    signal: AbortSignal,
    onSend: (session: Session) => void = () => {},
  ): Promise<readonly (readonly number[])[]> {
    const aborted = Promise.withResolvers<never>();
    // Avoids an unhandled rejection if it rejects before or after the race below.
    aborted.promise.catch(() => {});
    const onAbort = (): void => aborted.reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    let sentOn: Session | undefined;
    try {
      signal.throwIfAborted();
      const session = await Promise.race([this.#connected(), aborted.promise]);
      onSend(session);
      sentOn = session;
      session.readiness.onSend();
      const result = await Promise.race([
        session.client.query<unknown[]>({ text: statement, rowMode: 'array' }),
        aborted.promise,
      ]);
      return result.rows.map((row) => row.map(Number));
    } catch (error) {
      if (error instanceof DatabaseError) await sentOn?.readiness.untilReady(signal);
      this.#cut();
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #connected(): Promise<Session> {
    if (this.#session !== undefined) return this.#session;
    // This code owns the socket so that it can always destroy it: end() of a client waits for the server.
    const socket = new ResolvingSocket(this.#resolveName);
    const client = new Client({ ...this.#config, stream: () => socket });
    const session = { client, socket, readiness: followReadiness(client, socket) };
    this.#session = session;
    // Also handles the end of an idle session: the next statement opens a new one.
    client.on('error', () => {
      if (this.#session === session) this.#cut();
    });
    await client.connect();
    return session;
  }

  #cut(): void {
    this.#session?.socket.destroy();
    this.#session = undefined;
  }
}

/**
 * SQLSTATE classes that do not show whether the statement was rolled back: broken connections, unknown
 * completion, and internal errors of a server or pooler.
 */
const undecided = /^(?:08|40003|57|58|XX)/;

/**
 * Whether an answer shows that the statement was rolled back. PostgreSQL rolls back the statement's own
 * transaction at each ERROR, and then waits for the next statement. A FATAL, which ends the session, may come
 * after the commit (57P01, during the wait for a synchronous standby).
 */
function isUndone(error: unknown, { readiness }: Session): boolean {
  return (
    error instanceof DatabaseError &&
    readiness.isReady() &&
    error.code !== undefined &&
    !undecided.test(error.code)
  );
}
