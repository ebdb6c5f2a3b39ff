import { randomBytes } from 'node:crypto';
import { closeSync, fdatasyncSync, fsyncSync, ftruncateSync, openSync, rmSync, unlinkSync } from 'node:fs';
import { roundMs, type Clock } from '../core/clock.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import type { DrillEvent, NewEvent } from '../core/event.ts';
import type { Redactor } from '../core/redact.ts';
import { cannotWrite, writeFully } from './disk.ts';

/** Follows the events of a run as they are logged. What it throws is reported once and never harms the drill. */
export type EventListener = (event: DrillEvent) => void;

/** The append-only truth of a run. */
export interface EventLog {
  /**
   * Stamps the event with the run clock, appends it, and tells the listeners. Never throws, so that no heal fails for it: a
   * disk that takes no more, or an event that cannot be serialized, aborts `broken`. What ends the run goes into space that
   * was reserved for it.
   */
  append(event: NewEvent): DrillEvent;
  /** Forces everything appended so far to disk; called before a fault acts. @throws DrillError `harness` when some of it is not there */
  sync(): void;
  /** Aborts, with a DrillError `harness`, when an event is not logged: nothing may be begun then, and what is open is healed. */
  readonly broken: AbortSignal;
  subscribe(listener: EventListener): () => void;
  /** Never throws: `broken` tells what could not be written. What was reserved is free after it. */
  close(): void;
}

/** Fields of events that say what somebody else said: a command, a server, a log. The rest is firedrill's own. */
const toldFields = ['message', 'value', 'text', 'reason', 'unmet', 'receipt'] as const;

/** What is seen all the time. On a full disk it gets the first half of the reserve; the heals and the end get the rest. */
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

/** Some hundreds of events; a run ends with a dozen for each fault. When the log is closed, it is room for the reports. */
const reserveBytes = 256 * 1024;
const blockBytes = 4096;
const newline = 0x0a;

/**
 * Creates `path`, which must not exist, and logs to it. This is where secrets are kept out of runs: all that is known of
 * one is its log, and listeners are told what is in it.
 * @throws DrillError `harness` when the disk has no room for it and its reserve; nothing is left behind
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
        stamped = { t, ...told(event, options.redactor) };
        put(stamped);
      } catch (error) {
        // Nothing of it is written or passed on: it may not be redacted.
        file.break(
          new DrillError('harness', `cannot log ${event.type}: ${messageOf(error)}`, { cause: error }),
        );
        return { t, ...event };
      }
      for (const listener of listeners) {
        try {
          listener(stamped);
        } catch (error) {
          // A listener that fails is dropped: it is told of nothing any more.
          listeners.delete(listener);
          note('warn', `a listener failed and is left out: ${messageOf(error)}`);
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
      if (lost > 0) note('error', `the disk took no more: ${lost} events are missing`);
      file.close();
    },
  };
}

/** The event without what is secret. */
function told(event: NewEvent, redactor: Redactor | undefined): NewEvent {
  if (redactor === undefined) return event;
  const clean = Object.entries(event).flatMap(([key, value]: [string, unknown]) =>
    (toldFields as readonly string[]).includes(key) ? [[key, redactor.value(value)] as const] : [],
  );
  return clean.length === 0 ? event : { ...event, ...Object.fromEntries(clean) };
}

/** Lines on a disk that may fill up. */
interface LogFile {
  readonly broken: AbortSignal;
  append(line: string, seen: boolean): void;
  /** Aborts `broken` as a disk that takes no more does. */
  break(why: DrillError): void;
  /** How many lines were not written. */
  lost(): number;
  sync(): void;
  close(): void;
}

/**
 * Lines are appended, each whole or not at all. With the first that the disk does not take, the reserve is given back and
 * taken for the log at once (empty lines, written over one after another): whoever filled the disk would have it otherwise.
 */
function openLogFile(path: string): LogFile {
  const broken = new AbortController();
  const fd = create(path);
  let reserve: number | undefined = withReserve(path, fd);
  /** Where the last whole line ends. */
  let end = 0;
  /** Once the disk was full: up to here what is seen may go. */
  let seenUntil = Infinity;
  let lost = 0;

  /** Undefined, or why it was not written: then the next line is written over what there is of it, or it is cut off in the end. */
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
    stop(cannotWrite(path, error, 'run it again: what was measured before is safe'));
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
    throw cannotWrite(path, error, 'start again: nothing was touched');
  }
}

/**
 * Room on the disk of `path`, held by an open file without a name: it is free when that is closed, or when this process is
 * killed. Random bytes, since file systems that compress would make nothing of others. Takes `fd`, the log itself, back
 * when there is none.
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
    const what = `${path} with ${reserveBytes / 1024} KiB in reserve, for what ends a run`;
    throw cannotWrite(what, error, 'start again: nothing was touched');
  }
}

/** Does what can be left undone. */
function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // Nothing depends on it.
  }
}
