import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { ownLoopback } from '../../hosts/testing/own-loopback.ts';

/** For tests: a running server. */
export interface Listening {
  readonly port: number;
  /** host:port */
  readonly address: string;
  readonly close: () => Promise<void>;
}

/** For tests: starts a server on a free port of the loopback. */
export async function listen(server: Server): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    // Probes destroy connections, which is not an error of the server.
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  return { port, address: `127.0.0.1:${port}`, close };
}

/** For tests: host:port where nothing listens, and no other program will. */
export async function unusedAddress(): Promise<string> {
  const server = createServer().listen(0, ownLoopback);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `${ownLoopback}:${port}`;
}
