import type { Look } from './looks.ts';

/** A time without service, by packets. All ms since the Unix epoch. */
export interface Outage {
  /**
   * The last packet of the last good answer before it; the first packet that says "down"
   * where that came sooner, since a server that stops may end what it has begun.
   */
  readonly fromMs: number;
  /** When the first of its bad looks says "down": packets show no more of its start than that it lies between `fromMs` and this. */
  readonly downByMs: number;
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

/** Lower limit of "held up", ms, and its factor over what most answers take. */
const heldFloorMs = 150;
const heldFactor = 5;

/**
 * The times without service that looks show: from the last good look before a bad one to the first good one after it.
 * What is without a good answer on one of its sides is left out.
 *
 * Looks count in the order of their sending, but for answers that were held up: one of these shows that the server was up when
 * it came, and nothing of the time since it was asked for.
 */
export function outagesIn(looks: readonly Look[]): readonly Outage[] {
  const inOrder = inOrderOfEvidence(looks);
  const outages: Outage[] = [];
  let goodMs: number | undefined;
  let bad: { downByMs: number; firstBadMs: number; lastBadMs: number } | undefined;
  let overMs = 0;
  for (const [index, { look }] of inOrder.entries()) {
    if (look.outcome === 'bad') {
      const { sentMs, downMs, badMs } = look;
      bad ??= { downByMs: downMs, firstBadMs: sentMs, lastBadMs: sentMs };
      bad = { ...bad, downByMs: Math.min(bad.downByMs, downMs), lastBadMs: sentMs };
      overMs = Math.max(overMs, badMs);
    } else {
      if (bad !== undefined && goodMs !== undefined) {
        const waited = inOrder.slice(0, index).filter((l) => isAnsweredAfter(l, overMs));
        outages.push({
          ...bad,
          fromMs: Math.min(goodMs, bad.downByMs),
          ...firstAnswer([...waited, ...inOrder.slice(index)]),
        });
      }
      // Answers may overtake each other.
      goodMs = bad === undefined ? Math.max(goodMs ?? 0, look.answerToMs) : look.answerToMs;
      bad = undefined;
    }
  }
  return outages;
}

/** A look, and the moment at which it counts: what it shows is not known to have been so before. */
interface PlacedLook {
  readonly look: Look;
  readonly atMs: number;
}

function inOrderOfEvidence(looks: readonly Look[]): readonly PlacedLook[] {
  const tookMs = looks.flatMap((look) => (look.outcome === 'good' ? look.answerFromMs - look.sentMs : []));
  const heldMs = Math.max(heldFloorMs, heldFactor * median(tookMs));
  return looks
    .map((look): PlacedLook => {
      const isHeld = look.outcome === 'good' && look.answerFromMs - look.sentMs > heldMs;
      return { look, atMs: isHeld ? look.answerFromMs : look.sentMs };
    })
    .sort((a, b) => a.atMs - b.atMs);
}

/** The lower one of two: answers that were held up are to be told by it, and make no part of it. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;
}

function isAnsweredAfter({ look }: PlacedLook, ms: number): boolean {
  return look.outcome === 'good' && look.answerFromMs > ms;
}

/** When the first good answer to these looks came, up to the next bad one, and how long that look took. */
function firstAnswer(looks: readonly PlacedLook[]): Pick<Outage, 'toMs' | 'answerTookMs'> {
  let first = { toMs: Infinity, answerTookMs: 0 };
  for (const { look, atMs } of looks) {
    if (look.outcome === 'bad' || atMs >= first.toMs) break;
    const { sentMs, answerFromMs } = look;
    if (answerFromMs < first.toMs) first = { toMs: answerFromMs, answerTookMs: answerFromMs - sentMs };
  }
  return first;
}
