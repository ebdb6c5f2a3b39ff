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
    .regex(/^[a-z_][a-z0-9_]*$/, { error: 'expected a name of small letters, digits and underscores' })
    .optional()
    .describe('Schema in which the table is made; that of the connection by default.'),
  copy: z
    .strictObject(connectionFields)
    .optional()
    .describe('The server that the path’s own host holds, past the stack’s path: read before the heal.'),
});
type Params = z.output<typeof params>;

/**
 * Rows in a table of their own, each by a statement of its own (autocommit) over a connection that a client
 * keeps for as long as it is good, as a pool does.
 */
export const sqlRows: WriterKind<Params> = {
  kind: 'sql',
  summary: 'Rows in a PostgreSQL table of their own, over kept connections.',
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
      // Of the second attempt the first may have done the work, unseen. No key: a row that is there twice must show.
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

/** Reads a table as ranges: numbers that follow one another, and are there as often, have the same difference to their rank. */
function islands(table: string): string {
  return `SELECT client, min(number), max(number), times FROM (
    SELECT client, number, count(*) AS times,
      number - row_number() OVER (PARTITION BY client, count(*) ORDER BY number) AS island
    FROM ${table} GROUP BY client, number) AS counted
    GROUP BY client, times, island ORDER BY client, min(number)`;
}

/** A connection, and whether it waits for a statement. */
interface Session {
  readonly client: Client;
  readonly socket: ResolvingSocket;
  readonly readiness: Readiness;
}

/** A client with one connection, opened when it is needed and given up after whatever went wrong on it. */
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

  /** One statement in one message (simple protocol): its rows, all cells numbers. `onSend` is called just before it is sent, with its session. */
  async ask(
    statement: string,
    signal: AbortSignal,
    onSend: (session: Session) => void = () => {},
  ): Promise<readonly (readonly number[])[]> {
    const aborted = Promise.withResolvers<never>();
    // The race below may be over, or not yet begun, when it rejects.
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
    // The socket is ours, so that it can always be cut: end() of a client waits for the server.
    const socket = new ResolvingSocket(this.#resolveName);
    const client = new Client({ ...this.#config, stream: () => socket });
    const session = { client, socket, readiness: followReadiness(client, socket) };
    this.#session = session;
    // Also what ends a session that nobody is using: the next statement opens another one.
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

/** Classes of SQLSTATE that do not say whether the statement was undone: broken connections, unknown completion, and what a server or a pooler says of itself. */
const undecided = /^(?:08|40003|57|58|XX)/;

/**
 * Whether an answer says that the statement was undone. PostgreSQL rolls the statement's own transaction back with each
 * ERROR, and then waits for the next statement. A FATAL, which ends the session, may come after the commit (57P01, while it
 * waits for a synchronous standby).
 */
function isUndone(error: unknown, { readiness }: Session): boolean {
  return (
    error instanceof DatabaseError &&
    readiness.isReady() &&
    error.code !== undefined &&
    !undecided.test(error.code)
  );
}
