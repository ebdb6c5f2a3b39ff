import { describe, expect, test } from 'vitest';
import type { Look } from './looks.ts';
import { outagesIn } from './outages.ts';

const good = (sentMs: number, tookMs = 10): Look => ({
  outcome: 'good',
  sentMs,
  answerFromMs: sentMs + 2,
  answerToMs: sentMs + tookMs,
});
/** Refused or broken off. */
const bad = (sentMs: number, tookMs = 1): Look => ({
  outcome: 'bad',
  sentMs,
  downMs: sentMs + tookMs,
  badMs: sentMs + tookMs,
});
const timedOut = (sentMs: number): Look => ({
  outcome: 'bad',
  sentMs,
  downMs: sentMs,
  badMs: sentMs + 900,
});
/** A good answer at a moment, to what was asked long before. */
const held = (sentMs: number, answerMs: number): Look => ({
  outcome: 'good',
  sentMs,
  answerFromMs: answerMs,
  answerToMs: answerMs + 1,
});

describe('outages', () => {
  test('last from the last packet of a good answer to the first packet of the next one', () => {
    expect(outagesIn([good(0), good(100), bad(200), bad(300), good(400), good(500)])).toEqual([
      { fromMs: 110, downByMs: 201, toMs: 402, answerTookMs: 2, firstBadMs: 200, lastBadMs: 300 },
    ]);
  });

  test('end with the earliest good answer, though to a look that was sent later', () => {
    expect(outagesIn([good(0), bad(200), held(300, 480), good(400), good(500)])).toMatchObject([
      { toMs: 402 },
    ]);
    // Of looks that were held up, too.
    const released = [held(300, 902), held(400, 901), good(950)];
    expect(outagesIn([good(0), good(100), timedOut(200), ...released])).toMatchObject([
      { toMs: 901, answerTookMs: 501 },
    ]);
  });

  test('are divided by an answer that was held up where it came, not where it was asked for', () => {
    const looks = [good(0), held(100, 936), timedOut(200), timedOut(300), timedOut(950), good(1100)];
    expect(outagesIn(looks)).toEqual([
      { fromMs: 10, downByMs: 200, toMs: 936, answerTookMs: 836, firstBadMs: 200, lastBadMs: 300 },
      { fromMs: 937, downByMs: 950, toMs: 1102, answerTookMs: 2, firstBadMs: 950, lastBadMs: 950 },
    ]);
    // It came after the outage: nothing shows that the server was up when it was asked for it.
    expect(outagesIn([good(0), bad(200), held(300, 480), bad(350), good(400)])).toMatchObject([
      { fromMs: 10, toMs: 402, firstBadMs: 200, lastBadMs: 350 },
    ]);
  });

  test('tell by the other answers of the capture what was held up', () => {
    const slowService = [0, 200, 400, 600].map((sentMs) => held(sentMs, sentMs + 180));
    // Not held up: all answers take as long. What was asked before the refusal was taken on before it.
    expect(outagesIn([...slowService, held(800, 980), bad(900), bad(1000), held(1100, 1280)])).toMatchObject([
      { fromMs: 901, toMs: 1280 },
    ]);
  });

  test('end with an answer to what had been asked before, where the last bad look was over by then', () => {
    const waiting: Look = { outcome: 'good', sentMs: 300, answerFromMs: 330, answerToMs: 331 };
    const late: Look = { outcome: 'good', sentMs: 350, answerFromMs: 380, answerToMs: 381 };
    expect(outagesIn([good(0), bad(200), waiting, bad(310, 5), late])).toMatchObject([
      { toMs: 330, answerTookMs: 30 },
      { toMs: 330, answerTookMs: 30 },
    ]);
    // It came while the bad look went on: that may say of a later moment that it was down.
    expect(outagesIn([good(0), bad(200), waiting, bad(310, 25), late])).toMatchObject([
      { toMs: 330 },
      { toMs: 380 },
    ]);
  });

  test('begin with the first sign of them where the last answer ends later', () => {
    expect(outagesIn([good(100, 30), bad(110, 1), good(400)])).toMatchObject([{ fromMs: 111, toMs: 402 }]);
    expect(outagesIn([good(0, 150), good(100), bad(200), good(300)])).toMatchObject([{ fromMs: 150 }]);
    // A time-out says so from its sending on, whenever it is known.
    expect(outagesIn([good(0), good(100, 149), timedOut(200), good(300)])).toMatchObject([
      { fromMs: 200, downByMs: 200 },
    ]);
  });

  test('are apart where something was answered well in between', () => {
    expect(outagesIn([good(0), bad(100), good(200), bad(300), good(400)])).toMatchObject([
      { fromMs: 10, toMs: 202 },
      { fromMs: 210, toMs: 402 },
    ]);
  });

  test('are left out where one side of them was not seen', () => {
    expect(outagesIn([bad(0), good(100), bad(200)])).toEqual([]);
  });
});
