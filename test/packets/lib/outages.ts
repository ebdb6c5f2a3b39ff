import type { Look } from './looks.ts';

/** A time without service, by packets. All ms since the Unix epoch. */
export interface Outage {
  /**
   * The last packet of the last good answer before it; the first packet that says "down"
   * where that came sooner, since a server that stops may end what it has begun.
   */
  readonly fromMs: number;
  /**
   * The earliest first packet of a good answer to what was asked after its last bad look (answers may overtake each other),
   * or that came when the last of its bad looks was over: one connection may be broken off while another waits.
   */
  readonly toMs: number;
  /** How long the look took to whose answer `toMs` belongs, to that first packet: no look can tell the end more sharply. */
  readonly answerTookMs: number;
  /** When the first and the last of its bad looks were sent. */
  readonly firstBadMs: number;
  readonly lastBadMs: number;
}

/**
 * The times without service that looks show, in the order of their sending: from the last
 * good look before a bad one to the first good one after it. What is without a good
 * answer on one of its sides is left out.
 */
export function outagesIn(looks: readonly Look[]): readonly Outage[] {
  const outages: Outage[] = [];
  let goodMs: number | undefined;
  let bad: { fromMs: number; firstBadMs: number; lastBadMs: number } | undefined;
  let overMs = 0;
  for (const [index, look] of looks.entries()) {
    if (look.outcome === 'bad') {
      const { sentMs, badMs } = look;
      bad ??= { fromMs: badMs, firstBadMs: sentMs, lastBadMs: sentMs };
      bad = { ...bad, fromMs: Math.min(bad.fromMs, badMs), lastBadMs: sentMs };
      overMs = Math.max(overMs, badMs);
    } else {
      if (bad !== undefined && goodMs !== undefined) {
        const waited = looks.slice(0, index).filter((l) => l.outcome === 'good' && l.answerFromMs > overMs);
        outages.push({
          ...bad,
          fromMs: Math.min(goodMs, bad.fromMs),
          ...firstAnswer([...waited, ...looks.slice(index)]),
        });
      }
      // Answers may overtake each other.
      goodMs = bad === undefined ? Math.max(goodMs ?? 0, look.answerToMs) : look.answerToMs;
      bad = undefined;
    }
  }
  return outages;
}

/** When the first good answer to these looks came, up to the next bad one, and how long that look took. */
function firstAnswer(looks: readonly Look[]): Pick<Outage, 'toMs' | 'answerTookMs'> {
  let first = { toMs: Infinity, answerTookMs: 0 };
  for (const look of looks) {
    if (look.outcome === 'bad' || look.sentMs >= first.toMs) break;
    const { sentMs, answerFromMs } = look;
    if (answerFromMs < first.toMs) first = { toMs: answerFromMs, answerTookMs: answerFromMs - sentMs };
  }
  return first;
}
