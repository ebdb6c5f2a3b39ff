import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Connection } from './define-tests.ts';

/** A TCP proxy on this machine whose connections the suite breaks. */
export interface Proxy extends Required<Connection> {
  /** The proxy's address, `127.0.0.1:PORT`, for the parameters of the kind. */
  readonly address: string;
  readonly port: number;
  /** Ends the proxy with all of its connections. */
  close(): void;
}

/** One connection through the proxy. */
interface Pair {
  readonly client: Socket;
  readonly target: Socket;
  /** Answers that are held back. */
  readonly held: Buffer[];
}

/** Starts a proxy in front of a TCP port, for the tests of a writer, a probe, or a transport. */
export async function proxyTo(port: number, host = '127.0.0.1'): Promise<Proxy> {
  const pairs = new Set<Pair>();
  let isHolding = false;
  let isCut = false;
  const server = createServer((client) => {
    if (isCut) return void client.resetAndDestroy();
    const target = connect(port, host);
    const pair: Pair = { client, target, held: [] };
    pairs.add(pair);
    client.on('data', (bytes) => target.write(bytes));
    target.on('data', (bytes) => (isHolding ? void pair.held.push(bytes) : client.write(bytes)));
    client
      .on('error', () => {})
      .on('end', () => target.end())
      .on('close', () => target.end());
    target.on('error', () => client.resetAndDestroy()).on('end', () => client.end());
    target.on('close', () => pairs.delete(pair));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const own = (server.address() as AddressInfo).port;
  const cut = (): void => {
    isCut = true;
    for (const { client, target } of pairs) {
      client.resetAndDestroy();
      // The target still gets what was sent.
      target.end();
    }
  };
  return {
    address: `127.0.0.1:${own}`,
    port: own,
    holdAnswers: () => void (isHolding = true),
    cut,
    restore: () => {
      isHolding = false;
      isCut = false;
      for (const { client, held } of pairs) for (const bytes of held.splice(0)) client.write(bytes);
    },
    close: () => {
      cut();
      for (const { target } of pairs) target.destroy();
      server.close();
    },
  };
}
