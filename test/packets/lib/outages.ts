import type { Attempt } from './attempts.ts';

/** A time without service, from packets. By default, all moments are in ms since the Unix epoch; `M`: on another clock. */
export interface Outage<M extends number = number> {
  /**
   * The last packet of the last good answer before it, or the first packet that shows "down" if that is earlier: a server
   * that stops may still finish answers.
   */
  readonly fromMs: M;
  /** First time at which a bad attempt shows "down". From packets, the start is only known to lie between `fromMs` and this. */
  readonly downByMs: M;
  /**
   * The earliest first packet of a good answer. The answer's request was sent after the last bad attempt, because answers may
   * overtake each other. Or the answer came after the end of the last bad attempt: one connection may break while another waits.
   */
  readonly toMs: M;
  /** Time from the request to the answer at `toMs`: the end cannot be known more precisely. */
  readonly answerTookMs: number;
  /** Send times of its first and last bad attempt. */
  readonly firstBadMs: M;
  readonly lastBadMs: M;
}

/** An answer counts as held if it takes longer than this, ms, and longer than this factor times the median answer. */
const heldFloorMs = 150;
const heldFactor = 5;

/**
 * The times without service: from the last good attempt before a bad one to the first good one after it. A time without a
 * good answer on both sides is omitted.
 *
 * Attempts are ordered by send time, except held answers: a held answer shows that the server was up when it arrived, but
 * nothing about the time since its request.
 */
export function outagesIn(attempts: readonly Attempt[]): readonly Outage[] {
  const inOrder = inOrderOfEvidence(attempts);
  const outages: Outage[] = [];
  let goodMs: number | undefined;
  let bad: { downByMs: number; firstBadMs: number; lastBadMs: number } | undefined;
  let overMs = 0;
  for (const [index, { attempt }] of inOrder.entries()) {
    if (attempt.outcome === 'bad') {
      const { sentMs, downMs, badMs } = attempt;
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
      goodMs = bad === undefined ? Math.max(goodMs ?? 0, attempt.answerToMs) : attempt.answerToMs;
      bad = undefined;
    }
  }
  return outages;
}

/** An attempt, and the moment from which its result is evidence. */
interface PlacedAttempt {
  readonly attempt: Attempt;
  readonly atMs: number;
}

function inOrderOfEvidence(attempts: readonly Attempt[]): readonly PlacedAttempt[] {
  const tookMs = attempts.flatMap((attempt) =>
    attempt.outcome === 'good' ? attempt.answerFromMs - attempt.sentMs : [],
  );
  const heldMs = Math.max(heldFloorMs, heldFactor * median(tookMs));
  return attempts
    .map((attempt): PlacedAttempt => {
      const isHeld = attempt.outcome === 'good' && attempt.answerFromMs - attempt.sentMs > heldMs;
      return { attempt, atMs: isHeld ? attempt.answerFromMs : attempt.sentMs };
    })
    .sort((a, b) => a.atMs - b.atMs);
}

/** The lower median, so that held answers do not influence the limit that detects them. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;
}

function isAnsweredAfter({ attempt }: PlacedAttempt, ms: number): boolean {
  return attempt.outcome === 'good' && attempt.answerFromMs > ms;
}

/** Arrival of the first good answer to these attempts, up to the next bad one, and the duration of that attempt. */
function firstAnswer(attempts: readonly PlacedAttempt[]): Pick<Outage, 'toMs' | 'answerTookMs'> {
  let first = { toMs: Infinity, answerTookMs: 0 };
  for (const { attempt, atMs } of attempts) {
    if (attempt.outcome === 'bad' || atMs >= first.toMs) break;
    const { sentMs, answerFromMs } = attempt;
    if (answerFromMs < first.toMs) first = { toMs: answerFromMs, answerTookMs: answerFromMs - sentMs };
  }
  return first;
}
