import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type PeerCertificate, TLSSocket } from 'node:tls';
import { describe, expect, it, vi, onTestFinished } from 'vitest';
import { sql } from './sql.ts';
import { makeCertificates } from '../net/testing/certificates.ts';
import { attemptOnce, observe, openProbe } from './testing/attempt.ts';
import {
  accept,
  accepted,
  failure,
  int16,
  int32,
  message,
  postgresServer,
  ready,
} from '../net/testing/postgres-server.ts';
import { listen, unusedAddress } from '../net/testing/servers.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';

/** A type OID whose values pg would turn into true and false. */
const boolOid = 16;

function rows(...values: (string | null)[]): Buffer {
  const column = Buffer.concat([
    Buffer.from('c\0'),
    int32(0),
    int16(0),
    int32(boolOid),
    int16(1),
    int32(-1),
    int16(0),
  ]);
  const data = values.map((value) =>
    value === null ? message('D', int16(1), int32(-1)) : message('D', int16(1), int32(value.length), value),
  );
  return Buffer.concat([
    message('T', int16(1), column),
    ...data,
    message('C', `SELECT ${values.length}\0`),
    ready,
  ]);
}

/** The DSN of a server that answers the start-up message, and then each query. */
async function server(...answers: Parameters<typeof postgresServer>): Promise<string> {
  const listening = await postgresServer(...answers);
  onTestFinished(listening.close);
  return `postgresql://probe@${listening.address}/app`;
}

describe('sql probe', () => {
  it('returns the first column of the first row in the server’s text format, by its mapped name', async () => {
    const asked: string[] = [];
    const dsn = await server(accept, (socket, query) => {
      asked.push(query);
      socket.write(rows('f', 't'));
    });
    const query = 'SELECT pg_is_in_recovery()';
    const plain = await attemptOnce(sql, { dsn, query });
    expect(plain.seen).toMatchObject({ status: 'ok', value: 'f' });
    const named = await attemptOnce(sql, { dsn, query, map: { f: 'primary', t: 'standby' } });
    expect(named.seen).toMatchObject({ status: 'ok', value: 'primary' });
    expect(asked).toEqual([query, query]);
  });

  it('returns NULL as null, and fails without a row', async () => {
    const dsn = await server(
      accept,
      (socket, query) => void socket.write(query === 'null' ? rows(null) : rows()),
    );
    expect((await attemptOnce(sql, { dsn, query: 'null' })).seen).toMatchObject({
      status: 'ok',
      value: 'null',
    });
    expect((await attemptOnce(sql, { dsn, query: 'none' })).seen).toMatchObject({
      status: 'fail',
      cause: 'error',
    });
  });

  it('terminates the session after a good sample, and destroys the connection if the server does not close it', async () => {
    const goodbyes: Buffer[] = [];
    const listening = await listen(
      // The server does not close its side: only the probe can end this connection.
      createServer({ allowHalfOpen: true }, (socket) => {
        socket.once('data', () => {
          accept(socket);
          socket.on('data', (data) => {
            if (data[0] === 'Q'.charCodeAt(0)) socket.write(rows('t'));
            else goodbyes.push(data);
          });
        });
      }),
    );
    onTestFinished(listening.close);
    const session = await openProbe(sql, { dsn: `postgresql://p@${listening.address}/a`, query: 'SELECT 1' });
    expect((await observe(session)).status).toBe('ok');
    await expect.poll(() => goodbyes.map((data) => data.toString('latin1'))).toEqual(['X\0\0\0\u0004']);
    await session.close();
  });

  it('fails as refused on a closed port', async () => {
    const { seen } = await attemptOnce(sql, {
      dsn: `postgresql://p@${await unusedAddress()}/a`,
      query: 'SELECT 1',
    });
    expect(seen).toMatchObject({ status: 'fail', cause: 'refused' });
  });

  it.each([
    ['at start-up', () => {}, () => {}],
    ['in the query', accept, () => {}],
    ['at TLS', () => {}, () => {}],
  ])(
    'fails as timeout, not before the timeout, and leaves no connection, when the server hangs %s',
    async (where, start, query) => {
      const closed = Promise.withResolvers<void>();
      const dsn = await server((socket) => {
        socket.once('close', closed.resolve);
        start(socket);
      }, query);
      const tls = where === 'at TLS' ? { tls: { mode: 'require' } } : {};
      const { seen, tookMs } = await attemptOnce(
        sql,
        { dsn, query: 'SELECT 1', ...tls },
        { timeoutMs: 1500 },
      );
      expect(seen).toMatchObject({
        status: 'fail',
        cause: 'timeout',
        phases: { connectMs: expect.any(Number) as number },
      });
      // A server that accepts connections and sends nothing has no first byte.
      const { phases } = seen as { readonly phases: object };
      expect('firstByteMs' in phases).toBe(where === 'in the query');
      expect(tookMs).toBeGreaterThan(1499);
      await closed.promise;
    },
  );

  it.each([
    ['57P03', 'FATAL', 'the database system is starting up'],
    ['28P01', 'FATAL', 'password authentication failed for user "probe"'],
    ['53300', 'FATAL', 'sorry, too many clients already'],
  ])('fails as error with the SQLSTATE %s when the server refuses', async (code, severity, text) => {
    const dsn = await server((socket) => socket.end(failure(severity, code, text)));
    const { seen } = await attemptOnce(sql, { dsn, query: 'SELECT 1' });
    expect(seen).toMatchObject({ status: 'fail', cause: 'error', message: `${code} ${text}` });
  });

  it('fails as error for a statement that fails, and as reset when the server dies in it', async () => {
    const dsn = await server(accept, (socket, query) => {
      if (query === 'die') socket.destroy();
      else socket.write(Buffer.concat([failure('ERROR', '42P01', 'relation "x" does not exist'), ready]));
    });
    expect((await attemptOnce(sql, { dsn, query: 'SELECT * FROM x' })).seen).toMatchObject({
      status: 'fail',
      cause: 'error',
      message: '42P01 relation "x" does not exist',
    });
    expect((await attemptOnce(sql, { dsn, query: 'die' })).seen).toMatchObject({
      status: 'fail',
      cause: 'reset',
    });
  });

  it.each([
    ['a reset', (socket: Socket) => socket.resetAndDestroy(), 'reset'],
    ['a close', (socket: Socket) => socket.end(), 'reset'],
    [
      'a server that is not PostgreSQL',
      (socket: Socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      'reset',
    ],
  ])('fails for %s at start-up', async (_name, behave, cause) => {
    const { seen } = await attemptOnce(sql, { dsn: await server(behave), query: 'SELECT 1' });
    expect(seen).toMatchObject({ status: 'fail', cause });
  });

  it('fails as tls when the server has no TLS', async () => {
    const dsn = await server((socket) => socket.end('N'));
    const { seen } = await attemptOnce(sql, { dsn, query: 'SELECT 1', tls: {} });
    expect(seen).toMatchObject({ status: 'fail', cause: 'tls' });
  });

  it('sends a client certificate', async () => {
    const folder = temporaryFolder();
    makeCertificates(folder);
    const file = (name: string): string => join(folder, name);
    const names: (string | undefined)[] = [];
    const dsn = await server((plain) => {
      plain.write('S');
      const secure = new TLSSocket(plain, {
        isServer: true,
        requestCert: true,
        key: readFileSync(file('good.key')),
        cert: readFileSync(file('good.pem')),
        ca: readFileSync(file('ca.pem')),
      });
      secure.on('error', () => {});
      secure.once('data', () => {
        const { subject } = secure.getPeerCertificate() as Partial<PeerCertificate>;
        names.push(subject?.CN?.toString());
        secure.write(accepted);
        secure.once('data', () => secure.write(rows('1')));
      });
    });
    const tls = { caFile: file('ca.pem'), serverName: 'app.example.com' };
    const clientCert = { certFile: file('good.pem'), keyFile: file('good.key') };
    const attempt = async (over: object) =>
      (await attemptOnce(sql, { dsn, query: 'SELECT 1', tls: { ...tls, ...over } })).seen.status;
    expect([await attempt({ clientCert }), await attempt({})]).toEqual(['ok', 'ok']);
    expect(names).toEqual(['app.example.com', undefined]);
  });

  it('sends the password from the environment or a file, not one that pg would find by itself', async () => {
    const got: string[] = [];
    const dsn = await server(
      (socket) => {
        socket.once('data', (data) => {
          got.push(data.toString('utf8', 5, data.length - 1));
          socket.write(accepted);
        });
        socket.write(message('R', int32(3)));
      },
      (socket) => void socket.write(rows('t')),
    );
    const context = {
      env: (name: string) => (name === 'PROBE_PW' ? 'from env' : undefined),
      readText: async () => 'from file\n',
    };
    process.env['PGPASSWORD'] = 'of the user';
    for (const password of [{ env: 'PROBE_PW' }, { file: '/pw' }]) {
      const session = await openProbe(sql, { dsn, query: 'SELECT 1', password }, context);
      expect((await observe(session)).status).toBe('ok');
      await session.close();
    }
    const none = await openProbe(sql, { dsn, query: 'SELECT 1' }, context);
    await observe(none);
    await none.close();
    delete process.env['PGPASSWORD'];
    expect(got.slice(0, 2)).toEqual(['from env', 'from file']);
    expect(got).not.toContain('of the user');
    await expect(
      openProbe(sql, { dsn, query: 'x', password: { env: 'NOSUCH' } }, context),
    ).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining('NOSUCH') as string,
    });
  });

  it.each([
    ['mysql://u@h/db', /only postgresql/],
    ['postgresql://u:secret@h/db', /password/],
    ['postgresql://u@h/db?sslmode=require', /`tls`/],
    ['postgresql://h/db', /user@host/],
    ['not a dsn', /postgresql:\/\//],
  ])('refuses the DSN %s', (dsn, words) => {
    const parsed = sql.params.safeParse({ dsn, query: 'SELECT 1' });
    expect(parsed.success).toBe(false);
    expect(parsed.error?.issues[0]?.message).toMatch(words);
  });

  it('accepts the planner’s placeholders', () => {
    const dsn = 'postgresql://probe@${address}:5432/app';
    expect(sql.params.safeParse({ dsn, query: 'SELECT 1' }).success).toBe(true);
  });

  it('ends open connections when it closes', async () => {
    const listening = await listen(createServer());
    onTestFinished(listening.close);
    const session = await openProbe(sql, { dsn: `postgresql://p@${listening.address}/a`, query: 'SELECT 1' });
    const controller = new AbortController();
    const attempting = session.observe(controller.signal);
    await session.close();
    expect((await attempting).status).toBe('fail');
  });
});

describe('sql probe with kept sessions', () => {
  /** A server that counts its sessions. `onQuery` answers. */
  async function keptOn(
    onQuery: (socket: Socket, query: string, session: number) => void,
    timeoutMs = 60_000,
  ) {
    const sockets: Socket[] = [];
    const dsn = await server(
      (socket) => {
        sockets.push(socket);
        accept(socket);
      },
      (socket, query) => onQuery(socket, query, sockets.indexOf(socket)),
    );
    const session = await openProbe(sql, { dsn, query: 'SELECT 1', connection: 'kept' }, { timeoutMs });
    onTestFinished(async () => session.close());
    const attempt = () => observe(session, timeoutMs);
    return { sockets, session, attempt };
  }
  const one = rows('1');
  /** Long enough for an answer on a busy machine. */
  const hangMs = 2000;

  it('uses one session for all samples', async () => {
    const { sockets, attempt } = await keptOn((socket) => void socket.write(one));
    const [first, second, third] = [await attempt(), await attempt(), await attempt()];
    expect([first, second, third]).toMatchObject(
      Array.from({ length: 3 }, () => ({ status: 'ok', value: '1' })),
    );
    expect(first).toMatchObject({ phases: { connectMs: expect.any(Number) as number } });
    // A reused socket gets no listeners: with TLS they would never be called.
    expect(second).toMatchObject({ phases: {} });
    expect(second).not.toHaveProperty('phases.connectMs');
    expect(second).not.toHaveProperty('phases.firstByteMs');
    expect(sockets).toHaveLength(1);
  });

  it('leaves no listeners on the session', async () => {
    const warned = vi.fn<(warning: Error) => void>();
    process.on('warning', warned);
    onTestFinished(async () => void process.off('warning', warned));
    const { attempt } = await keptOn((socket) => void socket.write(one));
    for (let n = 0; n < 15; n++) await attempt();
    await new Promise(setImmediate);
    expect(warned).not.toHaveBeenCalled();
  });

  it('reuses the session after an error in the statement, and after a notice', async () => {
    let count = 0;
    const notice = message('N', 'SNOTICE\0C00000\0Mcareful\0\0');
    const { sockets, attempt } = await keptOn((socket) => {
      if (count++ === 0) socket.write(Buffer.concat([failure('ERROR', '57014', 'cancelled'), ready]));
      else socket.write(Buffer.concat([notice, one]));
    });
    expect(await attempt()).toMatchObject({ status: 'fail', cause: 'error', message: '57014 cancelled' });
    expect(await attempt()).toMatchObject({ status: 'ok' });
    expect(sockets).toHaveLength(1);
  });

  it('reuses the session after an error in the statement in another language', async () => {
    let count = 0;
    const { sockets, attempt } = await keptOn((socket) => {
      const error = failure('ERROR', '57014', 'Anfrage wird abgebrochen', 'FEHLER');
      socket.write(count++ === 0 ? Buffer.concat([error, ready]) : one);
    });
    expect(await attempt()).toMatchObject({ status: 'fail', message: '57014 Anfrage wird abgebrochen' });
    expect(await attempt()).toMatchObject({ status: 'ok' });
    expect(sockets).toHaveLength(1);
  });

  it('destroys a session that is not ready after an error, and uses others meanwhile', async () => {
    const { sockets, attempt } = await keptOn((socket, _, session) => {
      socket.write(session === 0 ? failure('ERROR', '57014', 'cancelled') : one);
    }, hangMs);
    expect(await attempt()).toMatchObject({ status: 'fail', message: '57014 cancelled' });
    const gone = new Promise((resolve) => sockets[0]?.once('close', resolve));
    expect(await attempt()).toMatchObject({ status: 'ok' });
    expect(sockets).toHaveLength(2);
    await gone;
  });

  it('fails the sample whose session is reset, and opens another for the next', async () => {
    const { sockets, attempt } = await keptOn((socket, _, session) => {
      if (session === 0) socket.resetAndDestroy();
      else socket.write(one);
    });
    expect(await attempt()).toMatchObject({ status: 'fail', cause: 'reset' });
    expect(await attempt()).toMatchObject({ status: 'ok' });
    expect(sockets).toHaveLength(2);
  });

  it('fails the sample of a server that shuts down, and opens another session for the next', async () => {
    const { sockets, attempt } = await keptOn((socket, _, session) => {
      if (session === 0) socket.end(failure('FATAL', '57P01', 'terminating connection'));
      else socket.write(one);
    });
    expect(await attempt()).toMatchObject({ status: 'fail', message: '57P01 terminating connection' });
    expect(await attempt()).toMatchObject({ status: 'ok' });
    expect(sockets).toHaveLength(2);
  });

  it('does not fail a sample because a session was closed before it', async () => {
    const { sockets, attempt } = await keptOn((socket) => void socket.write(one));
    expect(await attempt()).toMatchObject({ status: 'ok' });
    const gone = new Promise((resolve) => sockets[0]?.once('close', resolve));
    sockets[0]?.end(failure('FATAL', '57P05', 'idle session'));
    await gone;
    expect(await attempt()).toMatchObject({ status: 'ok' });
    expect(sockets).toHaveLength(2);
  });

  it('fails as timeout when a session hangs, and uses another session', async () => {
    const { sockets, attempt } = await keptOn((socket, _, session) => {
      if (session > 0) socket.write(one);
    }, hangMs);
    expect(await attempt()).toMatchObject({ status: 'fail', cause: 'timeout' });
    expect(await attempt()).toMatchObject({ status: 'ok' });
    expect(sockets).toHaveLength(2);
  });

  it('reuses a session after a late answer, and opens no third one meanwhile', async () => {
    const waiting: Socket[] = [];
    const { sockets, session, attempt } = await keptOn((socket) => void waiting.push(socket), hangMs);
    expect(await Promise.all([attempt(), attempt()])).toMatchObject([
      { cause: 'timeout' },
      { cause: 'timeout' },
    ]);
    expect(session.isBusy?.()).toBe(true);
    for (const socket of waiting.splice(0)) socket.write(one);
    await expect.poll(() => session.isBusy?.(), { interval: 5 }).toBe(false);
    const again = attempt();
    await expect.poll(() => waiting.length, { interval: 5 }).toBe(1);
    waiting[0]?.write(one);
    expect(await again).toMatchObject({ status: 'ok' });
    expect(sockets).toHaveLength(2);
  });

  it('drops a session whose answer is late by more than a timeout', async () => {
    const { sockets, session, attempt } = await keptOn(() => {}, 200);
    const closed = (): number => sockets.filter((socket) => socket.destroyed).length;
    await Promise.all([attempt(), attempt()]);
    expect(session.isBusy?.()).toBe(true);
    await expect.poll(() => session.isBusy?.(), { interval: 5 }).toBe(false);
    await expect.poll(closed, { interval: 5 }).toBe(2);
  });

  it('drops a session whose transaction was left open', async () => {
    const open = Buffer.concat([one.subarray(0, one.length - ready.length), message('Z', 'T')]);
    const { sockets, attempt } = await keptOn((socket) => void socket.write(open));
    expect(await attempt()).toMatchObject({ status: 'ok' });
    expect(await attempt()).toMatchObject({ status: 'ok' });
    expect(sockets).toHaveLength(2);
  });

  it('ends its sessions when it closes', async () => {
    const { sockets, session, attempt } = await keptOn((socket) => void socket.write(one));
    await attempt();
    await session.close();
    await expect.poll(() => sockets[0]?.destroyed, { interval: 5 }).toBe(true);
  });
});
