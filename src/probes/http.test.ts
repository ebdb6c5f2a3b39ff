import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { http } from './http.ts';
import { failureOf } from '../net/net-errors.ts';
import { makeCertificates } from '../net/testing/certificates.ts';
import { attemptOnce, observe, observeTimes, openProbe } from './testing/attempt.ts';
import { listen as listening, unusedAddress } from '../net/testing/servers.ts';
import { sharedTemporaryFolder } from '../../test/temporary-folder.ts';

async function listen(server: Server): Promise<number> {
  const { port, close } = await listening(server);
  onTestFinished(close);
  return port;
}

/** A server that handles each connection with a test's function after the request has arrived. */
async function raw(onRequest: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => socket.once('data', () => onRequest(socket)));
  return `http://127.0.0.1:${await listen(server)}/`;
}

function every(ms: number, socket: Socket, text: string): void {
  const timer = setInterval(() => socket.write(text), ms);
  socket.once('close', () => clearInterval(timer));
}

async function reply(status: number, body: string, headers: Record<string, string> = {}): Promise<string> {
  const server = createHttpServer((_request, response) => {
    response.writeHead(status, headers).end(body);
  });
  return `http://127.0.0.1:${await listen(server)}/health`;
}

describe('http probe', () => {
  it('is ok for the expected status, with the phases in order', async () => {
    const { seen } = await attemptOnce(http, { url: await reply(200, 'fine') });
    expect(seen).toEqual({
      status: 'ok',
      phases: { connectMs: expect.any(Number) as number, firstByteMs: expect.any(Number) as number },
    });
    const phases = seen.status === 'ok' ? seen.phases : undefined;
    expect(phases?.connectMs).toBeGreaterThan(0);
    expect(phases?.firstByteMs).toBeGreaterThan(phases?.connectMs ?? Infinity);
  });

  it('opens a new connection for each sample', async () => {
    const ports = new Set<number>();
    const server = createHttpServer((request, response) => {
      ports.add(request.socket.remotePort ?? 0);
      response.end();
    });
    const session = await openProbe(http, { url: `http://127.0.0.1:${await listen(server)}/` });
    for (let i = 0; i < 3; i++) expect((await observe(session)).status).toBe('ok');
    expect(ports.size).toBe(3);
  });

  it('keeps its connection with `kept-alive`, also after bad replies, until a sample fails on it', async () => {
    const ports: (number | undefined)[] = [];
    const server = createHttpServer((request, response) => {
      ports.push(request.socket.remotePort);
      switch (ports.length) {
        case 2:
          response.writeHead(503).end('not now');
          break;
        case 4:
          request.socket.destroy();
          break;
        default:
          response.end('fine');
      }
    });
    const url = `http://127.0.0.1:${await listen(server)}/`;
    const session = await openProbe(http, { url, connection: 'kept-alive' });
    const seen = await observeTimes(session, 6);
    await session.close();
    expect(seen.map((s) => (s.status === 'fail' ? s.cause : s.status))).toEqual([
      'ok',
      'http-5xx',
      'ok',
      'reset',
      'ok',
      'ok',
    ]);
    expect(new Set(ports.slice(0, 4)).size).toBe(1);
    expect(new Set(ports.slice(4)).size).toBe(1);
    expect(ports[4]).not.toBe(ports[0]);
    // Only a sample that opened a connection has `connectMs`.
    const connects = seen.map((s) => s.status !== 'unknown' && s.phases?.connectMs !== undefined);
    expect(connects).toEqual([true, false, false, false, true, false]);
  });

  it('opens another connection if the kept one was closed between samples, and after a timeout', async () => {
    const sockets: Socket[] = [];
    let silent = false;
    const server = createHttpServer((request, response) => {
      sockets.push(request.socket);
      if (!silent) response.end();
    });
    const url = `http://127.0.0.1:${await listen(server)}/`;
    const session = await openProbe(http, { url, connection: 'kept-alive' });
    const attempt = async (timeoutMs = 1000) => (await observe(session, timeoutMs)).status;
    expect(await attempt()).toBe('ok');
    sockets[0]?.destroy();
    await expect.poll(() => sockets[0]?.closed).toBe(true);
    // Until the client notices the close, a request may still use the old connection and fail.
    await expect.poll(() => attempt()).toBe('ok');
    expect(sockets.at(-1)).not.toBe(sockets[0]);
    silent = true;
    expect(await attempt(100)).toBe('fail');
    silent = false;
    expect(await attempt()).toBe('ok');
    expect(new Set(sockets.slice(-2)).size).toBe(2);
    await session.close();
    await expect.poll(() => sockets.every((socket) => socket.destroyed)).toBe(true);
  });

  it('sends the method, path, headers, and the URL’s host, also with `connectTo`', async () => {
    let got = {};
    const server = createHttpServer((request, response) => {
      got = {
        method: request.method,
        url: request.url,
        host: request.headers.host,
        x: request.headers['x-probe'],
      };
      response.end();
    });
    const connectTo = `127.0.0.1:${await listen(server)}`;
    const { seen } = await attemptOnce(http, {
      url: 'http://app.example.com/rest/health?full=1',
      connectTo,
      method: 'OPTIONS',
      headers: { 'X-Probe': 'yes' },
    });
    expect(seen.status).toBe('ok');
    expect(got).toEqual({ method: 'OPTIONS', url: '/rest/health?full=1', host: 'app.example.com', x: 'yes' });
  });

  it.each([
    [503, 'http-5xx'],
    [500, 'http-5xx'],
    [404, 'http-other'],
    [302, 'http-other'],
    [204, 'http-other'],
  ])('fails for status %i with %s', async (status, cause) => {
    const url = await reply(status, '', { location: 'http://127.0.0.1:1/' });
    const { seen } = await attemptOnce(http, { url });
    expect(seen).toMatchObject({ status: 'fail', cause, message: `status ${status}` });
  });

  it('treats status 101 (upgrade) as a reply', async () => {
    const url = await raw((socket) =>
      socket.end(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x02hi',
      ),
    );
    const expected = await attemptOnce(http, { url, expect: { status: [101] } });
    expect(expected.seen).toMatchObject({
      status: 'ok',
      phases: { firstByteMs: expect.any(Number) as number },
    });
    const { seen } = await attemptOnce(http, { url });
    expect(seen).toMatchObject({ status: 'fail', cause: 'http-other', message: 'status 101' });
  });

  it('accepts an expected redirect', async () => {
    const { seen } = await attemptOnce(http, { url: await reply(301, ''), expect: { status: [200, 301] } });
    expect(seen.status).toBe('ok');
  });

  it('reads a value from JSON, in bad replies too', async () => {
    const body = '{"status":"DOWN","node":"node-1","services":[{"type":"EDGE","role":"MASTER","port":8081}]}';
    const ok = await attemptOnce(http, { url: await reply(200, body), value: 'node' });
    expect(ok.seen).toMatchObject({ status: 'ok', value: 'node-1' });
    const master = "services[?type=='EDGE' && role=='MASTER'] | [0].port";
    const number = await attemptOnce(http, { url: await reply(200, body), value: master });
    expect(number.seen).toMatchObject({ status: 'ok', value: '8081' });
    const missing = await attemptOnce(http, { url: await reply(200, body), value: 'nothing.there' });
    expect(missing.seen).toEqual({
      status: 'fail',
      cause: 'bad-body',
      message: 'no value in the body: nothing matches nothing.there',
      phases: expect.anything() as object,
    });
    const none = await attemptOnce(http, { url: await reply(200, '{"node":null}'), value: "node || 'none'" });
    expect(none.seen).toMatchObject({ status: 'ok', value: 'none' });
    const badWithout = await attemptOnce(http, { url: await reply(503, body), value: 'nothing' });
    expect(badWithout.seen).toMatchObject({ status: 'fail', cause: 'http-5xx' });
    expect(badWithout.seen).not.toHaveProperty('value');
    const bad = await attemptOnce(http, { url: await reply(503, body), value: 'node' });
    expect(bad.seen).toMatchObject({ status: 'fail', cause: 'http-5xx', value: 'node-1' });
    const noJson = await attemptOnce(http, { url: await reply(503, '<html>'), value: 'node' });
    expect(noJson.seen).toEqual({
      status: 'fail',
      cause: 'http-5xx',
      message: 'status 503',
      phases: expect.anything() as object,
    });
  });

  it('fails for a body that does not match, and for a missing value', async () => {
    const url = await reply(200, 'maintenance\u0007page');
    const mismatch = await attemptOnce(http, { url, expect: { body: '"status":"UP"' } });
    expect(mismatch.seen).toMatchObject({ status: 'fail', cause: 'bad-body' });
    expect(mismatch.seen).toMatchObject({ message: expect.stringContaining('maintenance page') as string });
    expect((await attemptOnce(http, { url, expect: { body: '^maint' } })).seen.status).toBe('ok');
    expect((await attemptOnce(http, { url, value: 'node' })).seen).toMatchObject({
      status: 'fail',
      cause: 'bad-body',
    });
  });

  it('fails as refused on a closed port', async () => {
    const { seen } = await attemptOnce(http, { url: `http://${await unusedAddress()}/` });
    expect(seen).toMatchObject({ status: 'fail', cause: 'refused' });
  });

  it.each([
    ['a reset', (socket: Socket) => socket.resetAndDestroy()],
    ['a close without a reply', (socket: Socket) => socket.end()],
    ['a reply that breaks in its headers', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-')],
    [
      'a reply that breaks in its body',
      (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'),
    ],
  ])('fails as reset for %s', async (_name, behave) => {
    const { seen } = await attemptOnce(http, { url: await raw(behave) });
    expect(seen).toMatchObject({ status: 'fail', cause: 'reset' });
  });

  it.each([
    ['garbage', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['binary garbage', '\u0000\u0001\u0002\u0003\r\n\r\n'],
    ['headers without end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}`],
  ])('fails as http-other for %s', async (_name, text) => {
    const { seen } = await attemptOnce(http, { url: await raw((socket) => socket.write(text)) });
    expect(seen).toMatchObject({ status: 'fail', cause: 'http-other' });
  });

  it.each([
    ['a server that sends nothing', () => {}],
    [
      'headers that arrive byte by byte',
      (socket: Socket) => {
        socket.write('HTTP/1.1 200 OK\r\nX-Slow: ');
        every(20, socket, 'x');
      },
    ],
    [
      'a body that arrives byte by byte',
      (socket: Socket) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n');
        every(20, socket, 'x');
      },
    ],
  ])('fails as timeout, not before the timeout, for %s', async (_name, behave) => {
    const url = await raw(behave);
    const { seen, tookMs } = await attemptOnce(http, { url }, { timeoutMs: 200 });
    expect(seen).toMatchObject({ status: 'fail', cause: 'timeout' });
    expect(tookMs).toBeGreaterThan(199);
  });

  it('keeps the bad status of a reply whose body hangs', async () => {
    const url = await raw((socket) =>
      socket.write('HTTP/1.1 503 Down\r\nContent-Length: 50\r\n\r\n{"node":'),
    );
    const { seen, tookMs } = await attemptOnce(http, { url, value: 'node' }, { timeoutMs: 2000 });
    expect(seen).toMatchObject({ status: 'fail', cause: 'http-5xx' });
    expect(tookMs).toBeGreaterThan(1999);
  });

  it('reads no more of an endless body than its limit', async () => {
    let written = 0;
    const url = await raw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\nstatus:UP ');
      const flood = (): void => {
        while (!socket.destroyed && socket.write('x'.repeat(65_536))) written += 65_536;
      };
      socket.on('drain', flood);
      flood();
    });
    const ok = await attemptOnce(
      http,
      { url, maxBodyBytes: 5000, expect: { body: '^status:UP' } },
      { timeoutMs: 100_000 },
    );
    expect(ok.seen.status).toBe('ok');
    expect(ok.tookMs).toBeLessThan(100_000);
    expect(written).toBeLessThan(50_000_000);
    const bad = await attemptOnce(http, { url, maxBodyBytes: 5000, value: 'node' }, { timeoutMs: 100_000 });
    expect(bad.seen).toMatchObject({ status: 'fail', cause: 'bad-body' });
  });

  it('fails as dns for a name that does not exist', async () => {
    const { seen } = await attemptOnce(http, { url: 'http://nosuch.invalid/' }, { timeoutMs: 100_000 });
    expect(seen).toMatchObject({ status: 'fail', cause: 'dns' });
  });

  it('is unknown if the run stops during the sample', async () => {
    const session = await openProbe(http, { url: await raw(() => {}) });
    const controller = new AbortController();
    const attempting = session.observe(controller.signal);
    controller.abort(new Error('the run stops'));
    expect(await attempting).toEqual({ status: 'unknown', message: 'cut short: the run stops' });
    expect((await session.observe(controller.signal)).status).toBe('unknown');
  });

  it.each([
    [{ url: 'ftp://x/' }, /http/],
    [{ url: 'no url' }, /http/],
    [{ url: 'http://x/', connectTo: 'nohost' }, /host:port/],
    [{ url: 'http://x/', connectTo: 'h:99999' }, /host:port/],
    [{ url: 'http://x/', expect: { body: '(' } }, /regular expression/],
    [{ url: 'http://x/', value: 'a[' }, /JMESPath/],
    [{ url: 'http://x/', expects: {} }, /expects/],
  ])('refuses the parameters %j', (fields, words) => {
    const parsed = http.params.safeParse(fields);
    expect(parsed.success).toBe(false);
    expect(JSON.stringify(parsed.error?.issues)).toMatch(words);
  });

  it('sends a body, which may come from a file or the environment', async () => {
    const asked: string[] = [];
    const server = createHttpServer((request, response) => {
      let text = `${request.method} ${request.headers['content-length']} ${request.headers['transfer-encoding']} `;
      request.on('data', (chunk: Buffer) => void (text += chunk.toString('utf8')));
      request.on('end', () => {
        asked.push(text);
        response.end();
      });
    });
    const url = `http://127.0.0.1:${await listen(server)}/`;
    process.env['HTTP_TEST_BODY'] = 'secret';
    await attemptOnce(http, { url, method: 'POST', body: '{"läuft":1}' });
    await attemptOnce(http, { url, method: 'PUT', body: { env: 'HTTP_TEST_BODY' } });
    delete process.env['HTTP_TEST_BODY'];
    expect(asked).toEqual(['POST 12 undefined {"läuft":1}', 'PUT 6 undefined secret']);
  });

  it.each([
    ['GET', { body: 'x' }, 'body'],
    ['HEAD', { body: 'x' }, 'body'],
    ['POST', { body: 'x' }, undefined],
    ['PUT', { body: 'x' }, undefined],
    ['GET', {}, undefined],
  ])('accepts a body only with POST and PUT: %s', (method, over, field) => {
    const p = http.params.parse({ url: 'http://a/', method, ...over });
    expect(http.conflict?.(p)?.field).toBe(field);
  });

  describe('reads the body of a reply', () => {
    const json = '{"status":"UP"}';
    const bytes = async (body: Buffer, headers: Record<string, string>): Promise<string> => {
      const server = createHttpServer(
        (_request, response) => void response.writeHead(200, headers).end(body),
      );
      return `http://127.0.0.1:${await listen(server)}/`;
    };
    const valueOf = async (body: Buffer, headers: Record<string, string>, value = 'status') =>
      (await attemptOnce(http, { url: await bytes(body, headers), value })).seen;

    it('and asks for no compression', async () => {
      const asked: (string | undefined)[] = [];
      const server = createHttpServer((request, response) => {
        asked.push(request.headers['accept-encoding']?.toString());
        response.end();
      });
      const url = `http://127.0.0.1:${await listen(server)}/`;
      await attemptOnce(http, { url });
      await attemptOnce(http, { url, headers: { 'Accept-Encoding': 'gzip' } });
      expect(asked).toEqual(['identity', 'gzip']);
    });

    it.each([
      ['gzip', gzipSync(json)],
      ['x-gzip', gzipSync(json)],
      ['deflate', deflateSync(json)],
      ['deflate', deflateRawSync(json)],
      ['br', brotliCompressSync(json)],
      ['zstd', zstdCompressSync(json)],
      ['identity', Buffer.from(json)],
    ])('compressed in spite of that: %s', async (encoding, body) => {
      expect(await valueOf(body, { 'content-encoding': encoding })).toMatchObject({
        status: 'ok',
        value: 'UP',
      });
    });

    it('that is empty, with any Content-Encoding', async () => {
      const url = await bytes(Buffer.alloc(0), { 'content-encoding': 'gzip' });
      expect((await attemptOnce(http, { url, expect: { body: '^$' } })).seen.status).toBe('ok');
    });

    it.each([
      ['an unknown encoding', 'compress', Buffer.from(json), 'content-encoding "compress" is not supported'],
      ['a body that is not gzip', 'gzip', Buffer.from(json), 'the body is not gzip'],
      [
        'a body longer than its limit',
        'gzip',
        gzipSync(Buffer.alloc(70_000, ' ')),
        'longer than 65536 bytes',
      ],
    ])('and reports why it cannot read %s', async (_what, encoding, body, words) => {
      const seen = await valueOf(body, { 'content-encoding': encoding });
      expect(seen).toMatchObject({ status: 'fail', cause: 'bad-body' });
      expect(seen).toMatchObject({ message: expect.stringContaining(words) as string });
      // Does not matter if neither `expect.body` nor `value` is set.
      const { seen: plain } = await attemptOnce(http, {
        url: await bytes(body, { 'content-encoding': encoding }),
      });
      expect(plain).toMatchObject({ status: 'ok' });
    });

    it.each<[string, Buffer, string]>([
      ['a byte order mark', Buffer.from(`\uFEFF${json}`), 'application/json'],
      ['UTF-16', Buffer.from(json, 'utf16le'), 'application/json; charset=utf-16'],
      ['UTF-16 by its mark', Buffer.from(`\uFEFF${json}`, 'utf16le'), 'application/json'],
      ['Latin-1', Buffer.from('{"status":"UP","t":"\xfc"}', 'latin1'), 'text/plain; charset="ISO-8859-1"'],
      ['an unknown character set', Buffer.from(json), 'text/plain; charset=klingon'],
    ])('with %s', async (_what, body, type) => {
      expect(await valueOf(body, { 'content-type': type })).toMatchObject({ status: 'ok', value: 'UP' });
    });

    it('in its declared character set', async () => {
      const body = Buffer.from('läuft', 'latin1');
      const url = await bytes(body, { 'content-type': 'text/plain; charset=iso-8859-1' });
      expect((await attemptOnce(http, { url, expect: { body: '^läuft$' } })).seen.status).toBe('ok');
    });

    it.each([
      ['{"lsn":12345678901234567890}', 'lsn', '12345678901234567890'],
      ['{"lsn":9007199254740993}', 'lsn', '9007199254740993'],
      ['{"lsn":9007199254740991}', 'lsn', '9007199254740991'],
      ['{"lsn":[1,-12345678901234567890]}', 'lsn[1]', '-12345678901234567890'],
      ['{"n":1e400}', 'n', '1e400'],
      ['{"n":1.5}', 'n', '1.5'],
      ['{"n":3}', '[n][?@ > `2`] | [0]', '3'],
    ])('with all digits of a number: %s', async (body, expression, value) => {
      expect(await valueOf(Buffer.from(body), {}, expression)).toMatchObject({ status: 'ok', value });
    });
  });

  it('accepts the planner’s placeholders', () => {
    expect(
      http.params.safeParse({ url: 'http://${address}:9000/status', connectTo: '${address}:9000' }).success,
    ).toBe(true);
  });
});

describe('http probe over TLS', () => {
  const folder = sharedTemporaryFolder();
  const file = (name: string): string => join(folder, name);
  beforeAll(() => makeCertificates(folder));

  async function secure(name: string): Promise<string> {
    const options = { key: readFileSync(file(`${name}.key`)), cert: readFileSync(file(`${name}.pem`)) };
    const server = createHttpsServer(options, (request, response) => {
      response.end(JSON.stringify({ sni: (request.socket as unknown as { servername: string }).servername }));
    });
    server.on('tlsClientError', () => {});
    return `127.0.0.1:${await listen(server)}`;
  }

  const url = 'https://app.example.com/health';

  it('verifies against the CA and the URL’s name, and sends SNI', async () => {
    const connectTo = await secure('good');
    const { seen } = await attemptOnce(http, { url, connectTo, caFile: file('ca.pem'), value: 'sni' });
    expect(seen).toMatchObject({ status: 'ok', value: 'app.example.com' });
    const phases = seen.status === 'ok' ? seen.phases : undefined;
    expect(phases?.tlsMs).toBeGreaterThan(phases?.connectMs ?? Infinity);
  });

  it('does one TLS handshake for a kept connection', async () => {
    const fields = { url, connectTo: await secure('good'), caFile: file('ca.pem'), connection: 'kept-alive' };
    const session = await openProbe(http, fields);
    const phases = [];
    for (let i = 0; i < 2; i++) {
      const seen = await observe(session);
      expect(seen.status).toBe('ok');
      phases.push(Object.keys((seen.status === 'ok' && seen.phases) || {}));
    }
    await session.close();
    expect(phases).toEqual([['connectMs', 'tlsMs', 'firstByteMs'], ['firstByteMs']]);
  });

  it.each([
    ['an unknown CA', 'good', { caFile: 'other-ca.pem' }, /verify|issuer|signature/],
    ['the CAs of Node.js', 'good', {}, /verify|issuer|self-signed/],
    ['a self-signed certificate', 'ca', { caFile: 'other-ca.pem' }, /self-signed/],
    ['a wrong name', 'good', { caFile: 'ca.pem', serverName: 'other.example.com' }, /other\.example\.com/],
    [
      'a wrong name on a kept connection',
      'good',
      { caFile: 'ca.pem', serverName: 'other.example.com', connection: 'kept-alive' },
      /other\.example\.com/,
    ],
    ['an expired certificate', 'expired', { caFile: 'ca.pem' }, /expired/],
  ])('fails as tls for %s', async (_name, certificate, fields, words) => {
    const connectTo = await secure(certificate);
    const caFile = 'caFile' in fields ? { caFile: file(fields.caFile) } : {};
    const { seen } = await attemptOnce(http, { url, connectTo, ...fields, ...caFile });
    expect(seen).toMatchObject({ status: 'fail', cause: 'tls' });
    expect(seen).toMatchObject({ message: expect.stringMatching(words) as string });
  });

  describe('with a server that asks for a client certificate', () => {
    const mutual = async (over: object = {}): Promise<string> => {
      const options = {
        key: readFileSync(file('good.key')),
        cert: readFileSync(file('good.pem')),
        ca: readFileSync(file('ca.pem')),
        requestCert: true,
        ...over,
      };
      const server = createHttpsServer(options, (_request, response) => void response.end('fine'));
      server.on('tlsClientError', () => {});
      return `127.0.0.1:${await listen(server)}`;
    };
    const clientCert = () => ({ certFile: file('good.pem'), keyFile: file('good.key') });

    it.each([{}, { maxVersion: 'TLSv1.2' }])('sends one: %j', async (over) => {
      const connectTo = await mutual(over);
      const fields = { url, connectTo, caFile: file('ca.pem') };
      for (const connection of ['new', 'kept-alive']) {
        const { seen } = await attemptOnce(http, { ...fields, connection, clientCert: clientCert() });
        expect(seen).toMatchObject({ status: 'ok' });
      }
      const { seen } = await attemptOnce(http, fields);
      expect(seen).toMatchObject({
        status: 'fail',
        cause: 'tls',
        message: expect.stringMatching(/^TLS: .*alert (?:certificate required|handshake failure)$/) as string,
      });
    });

    it('refuses a key that belongs to another certificate, or does not exist', async () => {
      for (const keyFile of [file('ca.key'), file('nosuch.key')]) {
        const fields = { url, clientCert: { ...clientCert(), keyFile } };
        await expect(openProbe(http, fields)).rejects.toMatchObject({
          code: 'invalid-input',
          message: expect.stringContaining('client certificate') as string,
        });
      }
    });
  });

  it('accepts any certificate with `insecureSkipVerify`', async () => {
    const connectTo = await secure('expired');
    expect((await attemptOnce(http, { url, connectTo, insecureSkipVerify: true })).seen.status).toBe('ok');
  });

  it('fails as tls for a server that speaks plain HTTP', async () => {
    const plain = new URL(await reply(200, '')).host;
    const { seen } = await attemptOnce(http, { url, connectTo: plain });
    expect(seen).toMatchObject({ status: 'fail', cause: 'tls' });
  });

  it('fails as reset when the connection ends before the handshake, as behind a balancer without servers', async () => {
    const server = createServer((socket) => socket.once('data', () => socket.destroy()));
    const { seen } = await attemptOnce(http, { url, connectTo: `127.0.0.1:${await listen(server)}` });
    expect(seen).toMatchObject({ status: 'fail', cause: 'reset' });
  });

  it('fails as timeout when the handshake hangs', async () => {
    const connectTo = `127.0.0.1:${await listen(createServer())}`;
    const { seen, tookMs } = await attemptOnce(http, { url, connectTo }, { timeoutMs: 200 });
    expect(seen).toMatchObject({ status: 'fail', cause: 'timeout' });
    expect(tookMs).toBeGreaterThan(199);
  });

  it('refuses a CA file that does not exist or contains no certificate', async () => {
    await expect(openProbe(http, { url, caFile: file('nosuch.pem') })).rejects.toMatchObject({
      code: 'invalid-input',
    });
    await expect(openProbe(http, { url, caFile: file('good.key') })).rejects.toMatchObject({
      code: 'invalid-input',
    });
  });
});

describe('failureOf', () => {
  const withCode = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code });

  it.each(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'EPERM', 'ENETDOWN'])(
    'is unknown for %s, a failure of the probing machine',
    (code) => {
      expect(failureOf(withCode(code)).status).toBe('unknown');
    },
  );

  it.each([
    ['ECONNREFUSED', 'refused'],
    ['ECONNRESET', 'reset'],
    ['EPIPE', 'reset'],
    ['EHOSTUNREACH', 'unreachable'],
    ['ENETUNREACH', 'unreachable'],
    ['ETIMEDOUT', 'timeout'],
    ['ENOTFOUND', 'dns'],
    ['EAI_AGAIN', 'dns'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls'],
    ['CERT_HAS_EXPIRED', 'tls'],
    ['HPE_INVALID_CONSTANT', 'http-other'],
    ['ESOMETHINGNEW', 'error'],
  ])('maps %s to the cause %s', (code, cause) => {
    expect(failureOf(withCode(code))).toMatchObject({ status: 'fail', cause });
  });
});
