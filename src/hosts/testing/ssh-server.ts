import { spawn, type ChildProcess } from 'node:child_process';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import ssh2, {
  type Connection,
  type NegotiatedAlgorithms,
  type ParsedKey,
  type ServerChannel,
  type Session,
} from 'ssh2';
import { ownLoopback } from './own-loopback.ts';

/** A key pair in the format of key files. */
export interface TestKey {
  readonly privateText: string;
  /** `type base64`. */
  readonly publicLine: string;
  readonly parsed: ParsedKey;
}

/** For tests: a new key pair. */
export function makeKey(passphrase?: string): TestKey {
  const made =
    passphrase === undefined
      ? ssh2.utils.generateKeyPairSync('ed25519')
      : ssh2.utils.generateKeyPairSync('ed25519', { passphrase, cipher: 'aes256-cbc', rounds: 1 });
  const parsed = ssh2.utils.parseKey(made.private, passphrase);
  // About one in a hundred keys of the library lacks a leading zero and is invalid.
  if (parsed instanceof Error) return makeKey(passphrase);
  const [type, base64] = made.public.split(' ');
  return { privateText: made.private, publicLine: `${type} ${base64}`, parsed };
}

/** For tests: an SSH server on loopback that runs commands in real shells, as sshd does. */
export interface SshServer {
  readonly port: number;
  readonly hostKey: TestKey;
  /** The received command lines. */
  readonly commands: readonly string[];
  /** Number of logins. */
  logins(): number;
  /** The highest number of concurrent sessions on one connection. */
  mostSessions(): number;
  /** The algorithms of the last connection. */
  negotiated(): NegotiatedAlgorithms | undefined;
  /** Users and keys that were refused. */
  readonly refused: readonly string[];
  /** Breaks all connections. */
  cut(): void;
  close(): Promise<void>;
}

export interface SshServerOptions {
  readonly accept: readonly TestKey[];
  /** sshd's MaxSessions. */
  readonly maxSessions?: number;
  readonly shell?: string;
  /** A free port by default. */
  readonly port?: number;
}

export async function startSshServer(options: SshServerOptions): Promise<SshServer> {
  const hostKey = makeKey();
  const commands: string[] = [];
  const refused: string[] = [];
  const open = new Set<Connection>();
  const children = new Set<ChildProcess>();
  let logins = 0;
  let negotiated: NegotiatedAlgorithms | undefined;
  let most = 0;
  const onConnection = (connection: Connection): void => {
    open.add(connection);
    let sessions = 0;
    connection.on('error', () => {});
    connection.on('handshake', (chosen) => void (negotiated = chosen));
    connection.on('close', () => open.delete(connection));
    connection.on('authentication', (attempt) => {
      const known =
        attempt.method === 'publickey' &&
        options.accept.some((key) => key.parsed.getPublicSSH().equals(attempt.key.data));
      if (!known || attempt.method !== 'publickey') {
        if (attempt.method === 'publickey') refused.push(`${attempt.username} ${attempt.key.algo}`);
        return attempt.reject(['publickey']);
      }
      const { signature, blob, hashAlgo } = attempt;
      if (signature === undefined || blob === undefined) return attempt.accept();
      const key = options.accept.find((one) => one.parsed.getPublicSSH().equals(attempt.key.data));
      return key?.parsed.verify(blob, signature, hashAlgo) === true ? attempt.accept() : attempt.reject();
    });
    connection.on('ready', () => {
      logins += 1;
    });
    connection.on('session', (accept, reject) => {
      if (sessions >= (options.maxSessions ?? 10)) return reject();
      sessions += 1;
      most = Math.max(most, sessions);
      const session: Session = accept();
      session.on('exec', (take, _refuse, { command }) => {
        commands.push(command);
        const child = runIn(options.shell ?? '/bin/sh', command, take());
        children.add(child);
        child.on('close', () => {
          children.delete(child);
          sessions -= 1;
        });
      });
    });
    connection.on('tcpip', (accept, reject, { destIP, destPort }) => {
      const onward = connect(destPort, destIP);
      onward.once('error', () => reject());
      onward.once('connect', () => {
        const channel = accept();
        channel.on('error', () => {});
        onward.on('error', () => channel.close());
        channel.pipe(onward).pipe(channel);
        channel.on('close', () => onward.destroy());
      });
    });
  };
  const server = new ssh2.Server({ hostKeys: [hostKey.privateText] }, onConnection);
  const port = await listen(server, options.port);
  const cut = (): void => {
    for (const connection of open) (connection as unknown as { _sock: Socket })._sock.destroy();
  };
  return {
    port,
    hostKey,
    commands,
    refused,
    logins: () => logins,
    negotiated: () => negotiated,
    mostSessions: () => most,
    cut,
    close: async () => {
      cut();
      for (const { pid } of children) {
        try {
          if (pid !== undefined) process.kill(-pid, 'SIGKILL');
        } catch {
          // The process has ended.
        }
      }
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Runs a command as sshd does: in its own session, and the channel closes only after all holders of the output have ended. */
function runIn(shell: string, command: string, channel: ServerChannel): ChildProcess {
  const child = spawn(shell, ['-c', command], { detached: true });
  channel.on('error', () => {});
  child.stdin.on('error', () => {});
  channel.pipe(child.stdin);
  channel.on('close', () => child.stdin.end());
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  child.on('exit', (code, signal) => {
    if (code === null) channel.exit((signal ?? 'SIGKILL').slice(3));
    else channel.exit(code);
  });
  child.on('close', () => channel.end());
  return child;
}

/** For tests: a relay in front of a server that can drop all data. */
export interface Relay {
  readonly port: number;
  /** Drops all data in both directions; connections stay open. */
  swallow(): void;
  /** Relays data again. */
  restore(): void;
  close(): Promise<void>;
}

export async function startRelay(port: number, host = ownLoopback): Promise<Relay> {
  let swallowing = false;
  const sockets = new Set<Socket>();
  const server: Server = createServer((inner) => {
    const outer = connect(port, host);
    for (const socket of [inner, outer]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    const pass = (from: Socket, to: Socket): void => {
      from.on('data', (chunk) => {
        if (!swallowing) to.write(chunk);
      });
      from.on('end', () => {
        if (!swallowing) to.end();
      });
    };
    pass(inner, outer);
    pass(outer, inner);
  });
  const own = await listen(server);
  return {
    port: own,
    swallow: () => void (swallowing = true),
    restore: () => void (swallowing = false),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The common part of both server types. */
interface Listening {
  listen(port: number, host: string, done: () => void): unknown;
  address(): unknown;
}

async function listen(server: Listening, port = 0): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(port, ownLoopback, resolve));
  return (server.address() as AddressInfo).port;
}
