// Stand-ins for what two Wazuh managers, a master and a worker, offer to the network.
import { randomBytes } from 'node:crypto';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { MakeServer, Mode } from './service.ts';

/** Certificate and key in PEM. */
export interface TlsFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Longest line that is taken; a session that sends a longer one is cut. */
const maxLine = 4096;

/** Answers each line of a connection with one of its own; undefined: with nothing. */
function onLines(socket: Socket, answer: (line: string) => string | undefined): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > maxLine) socket.destroy();
    for (const line of lines) {
      const reply = answer(line.trimEnd());
      if (reply !== undefined) socket.write(`${reply}\n`);
    }
  });
}

function inMode(mode: Mode, up: () => string, failing: string): string | undefined {
  if (mode === 'silent') return undefined;
  return mode === 'failing' ? failing : up();
}

/**
 * The agents' sessions, 1514. A real one is encrypted and the manager answers keep-alives in it; here a line, any text with
 * the agent's id as its first word, is answered with `ack MANAGER ID N`, N being how many lines this session has
 * had. A session lasts until somebody ends it. Failing: `error` for each line.
 */
export function agentSessions(managers: Readonly<Record<number, string>>): MakeServer {
  return (mode, port) =>
    createServer((socket) => {
      let lines = 0;
      onLines(socket, (line) => {
        lines += 1;
        const [id = ''] = line.split(' ');
        return inMode(mode(), () => `ack ${managers[port] ?? 'manager'} ${id} ${lines}`, 'error');
      });
    });
}

/**
 * Enrolment, 1515, over TLS as the real one, with its words: `OSSEC A:'NAME'` is answered with
 * `OSSEC K:'ID NAME any KEY'`. The names are forgotten when the process ends. Failing: `ERROR: Unable to add agent`.
 */
export function enrolment(tls: TlsFiles): MakeServer {
  const names = new Set<string>();
  const enrol = (line: string): string => {
    const name = /^OSSEC A:'([^']+)'/.exec(line)?.[1];
    if (name === undefined) return 'ERROR: Invalid request for new agent';
    if (names.has(name)) return `ERROR: Duplicate agent name: ${name}`;
    names.add(name);
    const id = String(names.size).padStart(3, '0');
    return `OSSEC K:'${id} ${name} any ${randomBytes(32).toString('hex')}'`;
  };
  return (mode) => {
    const server = createTlsServer(tls, (socket) => {
      socket.on('error', () => undefined);
      onLines(socket, (line) => inMode(mode(), () => enrol(line), 'ERROR: Unable to add agent'));
    });
    // A plain connect and disconnect, such as a TCP check makes.
    server.on('tlsClientError', () => undefined);
    return server;
  };
}

/** The API, 55000, HTTPS. It knows no users: every request is answered 401, as the real one answers without a token. Failing: 500. */
export function managersApi(tls: TlsFiles): MakeServer {
  return (mode) => {
    const server = createHttpsServer(tls, (_request, response) => {
      if (mode() === 'silent') return;
      const [status, title, detail] =
        mode() === 'failing'
          ? ([500, 'Wazuh Internal Error', 'the stand-in was told to fail'] as const)
          : ([401, 'Unauthorized', 'No authorization token provided'] as const);
      response.writeHead(status, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify({ title, detail }));
    });
    server.on('tlsClientError', () => undefined);
    return server;
  };
}
