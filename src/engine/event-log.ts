import { randomBytes } from 'node:crypto';
import { closeSync, fdatasyncSync, fsyncSync, ftruncateSync, openSync, rmSync, unlinkSync } from 'node:fs';
import { roundMs, type Clock } from '../core/clock.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import type { DrillEvent, NewEvent } from '../core/event.ts';
import type { Redactor } from '../core/redact.ts';
import { cannotWrite, writeFully } from './disk.ts';

/**
 * Receives the events of a run as they are logged. If it throws, the error is logged once and the listener is
 * removed.
 */
export type EventListener = (event: DrillEvent) => void;

/** The append-only log of a run. */
export interface EventLog {
  /**
   * Stamps the event with the run clock, appends it, and passes it to the listeners. Never throws, so a log
   * error cannot stop a heal. If the disk rejects the write or the event cannot be serialized, `broken`
   * aborts. The events that end the run then use reserved space.
   */
  append(event: NewEvent): DrillEvent;
  /**
   * Forces all appended events to disk; called before a fault acts. @throws DrillError `harness` if an event
   * is not on disk
   */
  sync(): void;
  /**
   * Aborts with a DrillError `harness` when an event cannot be logged. From then on the run begins nothing
   * new and heals its open faults.
   */
  readonly broken: AbortSignal;
  subscribe(listener: EventListener): () => void;
  /** Frees the reserved space. Never throws: write errors are reported through `broken`. */
  close(): void;
}

/**
 * Event fields with external text: from a command, a server, or a log. firedrill writes all other fields
 * itself.
 */
const externalTextFields = ['message', 'value', 'text', 'reason', 'unmet', 'receipt'] as const;

/**
 * Types of frequent observations. On a full disk they may use only the first half of the reserve. The rest is
 * for the heals and the end of the run.
 */
const seenTypes: ReadonlySet<string> = new Set<DrillEvent['type']>([
  'sample',
  'sample.dropped',
  'mark',
  'row.written',
  'rows.read',
  'prober.health',
  'control.sample',
  'machine.pressure',
]);

/**
 * Enough for some hundreds of events; the end of a run needs about a dozen per fault. After the log is
 * closed, the reports use this space.
 */
const reserveBytes = 256 * 1024;
const blockBytes = 4096;
const newline = 0x0a;

/**
 * Creates `path`, which must not exist, and logs to it. Secrets are redacted here: reports read only the log,
 * and listeners get redacted events. @throws DrillError `harness` if the disk has no room for the log and its
 * reserve; no file is left
 */
export function openEventLog(
  path: string,
  clock: Clock,
  options: { readonly redactor?: Redactor } = {},
): EventLog {
  const file = openLogFile(path);
  const listeners = new Set<EventListener>();
  const put = (event: DrillEvent): void =>
    file.append(`${JSON.stringify(event)}\n`, seenTypes.has(event.type));
  const note = (level: 'warn' | 'error', text: string): void =>
    put({ t: roundMs(clock.nowMs()), type: 'log', level, text });
  return {
    broken: file.broken,
    append(event) {
      const t = roundMs(clock.nowMs());
      let stamped: DrillEvent;
      try {
        stamped = { t, ...redactEvent(event, options.redactor) };
        put(stamped);
      } catch (error) {
        // The event may not be redacted, so nothing of it is written or passed on.
        file.break(
          new DrillError('harness', `cannot log ${event.type}: ${messageOf(error)}`, { cause: error }),
        );
        return { t, ...event };
      }
      for (const listener of listeners) {
        try {
          listener(stamped);
        } catch (error) {
          // A listener that fails gets no more events.
          listeners.delete(listener);
          note('warn', `an event listener failed and gets no more events: ${messageOf(error)}`);
        }
      }
      return stamped;
    },
    sync: () => file.sync(),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      const lost = file.lost();
      if (lost > 0) note('error', `the disk rejected writes: ${lost} events are missing`);
      file.close();
    },
  };
}

/** The event with its secrets redacted. */
function redactEvent(event: NewEvent, redactor: Redactor | undefined): NewEvent {
  if (redactor === undefined) return event;
  const clean = Object.entries(event).flatMap(([key, value]: [string, unknown]) =>
    (externalTextFields as readonly string[]).includes(key) ? [[key, redactor.value(value)] as const] : [],
  );
  return clean.length === 0 ? event : { ...event, ...Object.fromEntries(clean) };
}

/** A file of lines on a disk that may fill up. */
interface LogFile {
  readonly broken: AbortSignal;
  append(line: string, seen: boolean): void;
  /** Aborts `broken`, as a write error does. */
  break(why: DrillError): void;
  /** Number of lines that were not written. */
  lost(): number;
  sync(): void;
  close(): void;
}

/**
 * Appends lines, each completely or not at all. At the first write error, the log releases its reserve.
 * It fills the same space with empty lines at once, so that no other program takes it. Later lines overwrite
 * these empty lines.
 */
function openLogFile(path: string): LogFile {
  const broken = new AbortController();
  const fd = create(path);
  let reserve: number | undefined = withReserve(path, fd);
  /** End of the last complete line, bytes. */
  let end = 0;
  /** After a write error: observations may be written only up to this offset, bytes. */
  let seenUntil = Infinity;
  let lost = 0;

  /**
   * Returns undefined, or the error. After an error the next line overwrites the partial one, or `close` cuts
   * it off.
   */
  const write = (bytes: Uint8Array): unknown => {
    try {
      writeFully(fd, bytes, end);
      end += bytes.length;
      return undefined;
    } catch (error) {
      return error;
    }
  };
  const fail = (error: unknown): void =>
    stop(cannotWrite(path, error, 'run the drill again: the log has all events up to this error'));
  const stop = (why: DrillError): void => {
    if (broken.signal.aborted) return;
    const spare = reserve;
    reserve = undefined;
    if (spare !== undefined) quietly(() => closeSync(spare));
    const blanks = Buffer.alloc(blockBytes, newline);
    let claimed = 0;
    quietly(() => {
      for (; claimed < reserveBytes; claimed += blockBytes) writeFully(fd, blanks, end + claimed);
    });
    seenUntil = end + claimed / 2;
    broken.abort(why);
  };

  return {
    broken: broken.signal,
    break: stop,
    lost: () => lost,
    append(line, seen) {
      const bytes = Buffer.from(line);
      if (!broken.signal.aborted) {
        const error = write(bytes);
        if (error === undefined) return;
        fail(error);
      }
      if ((seen && end + bytes.length > seenUntil) || write(bytes) !== undefined) lost += 1;
      else if (!seen) quietly(() => fdatasyncSync(fd));
    },
    sync() {
      if (!broken.signal.aborted) {
        try {
          fdatasyncSync(fd);
          return;
        } catch (error) {
          fail(error);
        }
      }
      throw broken.signal.reason as Error;
    },
    close() {
      try {
        if (broken.signal.aborted) ftruncateSync(fd, end);
        fdatasyncSync(fd);
      } catch (error) {
        fail(error);
        quietly(() => ftruncateSync(fd, end));
      }
      quietly(() => closeSync(fd));
      const spare = reserve;
      if (spare !== undefined) quietly(() => closeSync(spare));
    },
  };
}

function create(path: string): number {
  try {
    return openSync(path, 'wx');
  } catch (error) {
    throw cannotWrite(path, error, 'start again: nothing was changed');
  }
}

/**
 * Reserves space on the disk of `path` with an open file that has no name. The space is freed when the file
 * is closed or the process is killed. The bytes are random because some file systems compress. Removes
 * `path` and closes `fd` if there is no space.
 */
function withReserve(path: string, fd: number): number {
  const name = `${path}.reserve`;
  let spare: number | undefined;
  try {
    spare = openSync(name, 'wx', 0o600);
    unlinkSync(name);
    writeFully(spare, randomBytes(reserveBytes));
    fsyncSync(spare);
    return spare;
  } catch (error) {
    const open = spare === undefined ? [fd] : [fd, spare];
    for (const one of open) quietly(() => closeSync(one));
    quietly(() => rmSync(path, { force: true }));
    const what = `${path} with ${reserveBytes / 1024} KiB in reserve for the events that end a run`;
    throw cannotWrite(what, error, 'start again: nothing was changed');
  }
}

/** Runs an optional action and ignores its errors. */
function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // The caller does not depend on the result.
  }
}
