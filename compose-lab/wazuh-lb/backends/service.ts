import type { Server, Socket } from 'node:net';

/**
 * The behavior of a stand-in:
 * - `up`: it serves;
 * - `refusing`: its ports and connections are closed, as after a crash;
 * - `silent`: it accepts connections and data, and does not answer, like a process that hangs;
 * - `failing`: it answers with an error of its protocol.
 */
export type Mode = 'up' | 'refusing' | 'silent' | 'failing';

/** All modes. */
export const modes: readonly Mode[] = ['up', 'refusing', 'silent', 'failing'];

/** Whether a text names a mode. */
export function isMode(text: string): text is Mode {
  return modes.some((mode) => mode === text);
}

/** Creates the server of one port. It calls `mode` for each answer. */
export type MakeServer = (mode: () => Mode, port: number) => Server;

/** A stand-in with its ports and its mode. */
export class Service {
  readonly name: string;
  readonly ports: readonly number[];
  #mode: Mode = 'refusing';
  readonly #servers: readonly { readonly port: number; readonly server: Server }[];
  readonly #sockets = new Set<Socket>();

  constructor(name: string, ports: readonly number[], make: MakeServer) {
    this.name = name;
    this.ports = ports;
    this.#servers = ports.map((port) => ({ port, server: make(() => this.#mode, port) }));
    for (const { server } of this.#servers) {
      server.on('connection', (socket: Socket) => {
        this.#sockets.add(socket);
        socket.on('close', () => this.#sockets.delete(socket));
        // Ignored: the client has disconnected.
        socket.on('error', () => undefined);
      });
    }
  }

  /** Changes the mode; resolves once the ports are open or closed accordingly. */
  async setMode(mode: Mode): Promise<void> {
    this.#mode = mode;
    await Promise.all(
      this.#servers.map(({ server, port }) =>
        mode === 'refusing' ? this.#close(server) : listen(server, port),
      ),
    );
  }

  async #close(server: Server): Promise<void> {
    if (!server.listening) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    server.close(() => resolve());
    for (const socket of this.#sockets) socket.destroy();
    await promise;
  }
}

async function listen(server: Server, port: number): Promise<void> {
  if (server.listening) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, () => {
    server.off('error', reject);
    resolve();
  });
  await promise;
}
