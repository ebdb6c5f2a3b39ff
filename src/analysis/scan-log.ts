import { messageOf } from '../core/errors.ts';
import type { DrillEvent } from '../core/event.ts';
import { badLine, validateEvent } from './log-event.ts';
import { SampleLine } from './sample-line.ts';
import { upgradeEvent } from './upgrade-event.ts';

/** Any event but a sample. */
export type OtherEvent = Exclude<DrillEvent, { type: 'sample' }>;

/** Receives a log's events one by one, in order. */
export interface LogSink {
  /** The object is reused for each sample: copy what you keep. */
  sample(line: SampleLine): void;
  event(event: OtherEvent): void;
}

/** Longest valid line. */
const maxLineBytes = 64 * 1024 * 1024;
/** Spare bytes after the content, for reads beyond a line's end. */
const spareBytes = 64;
const newline = 0x0a;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Scans an event log in pieces of any size and passes its events to a sink: `push` each piece, then `end` once. It stores at
 * most a piece and a line. Samples in the engine's format are read from their bytes; any other line is parsed as JSON, with
 * the same result.
 */
export class LogScanner {
  readonly #sink: LogSink;
  readonly #line = new SampleLine();
  #bytes = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  /** The remaining bytes have no newline before this offset. */
  #searched = 0;
  #lineNumber = 0;
  #unreadable: { readonly line: number; readonly why: string } | undefined;

  constructor(sink: LogSink) {
    this.#sink = sink;
  }

  /** The number of the line whose event is passed to the sink, from 1. */
  get lineNumber(): number {
    return this.#lineNumber;
  }

  /**
   * Scans the next piece. Throws DrillError `invalid-input` with the line's number if a line is not a valid event. A line that is
   * not JSON is an error only if another line follows: a killed run leaves an incomplete last line.
   */
  push(piece: Uint8Array): void {
    this.#append(piece);
    const source = { bytes: this.#bytes, view: this.#view };
    let at = 0;
    while (at < this.#length) {
      const end = this.#unreadable === undefined ? this.#line.read(source, at) : -1;
      if (end > 0 && this.#bytes[end] === newline) {
        this.#lineNumber++;
        this.#sink.sample(this.#line);
        at = end + 1;
        continue;
      }
      const next = this.#bytes.indexOf(newline, Math.max(at, this.#searched));
      if (next < 0 || next >= this.#length) break;
      this.#parse(at, next);
      at = next + 1;
    }
    this.#bytes.copyWithin(0, at, this.#length);
    this.#length -= at;
    this.#searched = this.#length;
    refuseLong(this.#length, this.#lineNumber + 1);
  }

  /** Scans the text after the last newline. Returns whether the last line was incomplete and ignored. */
  end(): { readonly torn: boolean } {
    if (this.#length > 0) this.#parse(0, this.#length);
    this.#length = 0;
    return { torn: this.#unreadable !== undefined };
  }

  #append(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (this.#bytes.length < length + spareBytes) {
      const grown = new Uint8Array(Math.max(2 * this.#length, length) + spareBytes);
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#bytes.set(piece, this.#length);
    // A zero ends every text and number that is read from bytes.
    this.#bytes[length] = 0;
    this.#length = length;
  }

  #parse(from: number, to: number): void {
    this.#lineNumber++;
    refuseLong(to - from, this.#lineNumber);
    const text = decoder.decode(this.#bytes.subarray(from, to));
    if (text.trim() === '') return;
    if (this.#unreadable !== undefined) throw badLine(this.#unreadable.line, this.#unreadable.why);
    let value: unknown;
    try {
      value = upgradeEvent(JSON.parse(text));
    } catch (error) {
      this.#unreadable = { line: this.#lineNumber, why: messageOf(error) };
      return;
    }
    const wrong = validateEvent(value);
    if (wrong !== undefined) throw badLine(this.#lineNumber, wrong);
    const event = value as DrillEvent;
    if (event.type !== 'sample') {
      this.#sink.event(event);
      return;
    }
    this.#line.fill(event);
    this.#sink.sample(this.#line);
  }
}

function refuseLong(lengthBytes: number, line: number): void {
  if (lengthBytes > maxLineBytes) throw badLine(line, `it is longer than ${maxLineBytes / 1024 / 1024} MiB`);
}
