import { describe, expect, test, onTestFinished } from 'vitest';
import {
  accept,
  failure,
  int16,
  int32,
  message,
  postgresServer,
  ready,
} from '../net/testing/postgres-server.ts';
import { unusedAddress } from '../net/testing/servers.ts';
import { sqlRows } from './sql.ts';
import { openPath, timeOut } from './testing/open-path.ts';

const done = (tag: string): Buffer => Buffer.concat([message('C', `${tag}\0`), ready]);

/** Rows of integers. */
function integers(...rows: readonly (readonly number[])[]): Buffer {
  const column = Buffer.concat([
    Buffer.from('c\0'),
    int32(0),
    int16(0),
    int32(20),
    int16(8),
    int32(-1),
    int16(0),
  ]);
  const width = rows[0]?.length ?? 0;
  return Buffer.concat([
    message('T', int16(width), ...rows.slice(0, 1).flatMap((row) => row.map(() => column))),
    ...rows.map((row) =>
      message('D', int16(width), ...row.flatMap((n) => [int32(String(n).length), Buffer.from(String(n))])),
    ),
    done(`SELECT ${rows.length}`),
  ]);
}

/** A server: its DSN, its queries, and its number of connections. */
async function server(
  onQuery: Parameters<typeof postgresServer>[1],
  onStartup: Parameters<typeof postgresServer>[0] = accept,
): Promise<{ readonly dsn: string; readonly asked: string[]; readonly connections: () => number }> {
  const asked: string[] = [];
  let connections = 0;
  const listening = await postgresServer(
    (socket, data) => {
      connections++;
      onStartup(socket, data);
    },
    (socket, query) => {
      asked.push(query);
      onQuery?.(socket, query);
    },
  );
  onTestFinished(listening.close);
  return { dsn: `postgresql://app@${listening.address}/app`, asked, connections: () => connections };
}

async function connected(dsn: string) {
  const client = (await openPath(sqlRows, { dsn })).connect();
  onTestFinished(() => client.close());
  return client;
}

const row = { client: 3, number: 17 };

describe('a row written by SQL', () => {
  test('is acknowledged when the statement completes, over one persistent connection', async () => {
    const { dsn, asked, connections } = await server((socket) => void socket.write(done('INSERT 0 1')));
    const client = await connected(dsn);
    await expect(client.write(row, timeOut())).resolves.toEqual({ outcome: 'acked' });
    await client.write({ client: 3, number: 18 }, timeOut());
    expect(asked).toEqual([
      'INSERT INTO firedrill_test (client, number) VALUES (3, 17)',
      'INSERT INTO firedrill_test (client, number) VALUES (3, 18)',
    ]);
    expect(connections()).toBe(1);
  });

  test.each([
    ['nothing listens', 'refused'],
    ['the server takes no connections yet', 'refused'],
    ['the server does not answer the start-up', 'refused'],
  ])('is refused if nothing could be sent: %s', async (what, outcome) => {
    const { dsn } = await server(undefined, (socket) => {
      if (what.includes('yet')) socket.end(failure('FATAL', '57P03', 'the database system is starting up'));
    });
    let where = dsn;
    if (what.includes('listens')) where = `postgresql://app@${await unusedAddress()}/app`;
    const client = await connected(where);
    await expect(client.write(row, timeOut(300))).resolves.toMatchObject({ outcome });
  });

  test.each([
    ['ERROR', '25006', 'cannot execute INSERT in a read-only transaction', 'refused'],
    ['ERROR', '53100', 'could not extend file: No space left on device', 'refused'],
    ['ERROR', '40001', 'could not serialize access', 'refused'],
    // PostgreSQL may send this after the commit, during the wait for a synchronous standby.
    ['FATAL', '57P01', 'terminating connection due to administrator command', 'indeterminate'],
    ['ERROR', '40003', 'statement completion unknown', 'indeterminate'],
    ['ERROR', '08006', 'connection failure', 'indeterminate'],
    // A pooler's own error does not show the statement's outcome.
    ['ERROR', 'XX000', 'unable to read data from DB node 0', 'indeterminate'],
    ['ERROR', '58000', 'kind mismatch among backends', 'indeterminate'],
    ['FATAL', '25006', 'read-only', 'indeterminate'],
  ])('after %s %s (%s) is %s, and the connection is closed', async (severity, code, text, outcome) => {
    const error = failure(severity, code, text);
    let failing = true;
    const { dsn, connections } = await server((socket) => {
      if (!failing) socket.write(done('INSERT 0 1'));
      else if (severity === 'FATAL') socket.end(error);
      else socket.write(Buffer.concat([error, ready]));
    });
    const client = await connected(dsn);
    await expect(client.write(row, timeOut())).resolves.toEqual({ outcome, message: `${code} ${text}` });
    failing = false;
    await expect(client.write(row, timeOut())).resolves.toEqual({ outcome: 'acked' });
    expect(connections()).toBe(2);
  });

  test.each([
    ['goes on after the error', 'FEHLER', 'refused'],
    ['ends with the error', 'FATAL', 'indeterminate'],
  ])(
    'has its outcome from a session that %s, not from the localized severity',
    async (what, word, outcome) => {
      const error = failure('ERROR', '25006', 'nur lesend', word);
      const { dsn } = await server((socket) => {
        if (what.includes('goes on')) socket.write(Buffer.concat([error, ready]));
        else socket.end(error);
      });
      const client = await connected(dsn);
      await expect(client.write(row, timeOut())).resolves.toEqual({ outcome, message: '25006 nur lesend' });
    },
  );

  test.each([
    ['the connection breaks', 'Connection terminated'],
    ['no answer comes', 'no answer within 300 ms'],
  ])('is indeterminate if %s after it was sent', async (what, text) => {
    const { dsn } = await server((socket) => {
      if (what.includes('breaks')) socket.destroy();
    });
    const client = await connected(dsn);
    const written = await client.write(row, timeOut(300));
    expect(written.outcome).toBe('indeterminate');
    expect(written.message).toContain(text);
  });

  test('is written over a new connection if the kept one was closed', async () => {
    let closed = Promise.withResolvers<void>();
    const { dsn, connections } = await server((socket) => {
      socket.write(done('INSERT 0 1'), () => socket.end());
      socket.once('close', () => closed.resolve());
    });
    const client = await connected(dsn);
    await client.write(row, timeOut());
    await closed.promise;
    closed = Promise.withResolvers();
    await expect(client.write(row, timeOut())).resolves.toEqual({ outcome: 'acked' });
    expect(connections()).toBe(2);
  });
});

describe('rows read back by SQL', () => {
  test('are queried as ranges, one result row for each', async () => {
    const { dsn, asked } = await server((socket) => {
      socket.write(integers([1, 1, 9, 1], [1, 10, 10, 2], [2, 4, 4, 1]));
    });
    const client = await connected(dsn);
    await expect(client.rows(timeOut())).resolves.toEqual(
      new Map([
        [
          1,
          [
            { from: 1, to: 9, times: 1 },
            { from: 10, to: 10, times: 2 },
          ],
        ],
        [2, [{ from: 4, to: 4, times: 1 }]],
      ]),
    );
    expect(asked[0]).toContain('FROM firedrill_test GROUP BY client, number');
  });

  test('are an error if the table is missing', async () => {
    const { dsn } = await server(
      (socket) => void socket.write(Buffer.concat([failure('ERROR', '42P01', 'no such table'), ready])),
    );
    await expect((await connected(dsn)).rows(timeOut())).rejects.toThrow('no such table');
  });

  test('come from the host’s own server if the target defines `copy`', async () => {
    const path = await server(undefined);
    const own = await server((socket) => void socket.write(integers([1, 1, 1, 1])));
    const { connectCopy } = await openPath(sqlRows, { dsn: path.dsn, copy: { dsn: own.dsn } });
    const client = connectCopy?.();
    await expect(client?.rows(timeOut())).resolves.toEqual(new Map([[1, [{ from: 1, to: 1, times: 1 }]]]));
    client?.close();
    expect(path.asked).toEqual([]);
    expect((await openPath(sqlRows, { dsn: path.dsn })).connectCopy).toBeUndefined();
  });
});

test('the table is created and dropped in the target’s schema', async () => {
  const { dsn, asked } = await server((socket) => void socket.write(done('DONE')));
  const path = await openPath(sqlRows, { dsn, schema: 'scratch' });
  await path.create(timeOut());
  await path.drop(timeOut());
  expect(asked).toEqual([
    'CREATE TABLE IF NOT EXISTS scratch.firedrill_test (client integer NOT NULL, number integer NOT NULL)',
    'DROP TABLE IF EXISTS scratch.firedrill_test',
  ]);
});

test('a schema that would need quoting is refused', () => {
  const problem = sqlRows.params.safeParse({ dsn: 'postgresql://app@db/app', schema: 'x; DROP TABLE y' });
  expect(problem.error?.issues[0]?.message).toBe(
    'expected a name of lowercase letters, digits, and underscores',
  );
});
