import { createServer, type Socket } from 'node:net';
import { listen, type Listening } from './servers.ts';

/** A message of the PostgreSQL protocol, version 3: type, length, payload. */
export function message(type: string, ...payload: (string | Buffer)[]): Buffer {
  const body = Buffer.concat(payload.map((part) => Buffer.from(part)));
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
}

/** An integer of the protocol, two bytes. */
export const int16 = (n: number): Buffer => Buffer.from([n >> 8, n & 255]);
/** An integer of the protocol, four bytes. */
export const int32 = (n: number): Buffer => Buffer.from([n >> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255]);
/** ReadyForQuery: the server waits for the next query. */
export const ready = message('Z', 'I');
/** The server accepts the connection without a password. */
export const accepted = Buffer.concat([message('R', int32(0)), ready]);
/** An ErrorResponse; `localized` is the severity in the server's language (`lc_messages`). */
export function failure(severity: string, code: string, text: string, localized = severity): Buffer {
  return message('E', `S${localized}\0V${severity}\0C${code}\0M${text}\0\0`);
}

/** A scripted server that answers the start-up message, then each query. */
export async function postgresServer(
  onStartup: (socket: Socket, data: Buffer) => void,
  onQuery: (socket: Socket, query: string) => void = () => {},
): Promise<Listening> {
  return listen(
    createServer((socket) => {
      socket.once('data', (data) => {
        onStartup(socket, data);
        socket.on('data', (query) => {
          if (query[0] === 'Q'.charCodeAt(0)) onQuery(socket, query.toString('utf8', 5, query.length - 1));
        });
      });
    }),
  );
}

/** Accepts any connection. */
export const accept = (socket: Socket): void => void socket.write(accepted);
