import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { listen } from '../../net/testing/servers.ts';

/** For tests: a received request. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** For tests: a server's reaction to a request that it has read. */
export type Behaviour = RequestListener;

/** For tests: answers with this status, headers, and body. */
export const answers =
  (status: number, headers: Readonly<Record<string, string>> = {}, body = ''): Behaviour =>
  (_, response) =>
    void response.writeHead(status, headers).end(body);

/** For tests: resets the connection after the request. */
export const resets: Behaviour = (request) => void request.socket.resetAndDestroy();

/** For tests: never answers. */
export const hangs: Behaviour = () => undefined;

/** For tests: sends an endless answer. */
export const pours: Behaviour = (request, response) => {
  response.writeHead(200);
  const pour = (): void => {
    while (!request.socket.destroyed && response.write('x'.repeat(0x4000)));
  };
  response.on('drain', pour);
  pour();
};

/** For tests: a loopback server that records its requests. */
export interface Receiver {
  readonly url: string;
  readonly port: number;
  readonly received: Received[];
  /** Sets the behaviors of the next requests, in order; the last one repeats. */
  script(...behaviours: readonly [Behaviour, ...Behaviour[]]): void;
  close(): Promise<void>;
}

/** For tests: starts a receiver; it answers 200 by default. */
export async function receiver(): Promise<Receiver> {
  const received: Received[] = [];
  let script: readonly Behaviour[] = [answers(200)];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      received.push({ method, path, headers, body: Buffer.concat(chunks).toString('utf8') });
      const [behaviour, ...later] = script;
      if (later.length > 0) script = later;
      behaviour?.(request, response);
    });
  });
  const { address, port, close } = await listen(server);
  return {
    url: `http://${address}`,
    port,
    received,
    script: (...behaviours) => {
      script = behaviours;
    },
    close,
  };
}
