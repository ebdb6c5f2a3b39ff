import { connect as connectTcp, type Socket } from 'node:net';
import { constants } from 'node:os';
import type { Duplex } from 'node:stream';
import ssh2, { type Algorithms, type Client, type ClientChannel } from 'ssh2';
import { DrillError, messageOf } from '../core/errors.ts';
import { limitWords } from '../core/format-duration.ts';
import { hostKeyCheck } from './host-key-check.ts';
import type { KnownHost } from './known-hosts.ts';
import { chooseAlgorithms } from './ssh-algorithms.ts';
import type { SshRoute, SshSettings, SshSurroundings } from './ssh-config.ts';
import { loadIdentities } from './ssh-keys.ts';

/** A connection that was logged in to, until it is lost. */
export interface SshConnection {
  /** Settles when the connection is lost or closed, with the reason; never rejects. */
  readonly lost: Promise<string>;
  readonly isOpen: () => boolean;
  /** Runs a command line with the user's login shell. @throws Error with `reason` when the server opens no more channels */
  exec(line: string): Promise<Running>;
  /** A stream to another host from that one. */
  forward(host: string, port: number): Promise<ClientChannel>;
  /** Something uses it: it keeps this process alive, and is not closed as idle. Each call needs its `release`. */
  hold(): void;
  release(): void;
  close(reason: string): void;
}

/** A command at the other end of a channel. */
export interface Running {
  readonly channel: ClientChannel;
  /** Its exit code, 128 and the number for a signal. Stays open where none is told. */
  readonly exited: Promise<number>;
  /** Everything was read, and nothing more comes. After `exited`. */
  readonly closed: Promise<void>;
}

/** The machine is asked whether it is there so often, */
const keepaliveIntervalMs = 500;
/** and is taken for gone when so many of these in a row brought nothing at all. */
const keepaliveMisses = 3;
/** A connection that nobody used for so long is closed. */
const idleMs = 20_000;

/**
 * Connects and logs in, hop by hop: each jump host and the host itself by its own settings, keys and known hosts.
 * @throws DrillError `host-unreachable`; no command was run then
 */
export async function openConnection(
  route: SshRoute,
  learned: KnownHost[],
  around: SshSurroundings,
): Promise<SshConnection> {
  const { settings } = route;
  const via = route.via === undefined ? undefined : await openConnection(route.via, learned, around);
  // The inner connection is in use before it is one.
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
    via?.close('the host behind it could not be reached');
    if (error instanceof DrillError) throw error;
    throw noWay(settings, messageOf(error), error);
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
    socket.destroy(new Error(`no connection within ${limitWords(connectTimeoutMs)}`));
  }, connectTimeoutMs);
  socket.once('connect', () => resolve(socket));
  socket.once('error', reject);
  return promise.finally(() => clearTimeout(timer));
}

/** A jump host tries for as long as its own system does: longer than anybody waits here. */
function connectThrough(via: SshConnection, settings: SshSettings): Promise<Duplex> {
  const { host, port, connectTimeoutMs } = settings;
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new Error(`no connection from the jump host within ${limitWords(connectTimeoutMs)}`));
  }, connectTimeoutMs);
  return Promise.race([via.forward(host, port), late]).finally(() => clearTimeout(timer));
}

interface LoginParts {
  readonly stream: Duplex;
  readonly check: Awaited<ReturnType<typeof hostKeyCheck>>;
  readonly identities: Awaited<ReturnType<typeof loadIdentities>>;
  readonly algorithms: Algorithms;
}

/** SSH's handshake: the host proves who it is, then we do. */
async function logIn(client: Client, settings: SshSettings, parts: LoginParts): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const { stream, check, identities, algorithms } = parts;
  const { user, host, port } = settings;
  client.once('ready', resolve);
  client.on('error', (error: Error & { level?: string }) => {
    // An agent that is not there, or does not sign: the files come next.
    if (error.level === 'agent') return;
    const denied = error.level === 'client-authentication';
    const why = denied
      ? `${user}@${host}:${port} accepts none of the keys (${identities.words})${unsupportedWords(settings)}`
      : error.message;
    reject(noWay(settings, why, error));
  });
  client.once('close', () => reject(noWay(settings, 'the connection was closed before the login')));
  client.connect({
    sock: stream,
    username: user,
    readyTimeout: settings.connectTimeoutMs,
    // One of our own watches the connection: this one keeps an idle process alive.
    keepaliveInterval: 0,
    algorithms,
    authHandler: [...identities.methods],
    // By `verify`: what it returns must not be a promise, which is not `false` and would accept the key.
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
    // What is left of it is not waited for.
    stream.destroy();
    via?.close(reason);
  };
  const keepalive = watch(client, stream, close);
  client.on('error', (error: Error) => close(error.message));
  client.on('close', () => close('it was closed by the other side'));
  void via?.lost.then((reason) => close(`the jump host: ${reason}`));

  const rest = (): void => {
    (stream as Partial<Socket>).unref?.();
    idle = setTimeout(() => close('nobody used it'), idleMs).unref();
  };
  rest();

  const opened = <T>(start: Start, made: (channel: ClientChannel) => T): Promise<T> => {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    // Without a connection ssh2 throws.
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

/** Listens at once: the end of a short command comes together with its beginning. */
function runningOn(channel: ClientChannel): Running {
  const { promise: exited, resolve: onExit } = Promise.withResolvers<number>();
  const { promise: closed, resolve: onClose } = Promise.withResolvers<void>();
  channel.on('exit', (code: number | null, signal?: string) => {
    onExit(code ?? 128 + (constants.signals[signal as NodeJS.Signals] ?? 0));
  });
  channel.on('close', () => onClose());
  return { channel, exited, closed };
}

/** Asks the other side for a sign of life, again and again; closes when none comes. */
function watch(client: Client, stream: Duplex, close: (reason: string) => void): NodeJS.Timeout {
  // Of ssh2's own, which has it for its own timer only: any answer will do, also that it is not understood.
  const { _protocol: protocol } = client as unknown as { readonly _protocol: { ping(): void } };
  let missed = 0;
  stream.on('data', () => void (missed = 0));
  return setInterval(() => {
    if (missed >= keepaliveMisses) {
      close(`nothing was heard of it for ${limitWords((keepaliveMisses + 1) * keepaliveIntervalMs)}`);
      return;
    }
    missed += 1;
    protocol.ping();
  }, keepaliveIntervalMs).unref();
}

function unsupportedWords({ unsupported }: SshSettings): string {
  return unsupported.length === 0 ? '' : `; not supported in ssh_config: ${unsupported.join(', ')}`;
}

function noWay({ asked, words, user, host, port }: SshSettings, why: string, cause?: unknown): DrillError {
  return new DrillError('host-unreachable', `no way to ${asked} over SSH (${user}@${host}:${port}): ${why}`, {
    mend: `See whether \`${words} true\` works.`,
    ...(cause === undefined ? {} : { cause }),
  });
}
