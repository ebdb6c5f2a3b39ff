import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { roundMs, type Clock } from '../core/clock.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import type { DrillEvent, NewEvent } from '../core/event.ts';

/** Follows the events of a run as they are logged. What it throws is reported once and never harms the drill. */
export type EventListener = (event: DrillEvent) => void;

/** The append-only truth of a run. */
export interface EventLog {
  /** Stamps the event with the run clock, appends it, and tells the listeners. @throws DrillError `harness` when the disk takes no more */
  append(event: NewEvent): DrillEvent;
  /** Forces everything appended so far to disk; called before a fault acts. */
  sync(): void;
  subscribe(listener: EventListener): () => void;
  close(): void;
}

/** Creates `path`, which must not exist unless `exclusive` is false, and logs to it. */
export function openEventLog(path: string, clock: Clock, options: { exclusive?: boolean } = {}): EventLog {
  const fd = openSync(path, options.exclusive === false ? 'a' : 'ax');
  const listeners = new Set<EventListener>();
  return {
    append(event) {
      const stamped = { t: roundMs(clock.nowMs()), ...event } as DrillEvent;
      writeFully(fd, `${JSON.stringify(stamped)}\n`, path);
      for (const listener of listeners) {
        try {
          listener(stamped);
        } catch (error) {
          // A listener that fails is dropped: it is told of nothing any more.
          listeners.delete(listener);
          const text = `a listener failed and is left out: ${messageOf(error)}`;
          writeFully(
            fd,
            `${JSON.stringify({ t: roundMs(clock.nowMs()), type: 'log', level: 'warn', text })}\n`,
            path,
          );
        }
      }
      return stamped;
    },
    sync() {
      fdatasyncSync(fd);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      fdatasyncSync(fd);
      closeSync(fd);
    },
  };
}

/** On a full disk `writeSync` may write a part without throwing: go on until it throws or all is written. */
function writeFully(fd: number, text: string, path: string): void {
  const bytes = Buffer.from(text);
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(fd, bytes, written);
  } catch (error) {
    throw new DrillError('harness', `cannot append to ${path}: ${messageOf(error)}`, {
      cause: error,
      mend: 'Free some disk space; what was measured before is safe.',
    });
  }
}
