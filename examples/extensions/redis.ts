import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { defineExtension, defineWriter, hostPort, nameLookup, requireHostPort, z } from 'firedrill';
import type { RowClient, WriterContext, Written } from 'firedrill';

const params = z.strictObject({ address: hostPort.describe('host:port of Redis.') });
type Params = z.output<typeof params>;

/**
 * Rows as fields of one Redis hash, `client:number`. The value of a field counts the writes of its row, so that a row that
 * was written twice is seen.
 */
const rows = defineWriter<Params>({
  kind: 'redis.rows',
  summary: 'Rows in a new Redis hash, over persistent connections.',
  params,
  newConnections: () => 0,
  describe: (p) => ({
    write: `HINCRBY in a hash of this run's name on ${p.address}`,
    read: 'HGETALL',
    remove: 'DEL',
  }),
  open: async (p, ctx) => {
    const once = async (command: string, signal: AbortSignal): Promise<void> => {
      const client = new RedisClient(p, ctx);
      try {
        await client.ask(command, signal);
      } finally {
        client.close();
      }
    };
    return {
      // Redis creates the hash with its first field.
      create: (signal) => once('PING', signal),
      drop: (signal) => once(`DEL ${ctx.store}`, signal),
      connect: () => new RedisClient(p, ctx),
    };
  },
});

/** An answer that says that the command was not executed. */
class RedisError extends Error {}

/** A client with one connection, opened when it is needed and closed after any error. */
class RedisClient implements RowClient {
  readonly #params: Params;
  readonly #ctx: WriterContext;
  #socket: Socket | undefined;

  constructor(params: Params, ctx: WriterContext) {
    this.#params = params;
    this.#ctx = ctx;
  }

  async write(row: { client: number; number: number }, signal: AbortSignal): Promise<Written> {
    let isSent = false;
    try {
      const command = `HINCRBY ${this.#ctx.store} ${row.client}:${row.number} 1`;
      await this.ask(command, signal, () => (isSent = true));
      return { outcome: 'acked' };
    } catch (error) {
      const isUndone = !isSent || error instanceof RedisError;
      return { outcome: isUndone ? 'refused' : 'indeterminate', message: String(error) };
    }
  }

  async rows(signal: AbortSignal) {
    const fields = await this.ask(`HGETALL ${this.#ctx.store}`, signal);
    if (!Array.isArray(fields)) throw new Error('HGETALL: not an answer of Redis');
    const rows = new Map<number, { from: number; to: number; times: number }[]>();
    for (let i = 0; i < fields.length; i += 2) {
      const [client = 0, number = 0] = (fields[i] ?? '').split(':').map(Number);
      const own = rows.get(client) ?? [];
      own.push({ from: number, to: number, times: Number(fields[i + 1]) });
      rows.set(client, own);
    }
    for (const own of rows.values()) own.sort((a, b) => a.from - b.from);
    return rows;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  /** Sends one command and returns its answer. `onSend` is called just before. */
  async ask(command: string, signal: AbortSignal, onSend: () => void = () => {}): Promise<string | string[]> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<string | string[]>();
    const socket = (this.#socket ??= this.#open());
    let text = '';
    const onData = (part: string): void => {
      text += part;
      const answer = answerOf(text);
      if (answer instanceof Error) reject(answer);
      else if (answer !== undefined) resolve(answer);
    };
    const onClose = (): void => reject(new Error('the connection closed'));
    const onAbort = (): void => reject(signal.reason as Error);
    const send = (): void => {
      onSend();
      socket.write(`${command}\r\n`);
    };
    socket.on('data', onData).on('error', reject).on('close', onClose);
    signal.addEventListener('abort', onAbort, { once: true });
    if (socket.connecting) socket.once('connect', send);
    else send();
    try {
      return await promise;
    } catch (error) {
      // A late answer must not be taken for that of the next command.
      if (!(error instanceof RedisError)) this.close();
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
      socket.off('data', onData).off('error', reject).off('close', onClose).off('connect', send);
    }
  }

  #open(): Socket {
    const { lookup } = nameLookup(this.#ctx.resolveName);
    const socket = connect({ ...requireHostPort(this.#params.address), lookup });
    socket.setEncoding('latin1').on('error', () => {});
    // Also an idle connection that ends: the next command opens a new one.
    socket.once('close', () => {
      if (this.#socket === socket) this.#socket = undefined;
    });
    return socket;
  }
}

/** The answer at the beginning of a text; undefined while it is incomplete. */
function answerOf(text: string): string | string[] | Error | undefined {
  const lines = text.split('\r\n');
  const [first = ''] = lines;
  if (lines.length < 2) return undefined;
  if (first.startsWith('+') || first.startsWith(':')) return first.slice(1);
  if (first.startsWith('-')) return new RedisError(first.slice(1));
  if (!/^\*\d+$/.test(first)) return new Error(`not an answer of Redis: ${first.slice(0, 80)}`);
  // Each entry has two lines: its length, and the entry, which has no line break.
  const count = Number(first.slice(1));
  if (lines.length < 2 + count * 2) return undefined;
  return Array.from({ length: count }, (_, i) => lines[2 + i * 2] ?? '');
}

export default defineExtension({ name: 'redis', writers: [rows] });
