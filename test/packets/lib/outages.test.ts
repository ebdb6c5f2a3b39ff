import { describe, expect, test } from 'vitest';
import type { Look } from './looks.ts';
import { outagesIn } from './outages.ts';

const good = (sentMs: number, tookMs = 10): Look => ({
  outcome: 'good',
  sentMs,
  answerFromMs: sentMs + 2,
  answerToMs: sentMs + tookMs,
});
const bad = (sentMs: number, tookMs = 900): Look => ({ outcome: 'bad', sentMs, badMs: sentMs + tookMs });

describe('outages', () => {
  test('last from the last packet of a good answer to the first packet of the next one', () => {
    expect(outagesIn([good(0), good(100), bad(200), bad(300), good(400), good(500)])).toEqual([
      { fromMs: 110, toMs: 402, answerTookMs: 2, firstBadMs: 200, lastBadMs: 300 },
    ]);
  });

  test('end with the earliest good answer, though to a look that was sent later', () => {
    const slow: Look = { outcome: 'good', sentMs: 300, answerFromMs: 480, answerToMs: 490 };
    expect(outagesIn([good(0), bad(200), slow, good(400), good(500)])).toMatchObject([{ toMs: 402 }]);
    // Not to one that was sent after the next outage had begun.
    expect(outagesIn([good(0), bad(200), slow, bad(350), good(400)])).toMatchObject([
      { toMs: 480, answerTookMs: 180 },
      {},
    ]);
  });

  test('end with an answer to what had been asked before, where the last bad look was over by then', () => {
    const waiting: Look = { outcome: 'good', sentMs: 300, answerFromMs: 330, answerToMs: 331 };
    const late: Look = { outcome: 'good', sentMs: 350, answerFromMs: 380, answerToMs: 381 };
    expect(outagesIn([good(0), bad(200, 1), waiting, bad(310, 5), late])).toMatchObject([
      { toMs: 330, answerTookMs: 30 },
      { toMs: 330, answerTookMs: 30 },
    ]);
    // It came while the bad look went on: that may say of a later moment that it was down.
    expect(outagesIn([good(0), bad(200, 1), waiting, bad(310, 25), late])).toMatchObject([
      { toMs: 330 },
      { toMs: 380 },
    ]);
  });

  test('begin with the first sign of them where the last answer ends later', () => {
    expect(outagesIn([good(100, 30), bad(110, 1), good(400)])).toMatchObject([{ fromMs: 111, toMs: 402 }]);
    expect(outagesIn([good(0, 150), good(100), bad(200), good(300)])).toMatchObject([{ fromMs: 150 }]);
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
