import type { z } from 'zod';
import type { ProbeContext } from './probe.ts';
import type { RowRange } from './row-ranges.ts';

/**
 * What became of a write, as far as its client can know.
 * - `acked`: the stack said that it is done.
 * - `refused`: surely not done. Nothing was sent, or the answer says that it was undone.
 * - `indeterminate`: done or not: a time-out, a connection that broke, an answer that does not say.
 */
export type WriteOutcome = 'acked' | 'refused' | 'indeterminate';

/** One write's outcome, with the reason where it is no `acked`. */
export interface Written {
  readonly outcome: WriteOutcome;
  readonly message?: string;
}

/** A numbered row. Clients count from 1 over all paths of a writer, numbers from 1 in each client. */
export interface Row {
  readonly client: number;
  readonly number: number;
}

/** The numbers that are there, by client; in ascending order. */
export type Rows = ReadonlyMap<number, readonly RowRange[]>;

/** What a writer may use. */
export interface WriterContext extends Pick<ProbeContext, 'clock' | 'readText' | 'env' | 'resolveName'> {
  /** Name of this run's rows, in letters, digits and underscores, at most 63: nobody else's. */
  readonly store: string;
}

/**
 * One client of the stack, with a connection of its own, which does one thing at a time. A signal aborts at the
 * time-out (reason `ProbeTimeout`), or when the run stops.
 */
export interface RowClient {
  /** Writes a row, once: nothing is tried again. Never throws. */
  write(row: Row, signal: AbortSignal): Promise<Written>;
  /** All rows that are there: the numbers of each client. Throws when they cannot be read. */
  rows(signal: AbortSignal): Promise<Rows>;
  /** Ends the connection, if there is one. */
  close(): void;
}

/** One path to the place where rows are kept. */
export interface WriterPath {
  /** Makes the place; called once in a run, by one of the paths. Throws when it cannot. */
  create(signal: AbortSignal): Promise<void>;
  /** Removes the place with all that is in it. Throws when it cannot. */
  drop(signal: AbortSignal): Promise<void>;
  connect(): RowClient;
  /** Reads what the path's host itself holds, past the stack's own path; absent where the target says nothing of it. */
  readonly connectCopy?: () => RowClient;
}

/** A kind of writer: one file, one line in the catalog. */
export interface WriterKind<P> {
  readonly kind: string;
  readonly summary: string;
  /** Fields of a writer in a target file, besides `id`, `kind`, `on`, `clients`, `interval`, `timeout`, `reads`, `keep`. */
  readonly params: z.ZodType<P>;
  /** TCP connections that one write, or one read, opens while the stack answers. */
  newConnections(params: P): 0 | 1;
  /** What it writes and where, in words, for `plan`; the rows' own name is not known yet. */
  describe(params: P): { readonly write: string; readonly read: string; readonly remove: string };
  /** Called once for each path. Throws DrillError `invalid-input` for what only shows at run time (unreadable CA file). */
  open(params: P, ctx: WriterContext): Promise<WriterPath>;
}
