import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { roundMs, type Clock } from '../core/clock.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import type { DrillEvent, NewEvent } from '../core/event.ts';
import type { Redactor } from '../core/redact.ts';

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

/** Fields of events that say what somebody else said: a command, a server, a log. The rest is firedrill's own. */
const toldFields = ['message', 'value', 'text', 'reason', 'unmet', 'receipt'] as const;

/**
 * Creates `path`, which must not exist unless `exclusive` is false, and logs to it. This is where secrets are kept out of
 * runs: all that is known of one is its log, and listeners are told what is in it.
 */
export function openEventLog(
  path: string,
  clock: Clock,
  options: { readonly exclusive?: boolean; readonly redactor?: Redactor } = {},
): EventLog {
  const fd = openSync(path, options.exclusive === false ? 'a' : 'ax');
  const listeners = new Set<EventListener>();
  return {
    append(event) {
      const stamped = { t: roundMs(clock.nowMs()), ...told(event, options.redactor) } as DrillEvent;
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

/** The event without what is secret. */
function told(event: NewEvent, redactor: Redactor | undefined): NewEvent {
  if (redactor === undefined) return event;
  const clean = Object.entries(event).flatMap(([key, value]: [string, unknown]) =>
    (toldFields as readonly string[]).includes(key) ? [[key, redactor.value(value)] as const] : [],
  );
  return clean.length === 0 ? event : { ...event, ...Object.fromEntries(clean) };
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
