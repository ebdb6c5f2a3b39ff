import { messageOf } from '../core/errors.ts';
import type { DrillEvent, EventOf } from '../core/event.ts';
import { badLine, InvalidEvent, validateEvent } from './log-event.ts';
import { upgradeEvent } from './upgrade-event.ts';

export type SampleEvent = EventOf<'sample'>;
export type OtherEvent = Exclude<DrillEvent, SampleEvent>;

/** Receives a log's events one by one, in order. It throws InvalidEvent for an event that does not fit to the ones before. */
export interface LogSink {
  sample(sample: SampleEvent): void;
  event(event: OtherEvent): void;
}

/** Longest valid line, characters. A line of more characters has more bytes, too. */
const maxLineLength = 64 * 1024 * 1024;

/**
 * Scans an event log in pieces of any size and passes its events to a sink: `push` each piece, then `end` once. It stores at
 * most a piece and a line.
 */
export class LogScanner {
  readonly #sink: LogSink;
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  /** The text after the last newline. */
  #rest = '';
  /** Lines read so far. */
  #lineNumber = 0;
  #unreadable: { readonly line: number; readonly why: string } | undefined;

  constructor(sink: LogSink) {
    this.#sink = sink;
  }

  /**
   * Scans the next piece. Throws DrillError `invalid-input` with the line's number if a line is not a valid event. A line that is
   * not JSON is an error only if another line follows: a killed run leaves an incomplete last line.
   */
  push(piece: Uint8Array): void {
    const text = this.#decoder.decode(piece, { stream: true });
    let from = 0;
    for (let end = 0; (end = text.indexOf('\n', from)) >= 0; from = end + 1) {
      this.#parse(this.#rest + text.slice(from, end));
      this.#rest = '';
    }
    this.#rest += text.slice(from);
    refuseLong(this.#rest, this.#lineNumber + 1);
  }

  /** Scans the text after the last newline. Returns whether the last line was incomplete and ignored. */
  end(): { readonly torn: boolean } {
    this.#parse(this.#rest + this.#decoder.decode());
    return { torn: this.#unreadable !== undefined };
  }

  #parse(text: string): void {
    this.#lineNumber++;
    refuseLong(text, this.#lineNumber);
    if (text.trim() === '') return;
    if (this.#unreadable !== undefined) throw badLine(this.#unreadable.line, this.#unreadable.why);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      this.#unreadable = { line: this.#lineNumber, why: messageOf(error) };
      return;
    }
    const upgraded = upgradeEvent(value);
    const wrong = validateEvent(upgraded);
    if (wrong !== undefined) throw badLine(this.#lineNumber, wrong);
    this.#pass(upgraded as DrillEvent);
  }

  #pass(event: DrillEvent): void {
    try {
      if (event.type === 'sample') this.#sink.sample(event);
      else this.#sink.event(event);
    } catch (error) {
      throw error instanceof InvalidEvent ? badLine(this.#lineNumber, error.message) : error;
    }
  }
}

function refuseLong({ length }: string, line: number): void {
  if (length > maxLineLength) throw badLine(line, `it is longer than ${maxLineLength / 1024 / 1024} MiB`);
}
