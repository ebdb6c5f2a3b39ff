import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listen, type Listening } from '../probes/testing/servers.ts';
import { createHttpClient } from './http-client.ts';

const signal = new AbortController().signal;

describe('TLS', () => {
  let folder: string;
  let ca: string;
  let server: Listening;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'firedrill-tls-'));
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
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const ask = (trust: Parameters<typeof createHttpClient>[0]) =>
    createHttpClient(trust)({ method: 'GET', url: `https://${server.address}/`, headers: {} }, signal);

  test('trusts the given CA, and without one the system’s only', async () => {
    await expect(ask({ verify: true, ca })).resolves.toMatchObject({ kind: 'answer', status: 200 });
    await expect(ask({ verify: true })).resolves.toMatchObject({
      kind: 'silence',
      why: expect.stringMatching(/self-signed|certificate/),
    });
  });

  test('is not verified only when told so', async () => {
    await expect(ask({ verify: false })).resolves.toMatchObject({ kind: 'answer', status: 200 });
  });
});

test('a refused connection is silence with a reason', async () => {
  const http = createHttpClient({ verify: true });
  // Port 1 needs root to listen on, and nothing does.
  const answer = await http({ method: 'GET', url: 'http://127.0.0.1:1/', headers: {} }, signal);
  expect(answer).toMatchObject({ kind: 'silence', why: expect.stringContaining('ECONNREFUSED') });
});

test('what never got a connection was not sent, and what was cut off may have been', async () => {
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

test('a body that is a text is sent as it is, and an answer that is no JSON is kept as it came', async () => {
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
