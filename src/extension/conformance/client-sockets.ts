import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Node.js publishes each new client socket of this process there. */
const channel = 'net.client.socket';
/** Longest time for sockets to close, ms. */
const closeWithinMs = 2000;

/** The client sockets that this process has opened since the start of the watch. */
export interface SocketWatch {
  opened(): number;
  /** The peers of sockets that are not closed 2 s from now. */
  left(): Promise<readonly string[]>;
  stop(): void;
}

/** Watches the client sockets of this process, also those that do not keep it running. */
export function watchClientSockets(): SocketWatch {
  const sockets = new Set<Socket>();
  const onSocket = (message: unknown): void => void sockets.add((message as { socket: Socket }).socket);
  subscribe(channel, onSocket);
  return {
    opened: () => sockets.size,
    async left() {
      for (let waitedMs = 0; ; waitedMs += 50) {
        const open = [...sockets].filter(({ destroyed }) => !destroyed);
        if (open.length === 0 || waitedMs >= closeWithinMs)
          return open.map(
            ({ remoteAddress, remotePort }) => `${remoteAddress ?? 'a peer'}:${remotePort ?? '?'}`,
          );
        await sleep(50);
      }
    },
    stop: () => unsubscribe(channel, onSocket),
  };
}

/** Connections as text: `2 connections to 127.0.0.1:80, …`. */
export function connectionsText(peers: readonly string[]): string {
  return `${peers.length} connection${peers.length === 1 ? '' : 's'} to ${[...new Set(peers)].join(', ')}`;
}
