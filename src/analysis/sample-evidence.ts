import { minOf } from '../core/extremes.ts';
import { type KeptSample, lastSaidMs } from './kept-samples.ts';
import type { LatencyModel } from './latency-model.ts';
import type { AckedWrite } from './writer-evidence.ts';

/**
 * What one sample says of its target: it was up (an answer) or down (a failure) at some instant in [sendMs, byMs].
 *
 * - An answer says so up to its arrival, however late that is: a slow answer alone is no evidence of an outage.
 * - A time-out says that the target was down by the time a healthy one had answered.
 * - Any other failure says so up to its arrival: it may have been under way while the target was slow, and broke when that
 *   went down.
 */
export interface SampleEvidence {
  /** null: it is an acknowledged write (writer-evidence.ts), which says the same as an answer. */
  readonly sample: KeptSample | null;
  readonly isUp: boolean;
  readonly sendMs: number;
  readonly byMs: number;
  /** It took longer than those of a healthy target do: it may have acted after samples that were sent later. */
  readonly isLate: boolean;
  /** A good answer that was released together with others that were sent earlier: nothing was answered from its sending until then. */
  readonly isHeld: boolean;
}

/** What each known sample says, in send order. */
export function evidenceOfSamples(
  samples: readonly KeptSample[],
  model: LatencyModel,
): readonly SampleEvidence[] {
  const known = samples.filter((s) => s.status !== 'unknown');
  const held = heldSamples(known, model);
  return known.map((sample): SampleEvidence => {
    const isUp = sample.status === 'ok';
    const isHeld = held.has(sample);
    const isTimeout = sample.cause === 'timeout';
    const byMs = isTimeout ? Math.min(sample.finishMs, sample.sendMs + model.normalMs) : sample.finishMs;
    const isLate = !isTimeout && targetsMs(sample) > (isUp ? model.normalMs : model.promptMs);
    return { sample, isUp, sendMs: sample.sendMs, byMs, isLate, isHeld };
  });
}

/** How long the target took, ms; for what the prober itself was stalled it is not to blame. */
export function targetsMs({ sendMs, finishMs, stallMs = 0 }: KeptSample): number {
  return finishMs - sendMs - stallMs;
}

/** Whether a good answer took longer than those of a healthy target do. */
export function isSlow(sample: KeptSample, { slowMs }: LatencyModel): boolean {
  return sample.status === 'ok' && targetsMs(sample) > slowMs;
}

/** So many answers of one moment are no coincidence of slow ones. */
const fewestHeld = 3;
/** TCP sends a lost SYN again so long after the sample was sent, ms (Linux: 1 s, doubled each time). */
const resentAfterMs = [1000, 3000, 7000, 15_000];

/**
 * Whether an answer is as late as one whose first packet was lost and sent again. With an interval of whole seconds such answers
 * come at the same moment although nothing held them up.
 */
function isResent(sample: KeptSample, { slowMs }: LatencyModel): boolean {
  const tookMs = targetsMs(sample);
  return resentAfterMs.some((ms) => tookMs >= ms && tookMs <= ms + slowMs);
}

/**
 * The answers that a hang held up. Three that were sent at different times and released at the same moment, at least one of
 * them late, and the first one sent after that answered at once: nothing was answered from the sending of the later ones until
 * the release. An answer to a sample that was sent meanwhile shows the contrary: then only what was sent after that one counts.
 * The first of a group has nothing sent earlier and may be slow of itself: it is none.
 */
function heldSamples(known: readonly KeptSample[], model: LatencyModel): ReadonlySet<KeptSample> {
  const held = new Set<KeptSample>();
  if (!Number.isFinite(model.slowMs)) return held;
  for (const [index, sample] of known.entries()) {
    if (!isSlow(sample, model) || isResent(sample, model)) continue;
    const group = releasedWith(known, index, model);
    if (group.length < fewestHeld) continue;
    for (const other of group.slice(1)) held.add(other);
  }
  return held;
}

/** So many answers of one moment make an estimate. Two may have come together by coincidence: they are no evidence. */
const fewestReleased = 2;

/**
 * When the target released late answers together, as an estimate of the end of an outage that ended in `endLoMs` to `endHiMs`;
 * undefined if it did not. Two that were sent at different times came at the same moment, and the first one sent after that was
 * answered at once. `samples` are those around that time, in send order.
 */
export function releasedAtMs(
  samples: readonly KeptSample[],
  { endLoMs, endHiMs }: { readonly endLoMs: number; readonly endHiMs: number },
  model: LatencyModel,
): number | undefined {
  if (!Number.isFinite(model.slowMs)) return undefined;
  const released = samples.flatMap((one, index) => {
    const isInside = one.finishMs >= endLoMs && one.finishMs <= endHiMs + model.normalMs;
    const isHeld = one.status === 'ok' && targetsMs(one) > model.normalMs && !isResent(one, model);
    const isReleased = isInside && isHeld && releasedWith(samples, index, model).length >= fewestReleased;
    return isReleased ? [one.finishMs] : [];
  });
  return released.length === 0 ? undefined : minOf(released, endHiMs);
}

/** Samples that came at the same moment as one of them, that one included, in send order: those of one hang. */
function releasedWith(
  known: readonly KeptSample[],
  index: number,
  model: LatencyModel,
): readonly KeptSample[] {
  const one = known[index];
  if (one === undefined) return [];
  const group: KeptSample[] = [];
  let answeredMs = -Infinity;
  const earliestMs = one.sendMs - (one.finishMs - one.sendMs);
  let from = index;
  while (from > 0 && (known[from - 1]?.sendMs ?? -Infinity) >= earliestMs) from--;
  for (let at = from; at < known.length; at++) {
    const other = known[at];
    if (other === undefined) break;
    if (other.sendMs >= one.finishMs) {
      // Slow from here on, too: a slow service, which releases nothing.
      if (other.status !== 'ok' || targetsMs(other) > model.slowMs) return [];
      break;
    }
    if (other === one || isReleasedWith(one, other, model)) group.push(other);
    else if (other.status === 'ok' && other.finishMs < one.finishMs - model.normalMs)
      answeredMs = Math.max(answeredMs, other.sendMs);
  }
  return group.filter((s) => s.sendMs > answeredMs);
}

/**
 * At the same moment: within what a healthy answer takes, and by far closer to each other than they were sent. Requests whose
 * packets were lost and sent again come as far apart as they were sent.
 */
function isReleasedWith(one: KeptSample, other: KeptSample, model: LatencyModel): boolean {
  const { normalMs } = model;
  if (other.status !== 'ok' || targetsMs(other) <= normalMs || isResent(other, model)) return false;
  const apartMs = Math.abs(one.finishMs - other.finishMs);
  return apartMs <= normalMs && apartMs <= Math.abs(one.sendMs - other.sendMs) / 2;
}

/** Until when a sample, with those left out after it, says what it says, counted by sending, ms. */
export function saidUntilMs({ sample, sendMs }: SampleEvidence): number {
  return sample === null ? sendMs : lastSaidMs(sample);
}

/**
 * The evidence with acknowledged writes among it, in send order. A write may take its time: it was acknowledged at any moment
 * until then.
 */
export function withWrites(
  signs: readonly SampleEvidence[],
  writes: readonly AckedWrite[],
): readonly SampleEvidence[] {
  const more = writes.map(({ sendMs, finishMs }): SampleEvidence => ({
    sample: null,
    isUp: true,
    sendMs,
    byMs: finishMs,
    isLate: true,
    isHeld: false,
  }));
  return more.length === 0 ? signs : [...signs, ...more].sort((a, b) => a.sendMs - b.sendMs);
}
