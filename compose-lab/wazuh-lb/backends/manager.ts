// Stand-ins for the network services of two Wazuh managers, a master and a worker.
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

/** Longest accepted line, characters; a longer one ends the session. */
const maxLine = 4096;

/** Answers each line of a connection with one line; with none if `answer` returns undefined. */
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
 * The agents' sessions, port 1514. A real session is encrypted, and the manager answers keep-alives in it. Here the first word
 * of a line is the agent's id, and the answer is `ack MANAGER ID N`, where N counts the lines of the session. A session has no
 * time limit. Mode failing: `error` for each line.
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
 * Enrollment, port 1515, over TLS and in Wazuh's protocol: the answer to `OSSEC A:'NAME'` is `OSSEC K:'ID NAME any KEY'`. The
 * names are lost when the process ends. Mode failing: `ERROR: Unable to add agent`.
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
    // A TCP check connects and disconnects without TLS.
    server.on('tlsClientError', () => undefined);
    return server;
  };
}

/** The API, port 55000, HTTPS. Each answer is a 401, like Wazuh's answer to a request without a token. Mode failing: 500. */
export function managersApi(tls: TlsFiles): MakeServer {
  return (mode) => {
    const server = createHttpsServer(tls, (_request, response) => {
      if (mode() === 'silent') return;
      const [status, title, detail] =
        mode() === 'failing'
          ? ([500, 'Wazuh Internal Error', 'the stand-in is in the mode failing'] as const)
          : ([401, 'Unauthorized', 'No authorization token provided'] as const);
      response.writeHead(status, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify({ title, detail }));
    });
    server.on('tlsClientError', () => undefined);
    return server;
  };
}
