import type { DrillEvent } from '../core/event.ts';
import type { FailCause, Phases, Sample } from '../core/sample.ts';

type SampleEvent = Extract<DrillEvent, { type: 'sample' }>;

/**
 * ASCII text as doubles of eight bytes each, at two offsets that cover it. Different texts give
 * different doubles.
 */
interface Literal {
  readonly length: number;
  readonly first: number;
  readonly lastAt: number;
  readonly last: number;
}

/** The literal of a text of 8 to 16 characters. */
function literal(text: string): Literal {
  const { length } = text;
  const view = new DataView(new TextEncoder().encode(text).buffer);
  const lastAt = length - 8;
  return { length, first: view.getFloat64(0, true), lastAt, last: view.getFloat64(lastAt, true) };
}

/** The texts between the values of a sample's line, as `JSON.stringify` writes them. */
const lit = {
  type: literal(',"type":"sample'),
  probe: literal('","probe":"'),
  slot: literal('","slot":'),
  due: literal(',"dueMs":'),
  send: literal(',"sendMs":'),
  finish: literal(',"finishMs":'),
  stall: literal(',"stallMs":'),
  status: literal(',"status":"'),
  cause: literal(',"cause":"'),
  value: literal(',"value":"'),
  message: literal(',"message":"'),
  phases: literal(',"phases":{'),
  connect: literal('"connectMs":'),
  firstByte: literal('"firstByteMs":'),
} as const;

/**
 * Most digits of a number that a double holds exactly. One division then gives the same result as a
 * decimal parser.
 */
const exactDigits = 15;
/** Most digits before or after the decimal point that fit into a 32-bit integer. */
const partDigits = 9;
/** Cached texts, for reuse by the next lines; a power of two. */
const keptTexts = 256;
const maxKeptBytes = 256;

const powers = Array.from({ length: partDigits + 1 }, (_, digits) => 10 ** digits);

const eight = (text: string) => literal(text).first;
const tlsMs = eight('"tlsMs":');
const unknownQuote = eight('unknown"');
/** Little-endian `{"t"`, `fail`, `ok"`. */
const opening = 0x22_74_22_7b;
const fail = 0x6c_69_61_66;
const okQuote = 0x22_6b_6f;

const quote = 0x22;
const zero = 0x30;
const colon = 0x3a;
const comma = 0x2c;
const dot = 0x2e;
const backslash = 0x5c;
const closing = 0x7d;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Bytes that contain lines. `bytes[length]` is 0, and a few bytes after it may be read. */
export interface LineBytes {
  readonly bytes: Uint8Array;
  /** A view of the same bytes. */
  readonly view: DataView;
}

function isAt(view: DataView, at: number, { first, lastAt, last }: Literal): boolean {
  return view.getFloat64(at, true) === first && view.getFloat64(at + lastAt, true) === last;
}

/** Indexes of a line's numbers. */
const place = {
  t: 0,
  slot: 1,
  due: 2,
  send: 3,
  finish: 4,
  stall: 5,
  connect: 6,
  tls: 7,
  firstByte: 8,
} as const;

/**
 * Reads a number without sign and exponent into `numbers[to]`; returns the offset of its end, or -1. Both parts are read as
 * 32-bit integers, which is several times faster than doubles.
 */
function readNumber(bytes: Uint8Array, at: number, numbers: Float64Array, to: number): number {
  let p = at;
  let digit = bytes[p]! - 0x30;
  let whole = 0;
  while (digit >= 0 && digit <= 9) {
    whole = (Math.imul(whole, 10) + digit) | 0;
    digit = bytes[++p]! - 0x30;
  }
  const wholeDigits = p - at;
  if (wholeDigits === 0 || wholeDigits > partDigits) return -1;
  if (wholeDigits > 1 && bytes[at] === zero) return -1;
  if (bytes[p] !== dot) {
    numbers[to] = whole;
    return p;
  }
  digit = bytes[++p]! - 0x30;
  const first = p;
  let fraction = 0;
  while (digit >= 0 && digit <= 9) {
    fraction = (Math.imul(fraction, 10) + digit) | 0;
    digit = bytes[++p]! - 0x30;
  }
  const digits = p - first;
  if (digits === 0 || digits > partDigits || digits + wholeDigits > exactDigits) return -1;
  const power = powers[digits]!;
  numbers[to] = (whole * power + fraction) / power;
  return p;
}

/**
 * One sample of an event log, read from its line's bytes without creating objects. The same object is reused for each line:
 * copy what you keep.
 */
export class SampleLine {
  readonly #numbers = new Float64Array(9);
  probe = '';
  status: Sample['status'] = 'ok';
  cause: FailCause | undefined;
  value: string | undefined;
  #message: string | undefined;
  #phases: Phases | undefined;
  /**
   * For a line read from bytes: the offsets of its message (0, 0: none), and whether it has phases (NaN:
   * not reached).
   */
  #bytes: Uint8Array | undefined;
  #messageFrom = 0;
  #messageTo = 0;
  #hasPhases = false;
  /** The last text read. */
  #text = '';
  readonly #kept: ({ readonly bytes: Uint8Array; readonly text: string } | undefined)[] = Array.from(
    { length: keptTexts },
    () => undefined,
  );

  get t(): number {
    return this.#numbers[place.t]!;
  }

  get slot(): number {
    return this.#numbers[place.slot]!;
  }

  get dueMs(): number {
    return this.#numbers[place.due]!;
  }

  get sendMs(): number {
    return this.#numbers[place.send]!;
  }

  get finishMs(): number {
    return this.#numbers[place.finish]!;
  }

  /** 0 if the prober did not stall. */
  get stallMs(): number {
    return this.#numbers[place.stall]!;
  }

  get message(): string | undefined {
    if (this.#bytes === undefined) return this.#message;
    return this.#messageTo === 0
      ? undefined
      : decoder.decode(this.#bytes.subarray(this.#messageFrom, this.#messageTo));
  }

  get phases(): Phases | undefined {
    if (this.#bytes === undefined) return this.#phases;
    if (!this.#hasPhases) return undefined;
    const [connectMs, tlsMs, firstByteMs] = this.#numbers.subarray(place.connect);
    return Object.fromEntries(
      Object.entries({ connectMs, tlsMs, firstByteMs }).filter(([, ms]) => !Number.isNaN(ms)),
    );
  }

  /** Fills in a sample that was parsed as JSON. */
  fill(event: SampleEvent): void {
    const { t, slot, dueMs, sendMs, finishMs, stallMs = 0 } = event;
    this.#numbers.set([t, slot, dueMs, sendMs, finishMs, stallMs]);
    this.probe = event.probe;
    this.status = event.status;
    this.cause = event.cause;
    this.value = event.value;
    this.#message = event.message;
    this.#phases = event.phases;
    this.#bytes = undefined;
  }

  /**
   * Reads the sample at offset `at`. Returns the offset after its closing brace, or -1 if the line needs a JSON parser: its keys
   * are not in the engine's order, or it has strings with escapes or other numbers.
   */
  read(source: LineBytes, at: number): number {
    const { bytes, view } = source;
    const numbers = this.#numbers;
    if (view.getInt32(at, true) !== opening || bytes[at + 4] !== colon) return -1;
    let p = readNumber(bytes, at + 5, numbers, place.t);
    if (p < 0 || !isAt(view, p, lit.type) || !isAt(view, p + lit.type.length, lit.probe)) return -1;
    if ((p = this.#readText(bytes, p + lit.type.length + lit.probe.length)) < 0) return -1;
    this.probe = this.#text;
    if (!isAt(view, p, lit.slot)) return -1;
    p = readNumber(bytes, p + lit.slot.length, numbers, place.slot);
    if (p < 0 || !Number.isInteger(numbers[place.slot]) || !isAt(view, p, lit.due)) return -1;
    p = readNumber(bytes, p + lit.due.length, numbers, place.due);
    if (p < 0 || !isAt(view, p, lit.send)) return -1;
    p = readNumber(bytes, p + lit.send.length, numbers, place.send);
    if (p < 0 || !isAt(view, p, lit.finish)) return -1;
    p = readNumber(bytes, p + lit.finish.length, numbers, place.finish);
    if (p < 0) return -1;
    numbers[place.stall] = 0;
    if (isAt(view, p, lit.stall) && (p = readNumber(bytes, p + lit.stall.length, numbers, place.stall)) < 0)
      return -1;
    if (!isAt(view, p, lit.status)) return -1;
    if ((p = this.#readStatus(source, p + lit.status.length)) < 0) return -1;
    this.#bytes = bytes;
    this.#messageTo = 0;
    this.#hasPhases = false;
    this.cause = undefined;
    this.value = undefined;
    return bytes[p] === closing ? p + 1 : this.#readRest(source, p);
  }

  /** Reads the status and the quote after it. */
  #readStatus(source: LineBytes, at: number): number {
    const { bytes, view } = source;
    const four = view.getInt32(at, true);
    if ((four & 0xffffff) === okQuote) {
      this.status = 'ok';
      return at + 3;
    }
    if (four === fail && bytes[at + 4] === quote) {
      this.status = 'fail';
      return at + 5;
    }
    if (view.getFloat64(at, true) !== unknownQuote) return -1;
    this.status = 'unknown';
    return at + 8;
  }

  /** Reads the optional fields and the closing brace. */
  #readRest(source: LineBytes, at: number): number {
    const { bytes, view } = source;
    let p = at;
    if (isAt(view, p, lit.cause)) {
      if ((p = this.#readText(bytes, p + lit.cause.length)) < 0) return -1;
      // A cause of a newer version is kept as it is.
      this.cause = this.#text as FailCause;
      p++;
    }
    if (isAt(view, p, lit.value)) {
      if ((p = this.#readText(bytes, p + lit.value.length)) < 0) return -1;
      this.value = this.#text;
      p++;
    }
    if (isAt(view, p, lit.message)) {
      this.#messageFrom = p + lit.message.length;
      if ((p = endOfText(bytes, this.#messageFrom)) < 0) return -1;
      this.#messageTo = p;
      p++;
    }
    if (isAt(view, p, lit.phases)) {
      this.#hasPhases = true;
      if ((p = this.#readPhases(source, p + lit.phases.length)) < 0) return -1;
    }
    return bytes[p] === closing ? p + 1 : -1;
  }

  /** Reads the phases that were reached, in order, and the closing brace. */
  #readPhases(source: LineBytes, at: number): number {
    const { bytes, view } = source;
    const numbers = this.#numbers;
    numbers[place.connect] = numbers[place.tls] = numbers[place.firstByte] = NaN;
    let p = at;
    if (bytes[p] === closing) return p + 1;
    if (isAt(view, p, lit.connect)) {
      if ((p = readNumber(bytes, p + lit.connect.length, numbers, place.connect)) < 0) return -1;
      if (bytes[p] === closing) return p + 1;
      if (bytes[p++] !== comma) return -1;
    }
    if (view.getFloat64(p, true) === tlsMs) {
      if ((p = readNumber(bytes, p + 8, numbers, place.tls)) < 0) return -1;
      if (bytes[p] === closing) return p + 1;
      if (bytes[p++] !== comma) return -1;
    }
    if (!isAt(view, p, lit.firstByte)) return -1;
    if ((p = readNumber(bytes, p + lit.firstByte.length, numbers, place.firstByte)) < 0) return -1;
    return bytes[p] === closing ? p + 1 : -1;
  }

  /** Reads a text up to its closing quote; returns the quote's offset, or -1 if the text has escapes. */
  #readText(bytes: Uint8Array, at: number): number {
    let p = at;
    let hash = 0;
    for (;;) {
      const byte = bytes[p]!;
      if (byte === quote) break;
      if (byte < 0x20 || byte === backslash) return -1;
      hash = (Math.imul(hash, 31) + byte) | 0;
      p++;
    }
    this.#text = this.#shared(bytes, at, p, hash);
    return p;
  }

  /** The text between two offsets. The same bytes give the same string while it is cached. */
  #shared(bytes: Uint8Array, from: number, to: number, hash: number): string {
    const slot = (hash ^ (hash >>> 8) ^ (hash >>> 16)) & (keptTexts - 1);
    const kept = this.#kept[slot];
    if (kept !== undefined && isSame(kept.bytes, bytes, from, to)) return kept.text;
    const text = decoder.decode(bytes.subarray(from, to));
    if (to - from <= maxKeptBytes) this.#kept[slot] = { bytes: bytes.slice(from, to), text };
    return text;
  }
}

function endOfText(bytes: Uint8Array, at: number): number {
  let p = at;
  for (;;) {
    const byte = bytes[p]!;
    if (byte === quote) return p;
    if (byte < 0x20 || byte === backslash) return -1;
    p++;
  }
}

function isSame(known: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (known.length !== to - from) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[from + i]) return false;
  return true;
}
