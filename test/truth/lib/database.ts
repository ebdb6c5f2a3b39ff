import { z } from 'zod';
import { rangesOf } from '../../../src/core/row-ranges.ts';
import type { Row, RowClient, Rows, WriterKind, Written } from '../../../src/core/writer.ts';
import type { SimulatedTime } from './simulated-time.ts';
import { contains, type Span } from './spans.ts';

/** A committed row. */
export interface Commit extends Row {
  readonly atMs: number;
}

/** A write with its outcome for the client. */
export interface KnownWrite extends Row {
  readonly outcome: Written['outcome'];
  readonly finishMs: number;
}

/** A database's reaction to requests. `cut`: it commits, but its answer is lost. */
export type DatabaseState = 'up' | 'refuse' | 'drop' | 'cut';

/** A simulated database: rows that it commits during a loss are gone later; reads come from a replica. */
export interface Database {
  readonly kind: WriterKind<unknown>;
  set(state: DatabaseState): void;
  /** Pauses the replica, or lets it catch up immediately. */
  pauseReplica(isPaused: boolean): void;
  /** Rows that are committed during these spans are lost. */
  readonly losses: Span[];
  readonly pauses: readonly Span[];
  readonly commits: readonly Commit[];
  readonly writes: readonly KnownWrite[];
  /** Times of reads that ran in parallel with writes. */
  readonly readAtMs: readonly number[];
}

/** A database that serves requests in `latencyMs`. `timeoutMs` is the timeout of its clients. */
export function simulatedDatabase(
  time: SimulatedTime,
  { latencyMs, timeoutMs }: { readonly latencyMs: () => number; readonly timeoutMs: number },
): Database {
  let state: DatabaseState = 'up';
  const losses: Span[] = [];
  const pauses: { fromMs: number; toMs: number }[] = [];
  const commits: Commit[] = [];
  const writes: KnownWrite[] = [];
  const readAtMs: number[] = [];
  const later = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      time.at(time.nowMs() + ms, resolve, 'io');
    });
  const pausedAt = (ms: number): Span | undefined => pauses.find((pause) => contains(pause, ms));

  const serve = async (row: Row): Promise<Written> => {
    const sentMs = time.nowMs();
    await later(latencyMs() / 2);
    if (state === 'refuse') return { outcome: 'refused', message: 'refused' };
    if (state !== 'drop') {
      commits.push({ ...row, atMs: time.nowMs() });
      const isAnswered = state === 'up';
      await later(latencyMs() / 2);
      if (isAnswered) return { outcome: 'acked' };
    }
    await later(Math.max(0, sentMs + timeoutMs - time.nowMs()));
    return { outcome: 'indeterminate', message: 'timeout' };
  };
  const read = async (): Promise<Rows> => {
    await later(latencyMs() / 2);
    const nowMs = time.nowMs();
    readAtMs.push(nowMs);
    const seenUntilMs = pausedAt(nowMs)?.fromMs ?? nowMs;
    const there = commits.filter(
      ({ atMs }) => atMs <= seenUntilMs && !losses.some((loss) => contains(loss, atMs) && nowMs >= loss.toMs),
    );
    await later(latencyMs() / 2);
    const clients = new Set(there.map(({ client }) => client));
    return new Map(
      [...clients].map((client) => [
        client,
        rangesOf(there.filter((row) => row.client === client).map(({ number }) => number)),
      ]),
    );
  };
  const client: RowClient = {
    write: async (row) => {
      const written = await serve(row);
      writes.push({ ...row, outcome: written.outcome, finishMs: time.nowMs() });
      return written;
    },
    rows: read,
    close: () => undefined,
  };
  const path = { create: async () => undefined, drop: async () => undefined, connect: () => client };
  return {
    kind: {
      kind: 'http',
      summary: 'simulated',
      params: z.unknown(),
      newConnections: () => 0,
      describe: () => ({ write: '', read: '', remove: '' }),
      open: async () => path,
    },
    set: (next) => {
      state = next;
    },
    pauseReplica: (isPaused) => {
      const last = pauses.at(-1);
      if (isPaused) pauses.push({ fromMs: time.nowMs(), toMs: Infinity });
      else if (last !== undefined) last.toMs = Math.min(last.toMs, time.nowMs());
    },
    losses,
    pauses,
    commits,
    writes,
    readAtMs,
  };
}
