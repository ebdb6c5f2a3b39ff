import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { rangesOf } from '../../core/row-ranges.ts';
import type { Row, RowClient, Rows, WriterKind, Written } from '../../core/writer.ts';
import { defineWriter } from '../define.ts';
import type { Stand } from '../define-tests.ts';
import { proxyTo } from '../proxy.ts';
import { checksOf, failures } from './testing/try-kinds.ts';

const opens: (() => void)[] = [];
afterEach(() => {
  for (const close of opens.splice(0)) close();
});

/** A store that answers lines: `create S`, `drop S`, `write S CLIENT NUMBER`, and `read S`. */
async function store(): Promise<number> {
  const stores = new Map<string, Row[]>();
  const answer = (line: string): string => {
    const [verb, name = '', client, number] = line.split(' ');
    if (verb === 'create') stores.set(name, stores.get(name) ?? []);
    else if (verb === 'drop') stores.delete(name);
    const rows = stores.get(name);
    if (verb === 'create' || verb === 'drop') return 'ok';
    if (rows === undefined) return 'error no such store';
    if (verb === 'write') rows.push({ client: Number(client), number: Number(number) });
    return verb === 'read' ? JSON.stringify(rows) : 'ok';
  };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).setEncoding('utf8');
    let text = '';
    socket.on('data', (part: string) => {
      text += part;
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) socket.write(`${answer(line)}\n`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  opens.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

/** A client of such a store. Bugs are added by the tests. */
class StoreClient implements RowClient {
  readonly port: number;
  readonly store: string;
  socket: Socket | undefined;

  constructor(port: number, store: string) {
    this.port = port;
    this.store = store;
  }

  /** One line as the answer. `onSend` is called before the request is sent. */
  async ask(line: string, signal: AbortSignal, onSend: () => void = () => {}): Promise<string> {
    signal.throwIfAborted();
    const socket = (this.socket ??= connect(this.port, '127.0.0.1')
      .setEncoding('utf8')
      .on('error', () => {}));
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    let text = '';
    const onData = (part: string): void => {
      text += part;
      if (text.endsWith('\n')) resolve(text.trimEnd());
    };
    const onClose = (): void => reject(new Error('closed'));
    const onAbort = (): void => reject(signal.reason as Error);
    socket.on('data', onData).on('close', onClose);
    signal.addEventListener('abort', onAbort);
    try {
      if (socket.destroyed) throw new Error('closed');
      if (socket.connecting) await Promise.race([once(socket, 'connect'), promise]);
      onSend();
      socket.write(`${line}\n`);
      return await promise;
    } catch (error) {
      this.close();
      throw error;
    } finally {
      socket.off('data', onData).off('close', onClose);
      signal.removeEventListener('abort', onAbort);
    }
  }

  async write({ client, number }: Row, signal: AbortSignal): Promise<Written> {
    let isSent = false;
    try {
      const said = await this.ask(`write ${this.store} ${client} ${number}`, signal, () => (isSent = true));
      return said === 'ok' ? { outcome: 'acked' } : { outcome: 'refused', message: said };
    } catch (error) {
      return { outcome: isSent ? 'indeterminate' : 'refused', message: String(error) };
    }
  }

  async rows(signal: AbortSignal): Promise<Rows> {
    return byClient(JSON.parse(await this.ask(`read ${this.store}`, signal)) as Row[]);
  }

  close(): void {
    this.socket?.destroy();
    this.socket = undefined;
  }
}

function byClient(rows: readonly Row[]): Rows {
  return new Map(
    [...Map.groupBy(rows, ({ client }) => client)].map(([client, own]) => [
      client,
      rangesOf(own.map(({ number }) => number)),
    ]),
  );
}

interface Bugs {
  /** Clients of the kind. */
  readonly client?: new (port: number, store: string) => StoreClient;
  readonly create?: (again: number) => string;
  readonly drop?: string;
  readonly storeName?: (store: string) => string;
}

function kindOf({
  client: Client = StoreClient,
  create = () => 'create',
  drop = 'drop',
  storeName = (name) => name,
}: Bugs): WriterKind<unknown> {
  const created = new Map<string, number>();
  return defineWriter<{ port: number }>({
    kind: 'acme.rows',
    summary: 'Rows.',
    params: z.strictObject({ port: z.int() }),
    newConnections: () => 0,
    describe: () => ({ write: 'w', read: 'r', remove: 'd' }),
    open: async ({ port }, ctx) => {
      const name = storeName(ctx.store);
      const once = async (verb: string, signal: AbortSignal): Promise<void> => {
        const one = new StoreClient(port, name);
        try {
          const said = await one.ask(`${verb} ${name}`, signal);
          if (said !== 'ok') throw new Error(said);
        } finally {
          one.close();
        }
      };
      return {
        create: (signal) => {
          const before = created.get(name) ?? 0;
          created.set(name, before + 1);
          return once(create(before), signal);
        },
        drop: (signal) => once(drop, signal),
        connect: () => new Client(port, name),
      };
    },
  });
}

async function proxied(): Promise<Stand> {
  const proxy = await proxyTo(await store());
  return { params: { port: proxy.port }, connection: proxy, tearDown: () => proxy.close() };
}

const plain = async (): Promise<Stand> => ({ params: { port: await store() } });

const tests = (setUp: () => Promise<Stand>) => ({ writers: [{ kind: 'acme.rows', setUp }] });

test('a writer that keeps its promises', async () => {
  const checks = await checksOf({ writers: [kindOf({})] }, tests(proxied));
  expect(checks.filter(({ status }) => status !== 'ok')).toEqual([]);
});

test('without a connection to break, that is not tried', async () => {
  const checks = await checksOf({ writers: [kindOf({})] }, tests(plain));
  const other = checks.filter(({ status }) => status !== 'ok');
  expect(
    other.every(({ status, hint }) => status === 'not-tried' && hint?.includes('proxyTo') === true),
  ).toBe(true);
  expect(other.length).toBeGreaterThan(2);
});

const batches = new Map<string, string[]>();

test.each<readonly [string, Bugs, string]>([
  [
    'acknowledges before the row is stored',
    {
      client: class extends StoreClient {
        override async write(row: Row, signal: AbortSignal): Promise<Written> {
          if (signal.aborted) return { outcome: 'refused', message: 'cut short' };
          void new Promise((resolve) => void setTimeout(resolve, 30)).then(() =>
            super.write(row, AbortSignal.timeout(1000)),
          );
          return { outcome: 'acked' };
        }
      },
    },
    'it reads back none of client 1',
  ],
  [
    'collects rows until there are twelve',
    {
      client: class extends StoreClient {
        override async write({ client, number }: Row, signal: AbortSignal): Promise<Written> {
          if (signal.aborted) return { outcome: 'refused', message: 'cut short' };
          const batch = [...(batches.get(this.store) ?? []), `write ${this.store} ${client} ${number}`];
          batches.set(this.store, batch);
          if (batch.length < 12) return { outcome: 'acked' };
          batches.delete(this.store);
          await this.ask(batch.join('\n'), signal);
          return { outcome: 'acked' };
        }
      },
    },
    'acknowledged rows are read back',
  ],
  [
    'loses rows',
    {
      client: class extends StoreClient {
        override write = async (row: Row, signal: AbortSignal): Promise<Written> =>
          row.number === 2 && !signal.aborted ? { outcome: 'acked' } : super.write(row, signal);
      },
    },
    'it reads back 1 4-5 7 of client 1',
  ],
  [
    'reads rows that nobody wrote',
    {
      client: class extends StoreClient {
        override async rows(signal: AbortSignal): Promise<Rows> {
          const rows = await super.rows(signal);
          return new Map(
            [...rows].map(([client, ranges]) => [
              client,
              [{ from: 1, to: ranges.at(-1)?.to ?? 1, times: 1 }],
            ]),
          );
        }
      },
    },
    'it reads back 1-7 of client 1',
  ],
  [
    'counts no duplicates',
    {
      client: class extends StoreClient {
        override async rows(signal: AbortSignal): Promise<Rows> {
          const rows = await super.rows(signal);
          return new Map(
            [...rows].map(([c, ranges]) => [c, ranges.map((range) => ({ ...range, times: 1 }))]),
          );
        }
      },
    },
    'row 7 of client 1 was acknowledged twice, and is read back once',
  ],
  [
    'writes each row twice',
    {
      client: class extends StoreClient {
        override async write(row: Row, signal: AbortSignal): Promise<Written> {
          await super.write(row, signal);
          return super.write(row, signal);
        }
      },
    },
    'it reads back 1-2x2 4-5x2 7x2 of client 1',
  ],
  [
    'mixes up the rows of clients',
    {
      client: class extends StoreClient {
        override write = (row: Row, signal: AbortSignal): Promise<Written> =>
          super.write({ ...row, client: 1 }, signal);
      },
    },
    'it reads back 1-2x2 4-5x2 7x2 of client 1',
  ],
  ['shares its rows with other runs', { storeName: () => 'rows' }, 'the rows of another store'],
  ['leaves its rows', { drop: 'create' }, 'rows are still there after `drop`'],
  [
    'cannot create its store twice',
    { create: (again) => (again === 0 ? 'create' : 'no') },
    '`create` threw: error no such store',
  ],
  [
    'throws',
    {
      client: class extends StoreClient {
        override write = async (row: Row, signal: AbortSignal): Promise<Written> => {
          signal.throwIfAborted();
          return super.write(row, signal);
        };
      },
    },
    '`write` threw: ',
  ],
  [
    'has an outcome of its own',
    {
      client: class extends StoreClient {
        override write = async (row: Row, signal: AbortSignal): Promise<Written> => {
          const { outcome } = await super.write(row, signal);
          return outcome === 'acked' ? { outcome } : { outcome: 'failed' as never, message: 'x' };
        };
      },
    },
    'the outcome of the write is "failed"',
  ],
  [
    'ignores its signal',
    {
      client: class extends StoreClient {
        override write = async (row: Row): Promise<Written> => super.write(row, new AbortController().signal);
      },
    },
    'a write whose signal had aborted is acked',
  ],
  [
    'reads no rows if it cannot read',
    {
      client: class extends StoreClient {
        override rows = (signal: AbortSignal): Promise<Rows> => super.rows(signal).catch(() => new Map());
      },
    },
    '`rows` returns 0 clients although its signal had aborted',
  ],
  [
    'keeps its connection after `close`',
    {
      client: class extends StoreClient {
        override close(): void {}
      },
    },
    'after `close`: ',
  ],
])('a writer that %s', async (_name, bugs, expected) => {
  batches.clear();
  const found = await failures({ writers: [kindOf(bugs)] }, tests(plain));
  expect(found.join('\n')).toContain(expected);
});

test.each<readonly [string, Bugs, string]>([
  [
    'reports a lost answer as not done',
    {
      client: class extends StoreClient {
        override async write(row: Row, signal: AbortSignal): Promise<Written> {
          const { outcome, message = '' } = await super.write(row, signal);
          return outcome === 'acked' ? { outcome } : { outcome: 'refused', message };
        }
      },
    },
    'row 2 is in the store, and its write is `refused`',
  ],
  [
    'reports a broken connection as done',
    {
      client: class extends StoreClient {
        override async write(row: Row, signal: AbortSignal): Promise<Written> {
          const written = await super.write(row, signal);
          return written.outcome === 'indeterminate' ? { outcome: 'acked' } : written;
        }
      },
    },
    'is `acked` although its answer was held back',
  ],
  [
    'writes again after a lost answer',
    {
      client: class extends StoreClient {
        override async write(row: Row, signal: AbortSignal): Promise<Written> {
          const written = await super.write(row, signal);
          if (written.outcome === 'indeterminate')
            setTimeout(
              () => void new StoreClient(this.port, this.store).write(row, AbortSignal.timeout(2000)),
              100,
            );
          return written;
        }
      },
    },
    'a write is made once',
  ],
  [
    'takes a late answer for the next one',
    {
      client: class extends StoreClient {
        stale = '';
        override async write({ client, number }: Row, signal: AbortSignal): Promise<Written> {
          const socket = (this.socket ??= connect(this.port, '127.0.0.1')
            .setEncoding('utf8')
            .on('error', () => {})
            .on('close', () => (this.socket = undefined))
            .on('data', (part: string) => (this.stale += part)));
          if (signal.aborted) return { outcome: 'refused', message: 'cut short' };
          socket.write(`write ${this.store} ${client} ${number}\n`);
          while (!signal.aborted && !socket.destroyed) {
            if (this.stale.includes('\n')) {
              this.stale = this.stale.slice(this.stale.indexOf('\n') + 1);
              return { outcome: 'acked' };
            }
            await new Promise((resolve) => void setTimeout(resolve, 5));
          }
          return { outcome: 'indeterminate', message: 'no answer' };
        }
      },
    },
    'the late answer to the write before',
  ],
  [
    'does not connect again',
    {
      client: class extends StoreClient {
        gone = false;
        override async write(row: Row, signal: AbortSignal): Promise<Written> {
          if (this.gone) return { outcome: 'refused', message: 'gone' };
          const written = await super.write(row, signal);
          this.gone = written.outcome === 'indeterminate';
          return written;
        }
      },
    },
    'after the connection was restored',
  ],
])('a writer whose connection breaks, and that %s', async (_name, bugs, expected) => {
  const found = await failures({ writers: [kindOf(bugs)] }, tests(proxied));
  expect(found.join('\n')).toContain(expected);
});
