import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { DrillError } from '../core/errors.ts';
import type { Sample } from '../core/sample.ts';
import { LogScanner } from './scan-log.ts';
import { seeded } from './testing/log-builder.ts';

const encoder = new TextEncoder();

/** The events of a log in order, then its end or its error. */
function scanned(log: Uint8Array, pieceBytes = log.length): readonly unknown[] {
  const reported: unknown[] = [];
  const scanner = new LogScanner({
    sample: (s) => {
      const { t, probe, slot, dueMs, sendMs, finishMs, stallMs } = s;
      const { status, cause, value, message, phases } = s;
      const line = scanner.lineNumber;
      reported.push({ line, t, probe, slot, dueMs, sendMs, finishMs, stallMs });
      reported.push({ status, cause, value, message, phases });
    },
    event: (event) => reported.push({ line: scanner.lineNumber, event }),
  });
  try {
    for (let at = 0; at < log.length; at += pieceBytes) scanner.push(log.subarray(at, at + pieceBytes));
    reported.push(scanner.end());
  } catch (error) {
    if (!(error instanceof DrillError)) throw error;
    // The JSON parser quotes the line, which has an extra blank.
    reported.push(
      error.message.includes('JSON') ? error.message.replace(/(line \d+): .*/, '$1') : error.message,
    );
  }
  return reported;
}

/** The same log with a blank in each line, so that every line is parsed as JSON. */
function throughJson(log: Uint8Array): Uint8Array {
  const out: number[] = [];
  let first = true;
  for (const byte of log) {
    out.push(byte);
    if (first && byte === 0x7b) out.push(0x20);
    first = byte === 0x0a;
  }
  return Uint8Array.from(out);
}

type Random = () => number;
const pick = <T>(random: Random, of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
const texts = [
  'primary',
  'standby',
  '',
  'a "quoted" word',
  'back\\slash',
  'Zürich ✓ 🚒',
  'tab\tnewline\n',
  'é',
];
const numbers = [0, 1, 0.001, 7.5, 1e-7, 123_456_789.123, 99_999_999_999.125, 999_999_999.999_999, 0.1 + 0.2];

/** Spellings of numbers, valid and invalid in JSON. */
const spellings =
  '0 0.5 1.50 999999999.999999 874716762.620265034 1234567890 0.1234567891 9007199254740993 1e3 1E-2 -1 -0 01 00.5 1. .5 1.2.3 5x'.split(
    ' ',
  );

/** A sample with the keys in the engine's order. */
function sampleOf(random: Random): Readonly<Record<string, unknown>> {
  const ms = () =>
    random() < 0.05 ? pick(random, numbers) : Math.round(random() * 1e10) / pick(random, [1, 10, 1000]);
  const maybe = (share: number, entry: object) => (random() < share ? entry : {});
  const status = pick<Sample['status']>(random, ['ok', 'fail', 'unknown']);
  return {
    t: ms(),
    type: 'sample',
    probe: pick(random, ['health', 'pg-role@node-1', 'pg-role@node-2', 'prüfer']),
    slot: Math.floor(random() * 1e6),
    dueMs: ms(),
    sendMs: ms(),
    finishMs: ms(),
    ...maybe(0.2, { stallMs: ms() }),
    status,
    ...(status === 'fail' ? { cause: pick(random, ['timeout', 'http-5xx', 'of-tomorrow']) } : {}),
    ...maybe(0.4, { value: pick(random, texts) }),
    ...maybe(0.3, { message: pick(random, texts) }),
    ...maybe(0.5, {
      phases: {
        ...maybe(0.7, { connectMs: ms() }),
        ...maybe(0.3, { tlsMs: ms() }),
        ...maybe(0.7, { firstByteMs: ms() }),
      },
    }),
  };
}

const others = [
  '{"t":4,"type":"mark","probe":"health","name":"up","atMs":3,"text":"x"}',
  '{"t":4,"type":"sample.dropped","probe":"health","slot":4,"dueMs":3}',
  '{"t":4,"type":"of.tomorrow"}',
  '',
  '  \r',
];

function logOf(random: Random, lines: number): string {
  const line = () => (random() < 0.1 ? pick(random, others) : JSON.stringify(sampleOf(random)));
  return Array.from({ length: lines }, line).join('\n') + (random() < 0.8 ? '\n' : '');
}

/** The log with some bytes changed, inserted, deleted, or cut off. */
function mutated(random: Random, log: Uint8Array): Uint8Array {
  const bytes = [...log];
  for (let i = 0; i < 1 + random() * 3; i++) {
    const at = Math.floor(random() * bytes.length);
    const any = [0, 0x0a, 0x0d, 0x20, 0x22, 0x2c, 0x2d, 0x2e, 0x30, 0x39, 0x5c, 0x65, 0x7d, 0xc3, 0xff];
    const kind = random();
    if (kind < 0.5) bytes[at] = pick(random, any);
    else if (kind < 0.7) bytes.splice(at, 0, pick(random, any));
    else if (kind < 0.9) bytes.splice(at, 1 + Math.floor(random() * 12));
    else bytes.length = at;
  }
  return Uint8Array.from(bytes);
}

afterEach(() => vi.restoreAllMocks());

describe('a log read from its bytes', () => {
  test('gives the same result as a JSON parser, for 300 generated logs in pieces of any size', () => {
    const random = seeded(1);
    for (let i = 0; i < 300; i++) {
      const log = encoder.encode(logOf(random, 30));
      const expected = scanned(throughJson(log));
      expect(expected.length).toBeGreaterThan(10);
      expect(scanned(log)).toEqual(expected);
      expect(scanned(log, 1 + Math.floor(random() * 200))).toEqual(expected);
    }
  });

  test('and for 3000 damaged ones', () => {
    const random = seeded(2);
    let refused = 0;
    for (let i = 0; i < 3000; i++) {
      const log = mutated(random, encoder.encode(logOf(random, 6)));
      const expected = scanned(throughJson(log));
      if (typeof expected.at(-1) === 'string') refused++;
      expect(scanned(log, 1 + Math.floor(random() * 300))).toEqual(expected);
    }
    expect(refused).toBeGreaterThan(500);
  });

  test.each(spellings)('with a number spelled "%s" in any place', (number) => {
    const line =
      '{"t":1,"type":"sample","probe":"p","slot":1,"dueMs":1,"sendMs":1,"finishMs":1,"stallMs":1,"status":"ok","phases":{"connectMs":1,"firstByteMs":1}}';
    for (const place of line.matchAll(/:1/g)) {
      const changed = `${line.slice(0, place.index)}:${number}${line.slice(place.index + 2)}`;
      const log = encoder.encode(`${changed}\n{}`);
      expect(scanned(log)).toEqual(scanned(throughJson(log)));
    }
  });

  test('reads no sample of the engine with the JSON parser', () => {
    const log = readFileSync('reports/example-certlocker/events.ndjson');
    const lines = log.toString().trimEnd().split('\n');
    const samples = lines.filter((line) => line.includes('"type":"sample",'));
    const escaped = samples.filter((line) => line.includes('\\'));
    expect(samples.length).toBeGreaterThan(500);
    const parse = vi.spyOn(JSON, 'parse');
    const reported = scanned(log);
    expect(parse).toHaveBeenCalledTimes(lines.length - samples.length + escaped.length);
    vi.restoreAllMocks();
    expect(reported).toEqual(scanned(throughJson(log)));
  });

  test('may end at any byte of its last line', () => {
    const log = encoder.encode(
      `${JSON.stringify(sampleOf(seeded(3)))}\n${JSON.stringify(sampleOf(seeded(4)))}`,
    );
    const first = log.indexOf(0x0a);
    for (let cut = first + 2; cut < log.length; cut++)
      expect(scanned(log.subarray(0, cut), 50)).toEqual([
        expect.anything(),
        expect.anything(),
        { torn: true },
      ]);
    expect(scanned(log, 50)).toEqual([
      ...Array.from({ length: 4 }, () => expect.anything() as unknown),
      { torn: false },
    ]);
  });

  test('with an endless line is refused by its number', () => {
    const piece = new Uint8Array(1024 * 1024).fill(0x20);
    const scanner = new LogScanner({ sample: () => undefined, event: () => undefined });
    scanner.push(encoder.encode('{"t":1,"type":"run.ended"}\n'));
    expect(() => {
      for (let i = 0; i < 70; i++) scanner.push(piece);
    }).toThrow('damaged at line 2: it is longer than 64 MiB');
  });
});
