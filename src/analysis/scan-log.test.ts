import { describe, expect, test } from 'vitest';
import { DrillError } from '../core/errors.ts';
import type { Sample } from '../core/sample.ts';
import { InvalidEvent } from './log-event.ts';
import { LogScanner } from './scan-log.ts';
import { seeded } from './testing/log-builder.ts';

const encoder = new TextEncoder();

/** The events of a log in order, then its end or its error. */
function scanned(log: Uint8Array, pieceBytes = log.length): readonly unknown[] {
  const reported: unknown[] = [];
  const scanner = new LogScanner({
    sample: (sample) => reported.push({ sample }),
    event: (event) => reported.push({ event }),
  });
  try {
    for (let at = 0; at < log.length; at += pieceBytes) scanner.push(log.subarray(at, at + pieceBytes));
    reported.push(scanner.end());
  } catch (error) {
    if (!(error instanceof DrillError)) throw error;
    reported.push(error.message);
  }
  return reported;
}

/** The same from the whole text of a valid log. */
function parsed(log: string): readonly unknown[] {
  const events = log.split('\n').flatMap((text) => {
    if (text.trim() === '') return [];
    const value = JSON.parse(text) as { readonly type: string };
    return [{ [value.type === 'sample' ? 'sample' : 'event']: value }];
  });
  return [...events, { torn: false }];
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
/** A sample as the engine writes it. */
function sampleOf(random: Random): Readonly<Record<string, unknown>> {
  const sendMs = Math.round(random() * 1e10) / pick(random, [1, 10, 1000]);
  const ms = () => Math.round(random() * 1e6) / 1000;
  const maybe = (share: number, entry: object) => (random() < share ? entry : {});
  const status = pick<Sample['status']>(random, ['ok', 'fail', 'unknown']);
  return {
    t: sendMs,
    type: 'sample',
    probe: pick(random, ['health', 'pg-role@node-1', 'pg-role@node-2', 'prüfer']),
    slot: Math.floor(random() * 1e6),
    dueMs: sendMs,
    sendMs,
    finishMs: sendMs + ms(),
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

describe('a log', () => {
  test('gives the events of its lines, in pieces of any size', () => {
    const random = seeded(1);
    for (let i = 0; i < 300; i++) {
      const log = logOf(random, 30);
      const expected = parsed(log);
      expect(expected.length).toBeGreaterThan(10);
      expect(scanned(encoder.encode(log))).toEqual(expected);
      expect(scanned(encoder.encode(log), 1 + Math.floor(random() * 200))).toEqual(expected);
    }
  });

  test('that is damaged gives the same error in pieces of any size', () => {
    const random = seeded(2);
    let refused = 0;
    for (let i = 0; i < 1000; i++) {
      const log = mutated(random, encoder.encode(logOf(random, 6)));
      const expected = scanned(log);
      if (typeof expected.at(-1) === 'string') refused++;
      expect(scanned(log, 1 + Math.floor(random() * 300))).toEqual(expected);
    }
    expect(refused).toBeGreaterThan(200);
  });

  test('may end at any byte of its last line', () => {
    const log = encoder.encode(
      `${JSON.stringify(sampleOf(seeded(3)))}\n${JSON.stringify(sampleOf(seeded(4)))}`,
    );
    const first = log.indexOf(0x0a);
    for (let cut = first + 2; cut < log.length; cut++)
      expect(scanned(log.subarray(0, cut), 50)).toEqual([expect.anything(), { torn: true }]);
    expect(scanned(log, 50)).toEqual([expect.anything(), expect.anything(), { torn: false }]);
  });

  test('names the line of an event that its receiver refuses', () => {
    const scanner = new LogScanner({
      sample: () => undefined,
      event: ({ t }) => {
        if (t === 3) throw new InvalidEvent('not now');
      },
    });
    const line = (t: number) => `${JSON.stringify({ t, type: 'run.ended' })}\n`;
    scanner.push(encoder.encode(`${line(1)}\n${line(2)}`));
    expect(() => scanner.push(encoder.encode(line(3)))).toThrow('damaged at line 4: not now');
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
