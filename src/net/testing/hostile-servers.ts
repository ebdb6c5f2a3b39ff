import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { FailCause } from '../../core/sample.ts';
import { certifiedName, makeCertificates } from './certificates.ts';
import { listen } from './servers.ts';

/** For tests and benchmarks: a misbehaving server, and the expected outcome of a sample. */
export interface HostileServer {
  readonly name: string;
  /** Parameters of an `http` probe of it, as in a target file. */
  readonly params: Readonly<Record<string, unknown>>;
  /** `ok`, or the cause of the failure. */
  readonly outcome: 'ok' | FailCause;
  /** Number of open connections. */
  readonly open: () => number;
}

/** For tests and benchmarks: running hostile servers. */
export interface HostileServers {
  readonly servers: readonly HostileServer[];
  readonly close: () => Promise<void>;
}

/** What a server does with a connection after it has received a request. */
type Misbehavior = (socket: Socket) => void;

const dripMs = 20;
const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n';
const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;

/** Writes small pieces endlessly and slowly. */
const drips =
  (first: string, text: string): Misbehavior =>
  (socket) => {
    socket.write(first);
    const timer = setInterval(() => socket.write(text), dripMs);
    socket.once('close', () => clearInterval(timer));
  };

/** Writes as fast as the other end reads, endlessly. */
const floods =
  (first: string, text: string): Misbehavior =>
  (socket) => {
    const pour = (): void => {
      while (!socket.destroyed && socket.write(text));
    };
    socket.write(first);
    socket.on('drain', pour);
    pour();
  };

const says =
  (text: string | Buffer): Misbehavior =>
  (socket) =>
    void socket.end(text);

const resets: Misbehavior = (socket) => void socket.resetAndDestroy();

/** A probe reads the body only if it checks something in it. */
const needsBody = { expect: { body: 'never there' } };

const plain: readonly (readonly [
  name: string,
  outcome: HostileServer['outcome'],
  misbehavior: Misbehavior,
  params?: HostileServer['params'],
])[] = [
  ['silent', 'timeout', () => undefined],
  ['drips its headers', 'timeout', drips('HTTP/1.1 200 OK\r\n', 'x-a: b\r\n')],
  ['drips one endless header', 'timeout', drips('HTTP/1.1 200 OK\r\nx-a: ', 'b')],
  ['drips its body', 'timeout', drips(`${head}\r\n`, 'x'), needsBody],
  ['says 100 Continue for ever', 'timeout', drips('', 'HTTP/1.1 100 Continue\r\n\r\n')],
  ['pours headers', 'http-other', floods(head, `x-a: ${'b'.repeat(1000)}\r\n`)],
  ['pours its body', 'bad-body', floods(`${head}transfer-encoding: chunked\r\n\r\n`, chunk), needsBody],
  [
    'sends garbage',
    'http-other',
    says(Buffer.from(Array.from({ length: 2000 }, (_, i) => (i * 37 + 129) % 256))),
  ],
  ['sends a bad chunk', 'http-other', says(`${head}transfer-encoding: chunked\r\n\r\nzz\r\n`), needsBody],
  [
    'redirects to itself',
    'http-other',
    says('HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n'),
  ],
  ['resets', 'reset', resets],
  ['ends without a reply', 'reset', says('')],
  ['ends within its headers', 'reset', says('HTTP/1.1 200 OK\r\nx-a: b\r\n')],
  [
    'resets within its body',
    'reset',
    (socket) => void socket.write(`${head}content-length: 100\r\n\r\nhalf`, () => socket.resetAndDestroy()),
    needsBody,
  ],
];

/** For tests and benchmarks: starts all hostile servers and two good ones on the loopback. `folder` is for the certificates. */
export async function startHostileServers(folder: string): Promise<HostileServers> {
  makeCertificates(folder);
  const closes: (() => Promise<void>)[] = [];
  const start = async (
    name: string,
    outcome: HostileServer['outcome'],
    server: Server,
    params: (address: string) => HostileServer['params'],
  ): Promise<HostileServer> => {
    let open = 0;
    server.on('connection', (socket: Socket) => {
      open++;
      socket.once('close', () => open--);
    });
    const { address, close } = await listen(server);
    closes.push(close);
    return { name, outcome, params: params(address), open: () => open };
  };
  const pem = (name: string): string => join(folder, name);
  const secure = (name: string): Server => {
    const server = createHttpsServer(
      { key: readFileSync(pem(`${name}.key`)), cert: readFileSync(pem(`${name}.pem`)) },
      (_request, response) => void response.end('fine'),
    );
    return server.on('tlsClientError', () => undefined);
  };
  const good = (): Server => createHttpServer((_request, response) => void response.end('fine'));
  const over = (params: Readonly<Record<string, unknown>> = {}) => {
    const url = `https://${certifiedName}/`;
    return (connectTo: string) => ({ url, connectTo, caFile: pem('ca.pem'), ...params });
  };
  const servers = [
    await start('good', 'ok', good(), (address) => ({ url: `http://${address}/` })),
    await start('good, over TLS', 'ok', secure('good'), over()),
  ];
  for (const [name, outcome, misbehavior, params = {}] of plain) {
    const server = createServer((socket) => void socket.once('data', () => misbehavior(socket)));
    servers.push(await start(name, outcome, server, (address) => ({ url: `http://${address}/`, ...params })));
  }
  servers.push(
    await start('resets at once', 'reset', createServer(resets), (address) => ({
      url: `http://${address}/`,
    })),
    await start('expired certificate', 'tls', secure('expired'), over()),
    await start('self-signed certificate', 'tls', secure('ca'), over({ caFile: pem('other-ca.pem') })),
    await start('wrong name', 'tls', secure('good'), over({ serverName: 'other.example.com' })),
    await start('no TLS', 'tls', good(), over()),
    await start(
      'hangs in the handshake',
      'timeout',
      createServer((socket) => void socket.resume()),
      over(),
    ),
  );
  const refused = await listen(createServer());
  await refused.close();
  servers.push({
    name: 'refuses',
    outcome: 'refused',
    params: { url: `http://${refused.address}/` },
    open: () => 0,
  });
  return { servers, close: async () => void (await Promise.all(closes.map(async (close) => close()))) };
}
