import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { Host } from '../../core/host.ts';
import { scriptedHost, type Script } from '../../faults/testing/scripted-host.ts';
import { listen } from '../../net/testing/servers.ts';

/** A host with a Docker engine for tests. */
export interface PipedEngine {
  readonly host: Host;
  /** The commands of the opened pipes. */
  readonly pipes: readonly string[];
  /** Commands that were run, each joined with spaces. */
  readonly commands: readonly string[];
  readonly server: Server;
  readonly close: () => Promise<void>;
}

/**
 * Creates a host whose `docker system dial-stdio` connects to a server, and whose commands `script` answers.
 */
export async function pipedEngine(
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
  script: Script = () => ({ exitCode: 1, stderr: 'Cannot connect to the Docker daemon' }),
): Promise<PipedEngine> {
  const server = createServer(onRequest);
  const { port, close } = await listen(server);
  const pipes: string[] = [];
  const scripted = scriptedHost(script);
  const host: Host = {
    ...scripted,
    pipe: (argv) => {
      pipes.push(argv.join(' '));
      const socket = connect(port, '127.0.0.1');
      let why = 'exit 0';
      socket.on('error', (error) => void (why = error.message));
      return {
        write: (bytes) => void socket.write(bytes),
        onData: (listener) => void socket.on('data', listener),
        onEnd: (listener) => void socket.on('close', () => listener(why)),
        close: () => void socket.destroy(),
      };
    },
  };
  return { host, pipes, commands: scripted.commands, server, close };
}
