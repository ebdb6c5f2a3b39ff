import { performance } from 'node:perf_hooks';
import { messageOf } from '../core/errors.ts';
import type { DurationMs } from '../core/time.ts';
import type { SshConnection } from './ssh-connection.ts';

/** A place for one command on a connection. */
export interface SshPlace {
  readonly connection: SshConnection;
  /** Returns the place. `full`: the server refused a channel, so the number in use becomes this connection's limit. */
  readonly release: (full?: 'full') => void;
}

/** Connections to one host, opened as they are needed. */
export interface SshPool {
  /**
   * A place, as soon as one is free. Rejects with the connection error, or with the signal's reason.
   * `timeoutFactor` is a factor for the connect timeout, 1 by default.
   */
  take(signal: AbortSignal, timeoutFactor?: number): Promise<SshPlace>;
}

/** Channels on a connection. sshd allows 10 by default (MaxSessions), and a command that was cut short holds one until it ends. */
const channelsOfOne = 8;
/** If all channels of these connections are used, a command waits. */
const maxConnections = 4;
/** Pause after a failed attempt, ms: sshd and tools such as fail2ban count attempts. */
const retryAfterMs = 1000;

interface Member {
  readonly connection: SshConnection;
  used: number;
  limit: number;
}

interface Waiting {
  readonly timeoutFactor: number;
  readonly give: (place: SshPlace) => void;
  readonly fail: (error: unknown) => void;
}

/** A pool of connections that `open` opens. A lost connection is replaced only when a command needs one. */
export function createPool(open: (timeoutFactor: number) => Promise<SshConnection>): SshPool {
  const members = new Set<Member>();
  const waiting: Waiting[] = [];
  let opening = 0;
  let failed: { readonly error: unknown; readonly atMs: DurationMs } | undefined;

  const placeOn = (member: Member): SshPlace => {
    member.used += 1;
    member.connection.hold();
    let given = true;
    return {
      connection: member.connection,
      release(full) {
        if (!given) return;
        given = false;
        member.used -= 1;
        member.connection.release();
        if (full === 'full') member.limit = Math.max(1, member.used);
        serve();
      },
    };
  };

  const serve = (): void => {
    while (waiting.length > 0) {
      const free = [...members].find((m) => m.connection.isOpen() && m.used < m.limit);
      if (free === undefined) break;
      waiting.shift()?.give(placeOn(free));
    }
    const carried = opening * channelsOfOne;
    if (waiting.length > carried && members.size + opening < maxConnections) void add();
  };

  const add = async (): Promise<void> => {
    const since = failed === undefined ? retryAfterMs : performance.now() - failed.atMs;
    if (failed !== undefined && since < retryAfterMs) return settle(failed.error);
    opening += 1;
    try {
      const connection = await open(Math.max(1, ...waiting.map(({ timeoutFactor }) => timeoutFactor)));
      failed = undefined;
      const member: Member = { connection, used: 0, limit: channelsOfOne };
      members.add(member);
      const forget = (): void => {
        members.delete(member);
        serve();
      };
      void connection.lost.then(forget);
      opening -= 1;
      serve();
    } catch (error) {
      opening -= 1;
      failed = { error, atMs: performance.now() };
      settle(error);
    }
  };

  /** Fails all waiting commands, unless another connection may still serve them. */
  const settle = (error: unknown): void => {
    if (opening > 0 || members.size > 0) return;
    for (const one of waiting.splice(0)) one.fail(error);
  };

  return {
    take(signal, timeoutFactor = 1) {
      const { promise, resolve, reject } = Promise.withResolvers<SshPlace>();
      const leave = (error: unknown): void => {
        const at = waiting.indexOf(one);
        if (at >= 0) waiting.splice(at, 1);
        reject(error instanceof Error ? error : new Error(messageOf(error)));
      };
      const onAbort = (): void => leave(signal.reason);
      const one: Waiting = { timeoutFactor, give: resolve, fail: leave };
      if (signal.aborted) return Promise.reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      waiting.push(one);
      serve();
      return promise.finally(() => signal.removeEventListener('abort', onAbort));
    },
  };
}
