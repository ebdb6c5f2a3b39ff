import { setMaxListeners } from 'node:events';
import { type Cleanup, withCleanup } from '../core/cleanup.ts';
import { roundMs, type Clock } from '../core/clock.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import type { NewEvent, ReadMoment } from '../core/event.ts';
import type { PlannedPath, PlannedWriter } from '../core/plan.ts';
import { ProbeTimeout } from '../core/probe.ts';
import { rangesText } from '../core/row-ranges.ts';
import { type DurationMs, later, type RunMs } from '../core/time.ts';
import type { Row, RowClient, WriterContext, WriterKind, WriterPath, Written } from '../core/writer.ts';
import type { EventLog } from './event-log.ts';
import { watchLoop } from './loop-watch.ts';
import type { Timers } from './schedule.ts';
import { limitTime } from './time-limit.ts';

/** Inputs of the writing. */
export interface WritingOptions {
  readonly writers: readonly PlannedWriter[];
  readonly kindOf: (kind: string) => WriterKind<unknown> | undefined;
  readonly runId: string;
  readonly clock: Clock;
  readonly log: Pick<EventLog, 'append'>;
  readonly readText: WriterContext['readText'];
  readonly env: WriterContext['env'];
  readonly resolveName: WriterContext['resolveName'];
  /** Aborts when the run stops: then nothing new begins. */
  readonly signal: AbortSignal;
  /** Without it, stalls of firedrill itself are not recorded. */
  readonly timers?: Timers | undefined;
}

/** Running clients; each writes its own numbered rows. */
export interface RowWriters {
  /**
   * Logs which rows exist: in the copies, and at the end of the run also through the paths. Never rejects.
   */
  readBack(moment: Exclude<ReadMoment, 'parallel'>): Promise<void>;
  /** Starts no further write and waits for those in progress. Never rejects; may be called again. */
  stop(): Promise<void>;
  /**
   * Removes the rows unless `keep` is set, and closes all connections. Never rejects: the log names what
   * could not be removed.
   */
  remove(): Promise<void>;
}

/** Time limit for creating the store of the rows, ms: the stack is in its steady state. */
const createWithinMs = 20_000;
/** Time limit for one attempt to read back or remove all rows, ms. */
const attemptMs = 5000;
/** Such attempts are repeated for this long, ms, one second apart. */
const endWithinMs = 15_000;
const pauseMs = 1000;

interface OpenPath {
  readonly planned: PlannedPath;
  readonly path: WriterPath;
  readonly clients: readonly RowClient[];
  readonly reader: RowClient;
}

interface OpenWriter {
  readonly planned: PlannedWriter;
  readonly paths: readonly OpenPath[];
}

/**
 * Name of a run's rows; fits PostgreSQL's limit of 63 bytes. A long name loses its middle, because the time
 * and the random digits are at its ends.
 */
export function storeName(runId: string): string {
  const name = `firedrill_${runId.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')}`;
  return name.length <= 63 ? name : `${name.slice(0, 58)}${name.slice(-5)}`;
}

/**
 * Creates the store of each writer's rows and starts its clients. A client does one thing at a time, so it
 * skips a slot that comes due during its last write.
 *
 * Writers share the main thread with commands and fsync; network probes have their own thread. A reply that
 * is read late widens the interval in which its write was committed, or makes the write indeterminate.
 * Neither counts as a loss.
 *
 * @throws DrillError `host-unreachable` if a store cannot be created, `invalid-input` for invalid writer
 * parameters
 */
export function startRowWriters(options: WritingOptions): Promise<RowWriters> {
  const { clock, log, signal } = options;
  const append = (event: NewEvent): void => void log.append(event);
  return withCleanup(async (cleanup) => {
    const writers: OpenWriter[] = [];
    for (const planned of options.writers) writers.push(await openWriter(planned, options, cleanup));
    cleanup.defer(async () => {
      for (const { planned, paths } of writers) {
        if (planned.keep === true) continue;
        const why = await untilDone(clock, paths, (path) =>
          withTimeout(clock, attemptMs, (s) => path.path.drop(s)),
        );
        const text = `${planned.id}: cannot remove its rows, so ${storeName(options.runId)} remains: ${why}`;
        if (why !== undefined) append({ type: 'log', level: 'warn', text });
      }
    });
    for (const { planned, paths } of writers) await createPlace(planned, paths, clock, signal);

    const { timers } = options;
    const watch =
      timers === undefined
        ? undefined
        : cleanup.adopt(
            watchLoop(() => clock.nowMs(), timers),
            (one) => one.stop(),
          );
    const stallSince = (sinceMs: RunMs): DurationMs => watch?.stallSince(sinceMs) ?? 0;
    const stopping = new AbortController();
    const begin = AbortSignal.any([signal, stopping.signal]);
    // Each client's sleep adds a listener: this is not a leak.
    setMaxListeners(0, begin);
    const running = Promise.all(
      writers.flatMap((writer) => work(writer, { clock, append, begin, cut: signal, stallSince })),
    );
    const opened = cleanup.move();
    return {
      stop: async () => {
        stopping.abort(new Error('the writing ends'));
        await running;
      },
      remove: () => opened.close(),
      readBack: async (moment) => {
        for (const { planned, paths } of writers) {
          for (const open of paths) {
            const read = (place: RowsRead['place'], client: RowClient): Promise<RowsRead> =>
              readBackOnce(planned, { open, place, moment, client }, options);
            if (moment === 'end') append(await read('path', open.reader));
            const copy = open.path.connectCopy?.();
            if (copy === undefined) continue;
            append(await read('copy', copy));
            copy.close();
          }
        }
      },
    };
  });
}

async function openWriter(
  planned: PlannedWriter,
  options: WritingOptions,
  cleanup: Cleanup,
): Promise<OpenWriter> {
  const kind = options.kindOf(planned.kind);
  if (kind === undefined) throw new DrillError('harness', `${planned.id}: no writer kind "${planned.kind}"`);
  const { clock, readText, env, resolveName, runId } = options;
  const paths: OpenPath[] = [];
  for (const way of planned.paths) {
    const path = await kind.open(way.params, { clock, readText, env, resolveName, store: storeName(runId) });
    const connect = (): RowClient => cleanup.adopt(path.connect(), (client) => client.close());
    const clients = Array.from({ length: planned.clients }, connect);
    paths.push({ planned: way, path, clients, reader: connect() });
  }
  return { planned, paths };
}

async function createPlace(
  { id }: PlannedWriter,
  paths: readonly OpenPath[],
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const why = await untilDone(
    clock,
    paths,
    ({ path }) => withTimeout(clock, createWithinMs, (s) => path.create(s), signal),
    signal,
  );
  if (why === undefined) return;
  throw new DrillError('host-unreachable', `${id}: cannot create the store of its rows: ${why}`, {
    hint: 'Check `writers` in the target file: the path, the user, and whether that user may create tables.',
  });
}

/** Tries the paths in turn until one succeeds; returns undefined then, else the last error. */
async function untilDone(
  clock: Clock,
  paths: readonly OpenPath[],
  attempt: (path: OpenPath) => Promise<void>,
  signal: AbortSignal = new AbortController().signal,
): Promise<string | undefined> {
  const deadline = later(clock.nowMs(), endWithinMs);
  for (;;) {
    let why = 'the writer has no path';
    for (const path of paths) {
      try {
        await attempt(path);
        return undefined;
      } catch (error) {
        signal.throwIfAborted();
        why = messageOf(error);
      }
    }
    if (clock.nowMs() + pauseMs >= deadline) return why;
    await clock.sleep(pauseMs, signal);
  }
}

interface WriterJob {
  readonly clock: Clock;
  readonly append: (event: NewEvent) => void;
  /** Aborts when nothing new may begin. */
  readonly begin: AbortSignal;
  /** Aborts when operations in progress must be canceled. */
  readonly cut: AbortSignal;
  /** Longest stall of firedrill itself since then, ms. */
  readonly stallSince: (sinceMs: RunMs) => DurationMs;
}

/** The field `stallMs` of an operation that was begun at a moment. */
function stalled({ stallSince }: WriterJob, sinceMs: RunMs): { readonly stallMs?: DurationMs } {
  const stallMs = stallSince(sinceMs);
  return stallMs === 0 ? {} : { stallMs: roundMs(stallMs) };
}

/** All clients and readers of a writer, spread evenly over their intervals. */
function work(writer: OpenWriter, place: WriterJob): Promise<void>[] {
  const { planned, paths } = writer;
  const total = paths.length * planned.clients;
  return paths.flatMap((open, p) => [
    ...open.clients.map((client, c) => {
      // The clients of one path are also spread evenly among themselves.
      const phase = (c * paths.length + p) / total;
      return writing(planned, client, p * planned.clients + c + 1, phase, place);
    }),
    reading(planned, open, (p + 0.5) / paths.length, place),
  ]);
}

async function writing(
  { id, intervalMs, timeoutMs }: PlannedWriter,
  connection: RowClient,
  client: number,
  phase: number,
  job: WriterJob,
): Promise<void> {
  const { clock, append, begin, cut } = job;
  let number = 0;
  await everySlot(clock, intervalMs, phase, begin, async () => {
    const row: Row = { client, number: ++number };
    const sendMs = clock.nowMs();
    const { outcome, message } = await withTimeout(
      clock,
      timeoutMs,
      (s) => connection.write(row, s),
      cut,
    ).catch(
      // An error that the writer should have returned must not end the drill.
      (error: unknown): Written => ({ outcome: 'indeterminate', message: messageOf(error) }),
    );
    append({
      type: 'row.written',
      writer: id,
      ...row,
      sendMs: roundMs(sendMs),
      finishMs: roundMs(clock.nowMs()),
      ...stalled(job, sendMs),
      outcome,
      ...(message === undefined ? {} : { message }),
    });
  });
}

async function reading(planned: PlannedWriter, open: OpenPath, phase: number, job: WriterJob): Promise<void> {
  const { clock, append, begin, cut } = job;
  const once = { open, place: 'path', moment: 'parallel', client: open.reader } as const;
  await everySlot(clock, planned.readIntervalMs, phase, begin, async () => {
    const sinceMs = clock.nowMs();
    const read = await readOnce(planned, once, clock, cut);
    append({ ...read, ...stalled(job, sinceMs) });
  });
}

/**
 * Calls `act` at `phase`, `phase + 1`, ... intervals from now on. A call that takes longer than its slot
 * skips the next slots.
 */
async function everySlot(
  clock: Clock,
  intervalMs: DurationMs,
  phase: number,
  begin: AbortSignal,
  act: () => Promise<void>,
): Promise<void> {
  const startMs = later(clock.nowMs(), phase * intervalMs);
  for (let slot = 0; ;) {
    try {
      await clock.sleep(Math.max(0, startMs + slot * intervalMs - clock.nowMs()), begin);
    } catch {
      return;
    }
    await act();
    slot = Math.max(slot + 1, Math.ceil((clock.nowMs() - startMs) / intervalMs));
  }
}

type RowsRead = Extract<NewEvent, { type: 'rows.read' }>;

/** A read, and the client that does it. */
interface Reading extends Pick<RowsRead, 'place' | 'moment'> {
  readonly open: OpenPath;
  readonly client: RowClient;
}

/** The rows in one place, or why they could not be read. Never rejects. */
async function readOnce(
  { id, timeoutMs }: PlannedWriter,
  { open, place, moment, client }: Reading,
  clock: Clock,
  cut: AbortSignal,
): Promise<RowsRead> {
  const sendMs = roundMs(clock.nowMs());
  const read = { type: 'rows.read', writer: id, path: open.planned.id, place, moment, sendMs } as const;
  try {
    const limitMs = moment === 'parallel' ? timeoutMs : attemptMs;
    const rows = await withTimeout(clock, limitMs, (s) => client.rows(s), cut);
    const text = [...rows].map(([number, ranges]) => [String(number), rangesText(ranges)]);
    return { ...read, finishMs: roundMs(clock.nowMs()), rows: Object.fromEntries(text) };
  } catch (error) {
    return { ...read, finishMs: roundMs(clock.nowMs()), message: messageOf(error) };
  }
}

/**
 * As `readOnce`, repeated until it succeeds or its time is over. Before the heal there is one attempt,
 * because a read that fails then is an effect of the fault.
 */
async function readBackOnce(
  planned: PlannedWriter,
  reading: Reading,
  { clock, signal }: WritingOptions,
): Promise<RowsRead> {
  const deadline = later(clock.nowMs(), reading.moment === 'end' ? endWithinMs : 0);
  for (;;) {
    const read = await readOnce(planned, reading, clock, signal);
    if (read.rows !== undefined || signal.aborted || clock.nowMs() + pauseMs >= deadline) return read;
    await clock.sleep(pauseMs, signal).catch(() => {});
  }
}

/** Runs a function with a signal that aborts after the timeout, or with `outer`. */
async function withTimeout<T>(
  clock: Clock,
  timeoutMs: DurationMs,
  act: (signal: AbortSignal) => Promise<T>,
  outer?: AbortSignal,
): Promise<T> {
  const limit = limitTime(clock, timeoutMs, new ProbeTimeout(timeoutMs), outer);
  try {
    return await act(limit.signal);
  } finally {
    limit.end();
  }
}
