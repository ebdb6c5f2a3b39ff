import { fork, spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Edge, FromServer, ScriptedOutage, ServerInput, ToServer, TrueOutage } from './messages.ts';

/** A fault server in a separate process. */
export interface FaultServer {
  readonly host: string;
  readonly ports: readonly number[];
  readonly plainPort: number;
  readonly controlPort: number;
  /** Plays a script to its end, and returns the real outages. */
  play(outages: readonly ScriptedOutage[]): Promise<readonly TrueOutage[]>;
  /** The outages that have ended so far, including those started over HTTP. */
  outages(): readonly TrueOutage[];
  /** The server's own stalls so far. */
  stalls(): readonly Edge[];
  readonly pid: number;
  stop(): Promise<void>;
}

const program = fileURLToPath(new URL('./main.ts', import.meta.url));

/** Starts a fault server, in the given network namespace if there is one. */
export async function startFaultServer(
  options: Pick<ServerInput, 'host' | 'tracks'> & { readonly namespace?: string },
): Promise<FaultServer> {
  const { host, tracks, namespace } = options;
  const input = JSON.stringify({ host, tracks, ownNamespace: namespace !== undefined } satisfies ServerInput);
  const child: ChildProcess =
    namespace === undefined
      ? fork(program, [input])
      : spawn('ip', ['netns', 'exec', namespace, process.execPath, program, input], {
          stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        });
  const listening = Promise.withResolvers<Extract<FromServer, { type: 'listening' }>>();
  let played = Promise.withResolvers<void>();
  const seen: TrueOutage[] = [];
  const stalls: Edge[] = [];
  const fail = (message: string): void => {
    const error = new Error(`the fault server ${message}`);
    listening.reject(error);
    played.reject(error);
  };
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code) => {
      fail(`ended with exit code ${code}`);
      resolve();
    });
  });
  child.on('error', (error) => fail(`cannot be started: ${error.message}`));
  // Only `play` waits for this promise. Without this handler, an earlier rejection would be unhandled.
  played.promise.catch(() => {});
  child.on('message', (message: FromServer) => {
    switch (message.type) {
      case 'listening':
        return listening.resolve(message);
      case 'outage':
        return void seen.push(message.outage);
      case 'stalled':
        return void stalls.push(message.stall);
      case 'played':
        return played.resolve();
      case 'failed':
        return fail(`failed: ${message.message}`);
    }
  });
  const { ports, plainPort, controlPort } = await listening.promise;
  return {
    host,
    ports,
    plainPort,
    controlPort,
    pid: child.pid ?? 0,
    outages: () => seen,
    stalls: () => stalls,
    async play(outages) {
      played = Promise.withResolvers();
      played.promise.catch(() => {});
      const before = seen.length;
      child.send({ outages } satisfies ToServer);
      await played.promise;
      return seen.slice(before);
    },
    async stop() {
      child.disconnect();
      await ended;
    },
  };
}
