import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createServer } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listen, type Listening } from '../net/testing/servers.ts';
import { createHttpClient } from './http-client.ts';
import { sharedTemporaryFolder, temporaryFolder } from '../../test/temporary-folder.ts';

const signal = new AbortController().signal;

describe('TLS', () => {
  const folder = sharedTemporaryFolder();
  let ca: string;
  let server: Listening;
  beforeAll(async () => {
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', 'key.pem'];
    execFileSync('openssl', ['req', '-x509', '-days', '2', ...key, '-out', 'cert.pem', ...subject], {
      cwd: folder,
      stdio: 'pipe',
    });
    ca = readFileSync(join(folder, 'cert.pem'), 'utf8');
    const options = { key: readFileSync(join(folder, 'key.pem')), cert: ca };
    server = await listen(createServer(options, (_request, response) => response.end('{}')));
  });
  afterAll(() => server.close());

  const ask = (trust: Parameters<typeof createHttpClient>[0]) =>
    createHttpClient(trust)({ method: 'GET', url: `https://${server.address}/`, headers: {} }, signal);

  test('trusts the given CA, or only the system’s CAs without one', async () => {
    await expect(ask({ verify: true, ca })).resolves.toMatchObject({ kind: 'answer', status: 200 });
    await expect(ask({ verify: true })).resolves.toMatchObject({
      kind: 'silence',
      why: expect.stringMatching(/self-signed|certificate/),
    });
  });

  test('is not verified only if `verify` is false', async () => {
    await expect(ask({ verify: false })).resolves.toMatchObject({ kind: 'answer', status: 200 });
  });
});

describe('a proxy', () => {
  const get = { method: 'GET', headers: {} } as const;

  test('of HTTP_PROXY gets the request, and NO_PROXY bypasses it', async () => {
    const asked: string[] = [];
    const proxy = await listen(
      createHttp((request, response) => {
        asked.push(`${request.url} ${request.headers['proxy-authorization'] ?? ''}`);
        response.end('{}');
      }),
    );
    const env = { HTTP_PROXY: `http://drill:s3cret@${proxy.address}` };
    const http = createHttpClient({ verify: true }, 5000, env);
    await expect(http({ ...get, url: 'http://192.0.2.1/a' }, signal)).resolves.toMatchObject({ status: 200 });
    expect(asked).toEqual([`http://192.0.2.1/a Basic ${btoa('drill:s3cret')}`]);
    const past = createHttpClient({ verify: true }, 5000, { ...env, NO_PROXY: '192.0.2.0/24' });
    await past({ ...get, url: 'http://192.0.2.1:1/' }, AbortSignal.timeout(300));
    await http({ ...get, url: 'http://127.0.0.1:1/' }, signal);
    expect(asked).toHaveLength(1);
    await proxy.close();
    const gone = await http({ ...get, url: 'http://192.0.2.1/a' }, signal);
    expect(gone).toMatchObject({
      kind: 'silence',
      unsent: true,
      why: expect.stringContaining(`(through the proxy ${proxy.address})`),
    });
    expect(JSON.stringify(gone)).not.toContain('s3cret');
  });

  test('of HTTPS_PROXY is a tunnel: the TLS session is between client and server', async () => {
    const folder = temporaryFolder();
    const make = (name: string, subject: string): { cert: string; key: string } => {
      const key = [
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-keyout',
        `${name}.key`,
      ];
      const names = [
        '-subj',
        `/CN=${subject}`,
        '-addext',
        `subjectAltName=DNS:${subject}`,
        '-out',
        `${name}.crt`,
      ];
      execFileSync('openssl', ['req', '-x509', '-days', '2', ...key, ...names], {
        cwd: folder,
        stdio: 'pipe',
      });
      const read = (suffix: string): string => readFileSync(join(folder, `${name}.${suffix}`), 'utf8');
      return { cert: read('crt'), key: read('key') };
    };
    const own = make('server', 'cloud.example');
    const drill = make('client', 'drill');
    const options = { ...own, ca: drill.cert, requestCert: true, rejectUnauthorized: true };
    const server = await listen(createServer(options, (_request, response) => response.end('{"ok":true}')));
    const tunnels: (string | undefined)[] = [];
    const proxy = createHttp();
    proxy.on('connect', (request, socket) => {
      tunnels.push(request.url);
      const [host = '', port] = server.address.split(':');
      const through = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        through.pipe(socket);
        socket.pipe(through);
      });
      through.on('error', () => socket.destroy());
      socket.on('error', () => through.destroy());
    });
    const listening = await listen(proxy);
    const env = { HTTPS_PROXY: `http://${listening.address}` };
    const ask = (trust: Parameters<typeof createHttpClient>[0]) =>
      createHttpClient(trust, 5000, env)({ ...get, url: 'https://cloud.example/' }, signal);
    await expect(ask({ verify: true, ca: own.cert, ...drill })).resolves.toMatchObject({
      body: { ok: true },
    });
    expect(tunnels).toEqual(['cloud.example:443']);
    await expect(ask({ verify: true, ca: own.cert })).resolves.toMatchObject({ kind: 'silence' });
    await expect(ask({ verify: true, ...drill })).resolves.toMatchObject({
      why: expect.stringMatching(/self-signed|certificate/),
    });
    await listening.close();
    await server.close();
  });

  test('that requires a password has sent nothing', async () => {
    const proxy = await listen(
      createHttp((_request, response) => {
        response.writeHead(407);
        response.end();
      }),
    );
    const http = createHttpClient({ verify: true }, 5000, { HTTP_PROXY: `http://${proxy.address}` });
    const answer = await http({ ...get, url: 'http://192.0.2.1/' }, signal);
    await proxy.close();
    expect(answer).toMatchObject({ kind: 'silence', unsent: true, why: expect.stringContaining('407') });
  });

  test('that opens no tunnel has sent nothing', async () => {
    const proxy = createHttp();
    proxy.on('connect', (_request, socket) => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
    const listening = await listen(proxy);
    const http = createHttpClient({ verify: true }, 5000, { HTTPS_PROXY: `http://${listening.address}` });
    const answer = await http({ ...get, url: 'https://cloud.example/' }, signal);
    await listening.close();
    expect(answer).toMatchObject({ kind: 'silence', unsent: true, why: expect.stringContaining('502') });
  });
});

test('a refused connection is silence with a reason', async () => {
  const http = createHttpClient({ verify: true });
  // Only root may listen on port 1, and nothing does.
  const answer = await http({ method: 'GET', url: 'http://127.0.0.1:1/', headers: {} }, signal);
  expect(answer).toMatchObject({ kind: 'silence', why: expect.stringContaining('ECONNREFUSED') });
});

test('a request without a connection was not sent, and an interrupted one may have been', async () => {
  const http = createHttpClient({ verify: true });
  await expect(
    http({ method: 'GET', url: 'http://127.0.0.1:1/', headers: {} }, signal),
  ).resolves.toMatchObject({
    unsent: true,
  });
  const server = await listen(createHttp((request) => request.socket.destroy()));
  const cut = await http({ method: 'GET', url: `http://${server.address}/`, headers: {} }, signal);
  await server.close();
  expect(cut).toMatchObject({ kind: 'silence' });
  expect(cut).not.toHaveProperty('unsent');
});

test('a string body is sent unchanged, and an answer that is not JSON is kept as text', async () => {
  const http = createHttpClient({ verify: true });
  const server = await listen(
    createHttp((request, response) => {
      response.write('got ');
      request.pipe(response);
    }),
  );
  const url = `http://${server.address}/`;
  const text = await http({ method: 'POST', url, headers: {}, body: '{"a": 1}' }, signal);
  const value = await http({ method: 'POST', url, headers: {}, body: { a: 1 } }, signal);
  await server.close();
  expect(text).toMatchObject({ text: 'got {"a": 1}', body: undefined });
  expect(value).toMatchObject({ text: 'got {"a":1}' });
});
