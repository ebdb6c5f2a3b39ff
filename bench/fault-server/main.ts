import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { untilMono } from '../mono.ts';
import type { FromServer, ScriptedOutage, ServerInput, ToServer } from './messages.ts';
import { watchStalls } from './stalls.ts';
import { openTrack, type Track } from './track.ts';

// The target of the benchmarks: HTTP servers that fail according to a script. A separate process, which reports the real times of
// the outages. Started by start.ts.

const input = JSON.parse(process.argv[2] ?? '') as ServerInput;
const report = (message: FromServer): void => void process.send?.(message);
process.on('disconnect', () => process.exit(0));

const tracks: Track[] = [];
for (let index = 0; index < input.tracks; index++)
  tracks.push(await openTrack(input.host, input.ownNamespace));
const trackOf = (index: number): Track => {
  const track = tracks[index];
  if (track === undefined) throw new Error(`no track ${index}`);
  return track;
};

process.on('message', (message: ToServer) => {
  void Promise.all(message.outages.map(play)).then(
    () => report({ type: 'played' }),
    (error: unknown) => report({ type: 'failed', message: String(error) }),
  );
});
watchStalls((stall) => report({ type: 'stalled', stall }));
report({
  type: 'listening',
  ports: tracks.map((track) => track.port),
  plainPort: await listenPlainly(),
  controlPort: await listenForOrders(),
});

async function play({ track, kind, atMs, lengthMs }: ScriptedOutage): Promise<void> {
  await untilMono(atMs);
  const start = await trackOf(track).fail(kind);
  await untilMono(start.hiMs + lengthMs);
  const end = await trackOf(track).restore();
  report({ type: 'outage', outage: { track, kind, start, end } });
}

/** A port with minimal cost for the server, to measure the client's capacity. */
async function listenPlainly(): Promise<number> {
  const reply = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n');
  const server = createServer({ noDelay: true }, (socket: Socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', () => socket.end(reply));
  });
  server.listen({ host: input.host, port: 0, backlog: 4096 });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** `GET /<track>/<kind>/<ms>` starts an outage, and answers when it has started. */
async function listenForOrders(): Promise<number> {
  const server = createHttpServer((request, response) => {
    const [, track, kind, length] = (request.url ?? '').split('/');
    const begin = async (): Promise<void> => {
      const name = kind as ScriptedOutage['kind'];
      const start = await trackOf(Number(track)).fail(name);
      response.end('begun\n');
      await untilMono(start.hiMs + Number(length));
      const end = await trackOf(Number(track)).restore();
      report({ type: 'outage', outage: { track: Number(track), kind: name, start, end } });
    };
    void begin().catch((error: unknown) => report({ type: 'failed', message: String(error) }));
  });
  server.listen({ host: input.host, port: 0 });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
