import type { ResolveName } from '../../core/probe.ts';
import { ResolvingSocket } from '../../net/name-lookup.ts';
import { Client, DatabaseError, type ClientConfig } from 'pg';
import { ProbeTimeout } from '../../core/probe.ts';
import type { DurationMs } from '../../core/time.ts';
import { followReadiness, type Readiness, sayGoodbye } from '../../net/postgres.ts';

/** Most sessions: one with a late answer, and one more. */
const mostSessions = 2;

/** Reusable sessions on a PostgreSQL server. */
export interface KeptSqlSessions {
  /** True while every session is busy and the limit is reached. */
  isBusy(): boolean;
  /**
   * Runs `ask` in an idle session, or in a new one. Rejects with the signal's reason if the signal aborts.
   * The session then continues for one more timeout, so that a slow server does not get a new session for
   * each sample.
   */
  use<T>(
    ask: (client: Client) => Promise<T>,
    signal: AbortSignal,
    watch: (socket: ResolvingSocket) => void,
  ): Promise<T>;
  close(): void;
}

/** One session. */
interface Session {
  readonly client: Client;
  readonly socket: ResolvingSocket;
  readonly readiness: Readiness;
  connected: boolean;
  busy: boolean;
}

/**
 * Keeps at most two sessions, and reuses them. A session is dropped if the server closed it, if its
 * transaction was left open, or after an error of the connection. It is also dropped if an answer, or the end
 * of one, is more than `timeoutMs` late.
 */
export function keepSqlSessions(
  config: ClientConfig,
  { timeoutMs, resolveName }: { readonly timeoutMs: DurationMs; readonly resolveName: ResolveName },
): KeptSqlSessions {
  const sessions = new Set<Session>();

  const open = (): Session => {
    // The probe creates the socket, so that it can always destroy it: the client's end() waits for the
    // server.
    const socket = new ResolvingSocket(resolveName);
    const client = new Client({ ...config, stream: () => socket });
    // Errors also reject the pending call. Without a listener they would end the process.
    client.on('error', () => {});
    const readiness = followReadiness(client, socket);
    const session = { client, socket, readiness, connected: false, busy: false };
    sessions.add(session);
    socket.once('close', () => sessions.delete(session));
    return session;
  };
  const cut = (session: Session): void => {
    sessions.delete(session);
    session.socket.destroy();
  };
  /**
   * After an error in the statement, the server is ready for the next statement. After any other error, it
   * ends the session.
   */
  const cutUnlessReady = async (session: Session): Promise<void> => {
    const isReady = await session.readiness.untilReady(AbortSignal.timeout(timeoutMs));
    if (!isReady) cut(session);
  };
  const part = (session: Session): void => {
    sessions.delete(session);
    sayGoodbye(session.client, session.socket);
  };
  /**
   * An idle session. A session with an open transaction is closed, because it would hold its snapshot and
   * locks.
   */
  const idle = (): Session | undefined => {
    for (const session of sessions) {
      if (session.busy || !session.readiness.isReady()) continue;
      if (session.client.getTransactionStatus() === 'I') return session;
      part(session);
    }
    return undefined;
  };
  const run = async <T>(session: Session, ask: (client: Client) => Promise<T>): Promise<T> => {
    try {
      if (!session.connected) await session.client.connect();
      session.connected = true;
      session.readiness.onSend();
      const result = await ask(session.client);
      if (session.client.getTransactionStatus() !== 'I') part(session);
      return result;
    } catch (error) {
      if (session.connected && error instanceof DatabaseError) void cutUnlessReady(session);
      else cut(session);
      throw error;
    } finally {
      session.busy = false;
    }
  };

  return {
    isBusy: () => idle() === undefined && sessions.size >= mostSessions,
    async use(ask, signal, watch) {
      signal.throwIfAborted();
      const session = idle() ?? open();
      session.busy = true;
      watch(session.socket);
      const running = run(session, ask);
      const aborted = Promise.withResolvers<never>();
      const onAbort = (): void => {
        aborted.reject(signal.reason);
        if (!session.connected || !(signal.reason instanceof ProbeTimeout)) return cut(session);
        const late = setTimeout(() => cut(session), timeoutMs);
        late.unref();
        void running.catch(() => undefined).finally(() => clearTimeout(late));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        return await Promise.race([running, aborted.promise]);
      } finally {
        signal.removeEventListener('abort', onAbort);
        running.catch(() => undefined);
      }
    },
    close() {
      for (const session of sessions) session.socket.destroy();
    },
  };
}
