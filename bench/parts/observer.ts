import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dnsServer } from '../../src/net/testing/dns-server.ts';
import { asInstalled } from '../as-installed.ts';
import type { ObserverInput, ObserverResult } from '../observer/messages.ts';
import type { BenchContext } from './part.ts';

const program = fileURLToPath(new URL('../observer/main.ts', import.meta.url));
const csv = '# pxname,svname,status,weight,act,bck\nweb,a,UP,1,1,0\nweb,BACKEND,UP,1,1,0\n';

/** Measures the cost of a sample of each probe kind: CPU on both sides, and processes. */
export async function runObserver(context: BenchContext): Promise<ObserverResult> {
  const http = await serve('ok');
  const stats = await serve(csv);
  const lines = await lineServer();
  const dns = await dnsServer(() => ({ rcode: 0, answers: [Buffer.from([192, 0, 2, 1])] }));
  const folder = mkdtempSync(join(tmpdir(), 'firedrill-observer-'));
  // PostgreSQL does not run as root, so its user needs access.
  chmodSync(folder, 0o755);
  const input: ObserverInput = {
    httpPort: http.port,
    csvPort: stats.port,
    dnsAddress: dns.address,
    linePort: lines.port,
    folder,
    samples: context.quick ? 10 : 200,
  };
  const path = join(context.folder, 'observer.json');
  const command = [process.execPath, program, JSON.stringify(input), path];
  const alone = process.getuid?.() === 0 ? ['unshare', '--pid', '--fork', '--mount-proc'] : [];
  const [file = '', ...args] = [...alone, ...command];
  try {
    const child = spawn(file, args, { env: asInstalled(), stdio: ['ignore', 'inherit', 'inherit'] });
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`the measuring process ended with exit code ${code}`);
    return JSON.parse(readFileSync(path, 'utf8')) as ObserverResult;
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await Promise.all([http.stop(), stats.stop(), lines.stop(), dns.close()]);
  }
}

interface Served {
  readonly port: number;
  stop(): Promise<void>;
}

/** A server that answers all data with one line. */
async function lineServer(): Promise<Served> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', () => socket.write('ok\n'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function serve(body: string): Promise<Served> {
  const server = createServer((_, response) => void response.end(body)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
