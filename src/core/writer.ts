import type { z } from 'zod';
import type { ProbeContext } from './probe.ts';
import type { RowRange } from './row-ranges.ts';

/**
 * Outcome of a write, as far as its client can know.
 *
 * - `acked`: the stack acknowledged it.
 * - `refused`: certainly not done. Nothing was sent, or the answer says that it was rolled back.
 * - `indeterminate`: done or not. A timeout, a broken connection, or an ambiguous answer.
 */
export type WriteOutcome = 'acked' | 'refused' | 'indeterminate';

/** Outcome of one write, with the reason unless it is `acked`. */
export interface Written {
  readonly outcome: WriteOutcome;
  readonly message?: string;
}

/** A numbered row. Clients count from 1 over all paths of a writer; numbers count from 1 in each client. */
export interface Row {
  readonly client: number;
  readonly number: number;
}

/** The present row numbers, by client, in ascending order. */
export type Rows = ReadonlyMap<number, readonly RowRange[]>;

/** What a writer may use. */
export interface WriterContext extends Pick<ProbeContext, 'clock' | 'readText' | 'env' | 'resolveName'> {
  /** Name of this run's rows: letters, digits, and underscores, at most 63; unique to the run. */
  readonly store: string;
}

/**
 * One client of the stack with its own connection; it does one thing at a time. A signal aborts at the
 * timeout (reason `ProbeTimeout`), or when the run stops.
 */
export interface RowClient {
  /** Writes a row once, without retries. Never throws. */
  write(row: Row, signal: AbortSignal): Promise<Written>;
  /** All present rows: the numbers of each client. Throws if they cannot be read. */
  rows(signal: AbortSignal): Promise<Rows>;
  /** Closes the connection, if there is one. */
  close(): void;
}

/** One path to the store of the rows. */
export interface WriterPath {
  /** Creates the store; called once per run, for one of the paths. Throws if it cannot. */
  create(signal: AbortSignal): Promise<void>;
  /** Removes the store with all of its rows. Throws if it cannot. */
  drop(signal: AbortSignal): Promise<void>;
  connect(): RowClient;
  /**
   * Reads the copy on the path's own host, not through the stack's path; absent if the target defines none.
   */
  readonly connectCopy?: () => RowClient;
}

/** A kind of writer: one file, one line in the catalog. */
export interface WriterKind<P> {
  readonly kind: string;
  readonly summary: string;
  /**
   * Fields of a writer in a target file, in addition to `id`, `kind`, `on`, `clients`, `interval`, `timeout`,
   * `reads`, and `keep`.
   */
  readonly params: z.ZodType<P>;
  /** TCP connections that one write or read opens while the stack answers. */
  newConnections(params: P): 0 | 1;
  /** The write, read, and remove actions in words, for `plan`; the rows' name is not known yet. */
  describe(params: P): { readonly write: string; readonly read: string; readonly remove: string };
  /**
   * Called once for each path. Throws DrillError `invalid-input` for errors that show only at run time
   * (unreadable CA file).
   */
  open(params: P, ctx: WriterContext): Promise<WriterPath>;
}
