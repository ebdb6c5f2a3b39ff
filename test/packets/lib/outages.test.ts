import { describe, expect, test } from 'vitest';
import type { Attempt } from './attempts.ts';
import { outagesIn } from './outages.ts';

const good = (sentMs: number, tookMs = 10): Attempt => ({
  outcome: 'good',
  sentMs,
  answerFromMs: sentMs + 2,
  answerToMs: sentMs + tookMs,
});
/** A refused or broken attempt. */
const bad = (sentMs: number, tookMs = 1): Attempt => ({
  outcome: 'bad',
  sentMs,
  downMs: sentMs + tookMs,
  badMs: sentMs + tookMs,
});
const timedOut = (sentMs: number): Attempt => ({
  outcome: 'bad',
  sentMs,
  downMs: sentMs,
  badMs: sentMs + 900,
});
/** A held answer: good, but long after its request. */
const held = (sentMs: number, answerMs: number): Attempt => ({
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

  test('end with the earliest good answer, even to a later request', () => {
    expect(outagesIn([good(0), bad(200), held(300, 480), good(400), good(500)])).toMatchObject([
      { toMs: 402 },
    ]);
    // The same applies to held answers.
    const released = [held(300, 902), held(400, 901), good(950)];
    expect(outagesIn([good(0), good(100), timedOut(200), ...released])).toMatchObject([
      { toMs: 901, answerTookMs: 501 },
    ]);
  });

  test('are split by a held answer at its arrival, not at its request', () => {
    const attempts = [good(0), held(100, 936), timedOut(200), timedOut(300), timedOut(950), good(1100)];
    expect(outagesIn(attempts)).toEqual([
      { fromMs: 10, downByMs: 200, toMs: 936, answerTookMs: 836, firstBadMs: 200, lastBadMs: 300 },
      { fromMs: 937, downByMs: 950, toMs: 1102, answerTookMs: 2, firstBadMs: 950, lastBadMs: 950 },
    ]);
    // It arrived after the outage, so it does not show that the server was up at the request.
    expect(outagesIn([good(0), bad(200), held(300, 480), bad(350), good(400)])).toMatchObject([
      { fromMs: 10, toMs: 402, firstBadMs: 200, lastBadMs: 350 },
    ]);
  });

  test("detect held answers by comparison with the capture's other answers", () => {
    const slowService = [0, 200, 400, 600].map((sentMs) => held(sentMs, sentMs + 180));
    // Not held, because all answers take as long. The request before the refusal was accepted before it.
    expect(outagesIn([...slowService, held(800, 980), bad(900), bad(1000), held(1100, 1280)])).toMatchObject([
      { fromMs: 901, toMs: 1280 },
    ]);
  });

  test('end with an answer to an earlier request if the last bad attempt had ended by then', () => {
    const waiting: Attempt = { outcome: 'good', sentMs: 300, answerFromMs: 330, answerToMs: 331 };
    const late: Attempt = { outcome: 'good', sentMs: 350, answerFromMs: 380, answerToMs: 381 };
    expect(outagesIn([good(0), bad(200), waiting, bad(310, 5), late])).toMatchObject([
      { toMs: 330, answerTookMs: 30 },
      { toMs: 330, answerTookMs: 30 },
    ]);
    // It arrived during the bad attempt, which may show that the server was down later.
    expect(outagesIn([good(0), bad(200), waiting, bad(310, 25), late])).toMatchObject([
      { toMs: 330 },
      { toMs: 380 },
    ]);
  });

  test('begin with the first sign of down if the last answer ends later', () => {
    expect(outagesIn([good(100, 30), bad(110, 1), good(400)])).toMatchObject([{ fromMs: 111, toMs: 402 }]);
    expect(outagesIn([good(0, 150), good(100), bad(200), good(300)])).toMatchObject([{ fromMs: 150 }]);
    // A timeout shows down from its send time on, although it is known later.
    expect(outagesIn([good(0), good(100, 149), timedOut(200), good(300)])).toMatchObject([
      { fromMs: 200, downByMs: 200 },
    ]);
  });

  test('are separated by a good answer', () => {
    expect(outagesIn([good(0), bad(100), good(200), bad(300), good(400)])).toMatchObject([
      { fromMs: 10, toMs: 202 },
      { fromMs: 210, toMs: 402 },
    ]);
  });

  test('are omitted without a good answer on both sides', () => {
    expect(outagesIn([bad(0), good(100), bad(200)])).toEqual([]);
  });
});
