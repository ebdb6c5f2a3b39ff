import { connect as connectTcp, type Socket } from 'node:net';
import { constants } from 'node:os';
import type { Duplex } from 'node:stream';
import ssh2, { type Algorithms, type Client, type ClientChannel } from 'ssh2';
import { DrillError, messageOf } from '../core/errors.ts';
import { limitText } from '../core/format-duration.ts';
import { hostKeyCheck } from './host-key-check.ts';
import type { KnownHost } from './known-hosts.ts';
import { chooseAlgorithms } from './ssh-algorithms.ts';
import type { SshRoute, SshSettings, SshEnvironment } from './ssh-config.ts';
import { loadIdentities } from './ssh-keys.ts';

/** A connection after the login, until it is lost. */
export interface SshConnection {
  /** Settles when the connection is lost or closed, with the reason; never rejects. */
  readonly lost: Promise<string>;
  readonly isOpen: () => boolean;
  /** Runs a command line with the user's login shell. @throws Error with `reason` when the server opens no more channels */
  exec(line: string): Promise<Running>;
  /** A stream from this host to another one. */
  forward(host: string, port: number): Promise<ClientChannel>;
  /** Marks the connection as used: it keeps this process alive, and is not closed as idle. Each call needs a `release`. */
  hold(): void;
  release(): void;
  close(reason: string): void;
}

/** A command at the other end of a channel. */
export interface Running {
  readonly channel: ClientChannel;
  /** The exit code; 128 + N for signal N. Never settles if the server reports none. */
  readonly exited: Promise<number>;
  /** All output was read. Settles after `exited`. */
  readonly closed: Promise<void>;
}

/** Interval of the keepalive requests, ms. */
const keepaliveIntervalMs = 500;
/** After this many requests in a row without any data from the host, the connection counts as lost. */
const keepaliveMisses = 3;
/** An idle connection is closed after this time. */
const idleMs = 20_000;

/**
 * Connects and logs in, hop by hop. Each jump host and the host itself has its own settings, keys, and known hosts.
 * @throws DrillError `host-unreachable`; then no command was run
 */
export async function openConnection(
  route: SshRoute,
  learned: KnownHost[],
  around: SshEnvironment,
): Promise<SshConnection> {
  const { settings } = route;
  const via = route.via === undefined ? undefined : await openConnection(route.via, learned, around);
  // The jump host's connection must not be closed as idle before the connection through it exists.
  via?.hold();
  try {
    const [check, identities] = await Promise.all([
      hostKeyCheck(settings, learned, around),
      loadIdentities(settings),
    ]);
    const algorithms = { serverHostKey: [...check.algorithms], ...chooseAlgorithms(settings) };
    const stream = await (via === undefined ? connectSocket(settings) : connectThrough(via, settings));
    const client = new ssh2.Client();
    const login = logIn(client, settings, { stream, check, identities, algorithms });
    await login.catch((error: unknown) => {
      stream.destroy();
      throw error;
    });
    return connectionOf(client, stream, via, settings.setEnv);
  } catch (error) {
    via?.close('the host behind this jump host cannot be reached');
    if (error instanceof DrillError) throw error;
    throw noConnection(settings, messageOf(error), error);
  } finally {
    via?.release();
  }
}

function connectSocket(settings: SshSettings): Promise<Socket> {
  const { host, port, family, bindAddress, connectTimeoutMs } = settings;
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connectTcp({
    host,
    port,
    noDelay: true,
    ...(family === 0 ? {} : { family }),
    ...(bindAddress === undefined ? {} : { localAddress: bindAddress }),
  });
  const timer = setTimeout(() => {
    socket.destroy(new Error(`no connection within ${limitText(connectTimeoutMs)}`));
  }, connectTimeoutMs);
  socket.once('connect', () => resolve(socket));
  socket.once('error', reject);
  return promise.finally(() => clearTimeout(timer));
}

/** Connects through a jump host. Its own connect timeout is longer than `connectTimeoutMs`, so the time is limited here. */
function connectThrough(via: SshConnection, settings: SshSettings): Promise<Duplex> {
  const { host, port, connectTimeoutMs } = settings;
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new Error(`no connection from the jump host within ${limitText(connectTimeoutMs)}`));
  }, connectTimeoutMs);
  return Promise.race([via.forward(host, port), late]).finally(() => clearTimeout(timer));
}

interface LoginParts {
  readonly stream: Duplex;
  readonly check: Awaited<ReturnType<typeof hostKeyCheck>>;
  readonly identities: Awaited<ReturnType<typeof loadIdentities>>;
  readonly algorithms: Algorithms;
}

/** Performs the SSH handshake: the host key is checked, then the user is authenticated. */
async function logIn(client: Client, settings: SshSettings, parts: LoginParts): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const { stream, check, identities, algorithms } = parts;
  const { user, host, port } = settings;
  client.once('ready', resolve);
  client.on('error', (error: Error & { level?: string }) => {
    // The agent does not run or does not sign. The key files are tried next.
    if (error.level === 'agent') return;
    const denied = error.level === 'client-authentication';
    const why = denied
      ? `${user}@${host}:${port} accepts none of the keys (${identities.words})${unsupportedText(settings)}`
      : error.message;
    reject(noConnection(settings, why, error));
  });
  client.once('close', () => reject(noConnection(settings, 'the connection was closed before the login')));
  client.connect({
    sock: stream,
    username: user,
    readyTimeout: settings.connectTimeoutMs,
    // `watch` below does this. The library's own keepalive would keep an idle process alive.
    keepaliveInterval: 0,
    algorithms,
    authHandler: [...identities.methods],
    // The answer goes through `verify`. A returned promise would count as true and accept the key.
    hostVerifier: (key: Buffer, verify: (accept: boolean) => void): void => {
      const decide = (refusal: Error | undefined): void => {
        if (refusal !== undefined) reject(refusal);
        verify(refusal === undefined);
      };
      check
        .refuse(key)
        .then(decide, (error: unknown) => decide(new Error(messageOf(error), { cause: error })));
    },
  });
  return promise;
}

function connectionOf(
  client: Client,
  stream: Duplex,
  via: SshConnection | undefined,
  env: Readonly<Record<string, string>>,
): SshConnection {
  const { promise: lost, resolve } = Promise.withResolvers<string>();
  let open = true;
  let users = 0;
  let idle: NodeJS.Timeout | undefined;

  const close = (reason: string): void => {
    if (!open) return;
    open = false;
    clearInterval(keepalive);
    clearTimeout(idle);
    resolve(reason);
    client.end();
    // The end of the SSH session is not waited for.
    stream.destroy();
    via?.close(reason);
  };
  const keepalive = watch(client, stream, close);
  client.on('error', (error: Error) => close(error.message));
  client.on('close', () => close('the host closed the connection'));
  void via?.lost.then((reason) => close(`the jump host: ${reason}`));

  const rest = (): void => {
    (stream as Partial<Socket>).unref?.();
    idle = setTimeout(() => close('the connection was idle'), idleMs).unref();
  };
  rest();

  const opened = <T>(start: Start, made: (channel: ClientChannel) => T): Promise<T> => {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    // ssh2 throws if the connection is gone.
    try {
      start((error, channel) => (error === undefined ? resolve(made(channel)) : reject(error)));
    } catch (error) {
      reject(error);
    }
    return promise;
  };

  return {
    lost,
    isOpen: () => open,
    exec: (line) => opened((done) => void client.exec(line, { env }, done), runningOn),
    forward: (host, port) =>
      opened(
        (done) => void client.forwardOut('127.0.0.1', 0, host, port, done),
        (channel) => channel,
      ),
    hold() {
      via?.hold();
      users += 1;
      if (users > 1) return;
      clearTimeout(idle);
      (stream as Partial<Socket>).ref?.();
    },
    release() {
      via?.release();
      users -= 1;
      if (users === 0 && open) rest();
    },
    close,
  };
}

type Start = (done: (error: Error | undefined, channel: ClientChannel) => void) => void;

/** Adds the listeners at once: a short command may end in the packet that starts it. */
function runningOn(channel: ClientChannel): Running {
  const { promise: exited, resolve: onExit } = Promise.withResolvers<number>();
  const { promise: closed, resolve: onClose } = Promise.withResolvers<void>();
  channel.on('exit', (code: number | null, signal?: string) => {
    onExit(code ?? 128 + (constants.signals[signal as NodeJS.Signals] ?? 0));
  });
  channel.on('close', () => onClose());
  return { channel, exited, closed };
}

/** Sends keepalive requests, and closes the connection if no data comes. */
function watch(client: Client, stream: Duplex, close: (reason: string) => void): NodeJS.Timeout {
  // `ping` is internal to ssh2. Any answer counts, also that the host does not support the request.
  const { _protocol: protocol } = client as unknown as { readonly _protocol: { ping(): void } };
  let missed = 0;
  stream.on('data', () => void (missed = 0));
  return setInterval(() => {
    if (missed >= keepaliveMisses) {
      close(`the host sent nothing for ${limitText((keepaliveMisses + 1) * keepaliveIntervalMs)}`);
      return;
    }
    missed += 1;
    protocol.ping();
  }, keepaliveIntervalMs).unref();
}

function unsupportedText({ unsupported }: SshSettings): string {
  return unsupported.length === 0 ? '' : `; not supported in ssh_config: ${unsupported.join(', ')}`;
}

function noConnection(
  { asked, words, user, host, port }: SshSettings,
  why: string,
  cause?: unknown,
): DrillError {
  return new DrillError(
    'host-unreachable',
    `cannot connect to ${asked} over SSH (${user}@${host}:${port}): ${why}`,
    {
      hint: `Run \`${words} true\` to see the error.`,
      ...(cause === undefined ? {} : { cause }),
    },
  );
}
