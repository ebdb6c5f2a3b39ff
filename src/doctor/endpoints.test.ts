import { createSecureServer } from 'node:http2';
import { createServer as createHttpsServer, type ServerOptions } from 'node:https';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, test, onTestFinished } from 'vitest';
import type { Finding } from '../core/finding.ts';
import type { Json } from '../core/plan.ts';
import { simulatedClock } from '../engine/testing/simulated-clock.ts';
import { probeKind } from '../probes/catalog.ts';
import { http } from '../probes/http.ts';
import { makeCertificates } from '../net/testing/certificates.ts';
import { listen } from '../net/testing/servers.ts';
import { inspectEndpoints } from './endpoints.ts';
import { sharedTemporaryFolder } from '../../test/temporary-folder.ts';

const folder = sharedTemporaryFolder();
const file = (name: string): string => join(folder, name);
beforeAll(() => makeCertificates(folder));

/** Doctor's finding for a server that is probed over HTTPS. */
async function findingAt(server: Server, over: object = {}): Promise<Finding> {
  const { address, close } = await listen(server);
  onTestFinished(close);
  const fields = { url: 'https://app.example.com/', connectTo: address, caFile: file('ca.pem'), ...over };
  const params = http.params.parse(fields) as Json;
  const probe = { id: 'web', name: 'web', kind: 'http', params, intervalMs: 60_000, timeoutMs: 60_000 };
  const plan = { probes: [probe], steady: { require: [], forMs: 0, withinMs: 0 } };
  const [finding] = await inspectEndpoints(plan, probeKind, {
    clock: simulatedClock(),
    signal: new AbortController().signal,
    readText: (path) => readFile(path, 'utf8'),
    resolveName: async () => [],
    env: () => undefined,
  });
  if (finding === undefined) throw new Error('nothing was found');
  return finding;
}

const identity = () => ({ key: readFileSync(file('good.key')), cert: readFileSync(file('good.pem')) });
const over = (options: ServerOptions): Server =>
  createHttpsServer({ ...identity(), ...options }, (_request, response) => void response.end('fine')).on(
    'tlsClientError',
    () => undefined,
  );

describe('hint for an endpoint that fails', () => {
  test.each<[string, () => Server, RegExp]>([
    [
      'TLS 1.0 only',
      () => over({ minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }),
      /only TLS 1\.1 or older/,
    ],
    ['HTTP/2 only', () => createSecureServer({ ...identity(), allowHTTP1: false }), /only HTTP\/2/],
    [
      'a client certificate',
      () => over({ requestCert: true, ca: readFileSync(file('ca.pem')) }),
      /`clientCert`/,
    ],
    [
      'a client certificate, TLS 1.2',
      () => over({ requestCert: true, ca: readFileSync(file('ca.pem')), maxVersion: 'TLSv1.2' }),
      /`clientCert`/,
    ],
    [
      'no TLS',
      () => createServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
      /http:\/\//,
    ],
  ])('%s', async (_what, server, words) => {
    const finding = await findingAt(server());
    expect(finding).toMatchObject({ status: 'warn', hint: expect.stringMatching(words) as string });
    expect(finding.observed).not.toContain('openssl');
  });

  test('another name in the certificate', async () => {
    const finding = await findingAt(over({}), { url: 'https://other.example.com/' });
    expect(finding.hint).toContain('`serverName`');
  });

  test('an unknown CA', async () => {
    expect((await findingAt(over({}), { caFile: file('other-ca.pem') })).hint).toContain('`caFile`');
  });

  test('another protocol', async () => {
    const { address, close } = await listen(
      createServer((socket) => void socket.once('data', () => socket.end('SSH-2.0-OpenSSH_10.0\r\n'))),
    );
    onTestFinished(close);
    const finding = await findingAt(over({}), { url: `http://${address}/`, connectTo: address });
    expect(finding.hint).toContain('does not speak HTTP/1.1');
  });
});
