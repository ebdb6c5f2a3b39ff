import { minOf } from '../core/extremes.ts';
import { distantPast, type DurationMs, earliest, later, latest, type RunMs } from '../core/time.ts';
import { type KeptSample, lastAnswerMs } from './kept-samples.ts';
import type { LatencyModel } from './latency-model.ts';
import type { AckedWrite } from './writer-evidence.ts';

/**
 * The evidence of one sample: its target was up (an answer) or down (a failure) at some instant in [sendMs, byMs].
 *
 * - Good answer: up, until its arrival, however late that is. A slow answer alone is not evidence of an outage.
 * - Timeout: down, until the time by which a healthy target answers.
 * - Other failure: down, until its arrival. The request may have waited while the target was slow, and failed when the target
 *   went down.
 */
export interface SampleEvidence {
  /** null: an acknowledged write (writer-evidence.ts), which is evidence like a good answer. */
  readonly sample: KeptSample | null;
  readonly isUp: boolean;
  readonly sendMs: RunMs;
  readonly byMs: RunMs;
  /** It took longer than on a healthy target, so it may have acted after samples that were sent later. */
  readonly isLate: boolean;
  /**
   * A good answer that was released together with others that were sent earlier: the target answered
   * nothing from its sending until then.
   */
  readonly isHeld: boolean;
}

/** The evidence of each known sample, in send order. */
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
    const byMs = isTimeout
      ? earliest(sample.finishMs, later(sample.sendMs, model.normalMs))
      : sample.finishMs;
    const isLate = !isTimeout && targetsMs(sample) > (isUp ? model.normalMs : model.promptMs);
    return { sample, isUp, sendMs: sample.sendMs, byMs, isLate, isHeld };
  });
}

/** Time that the target took, ms, without the prober's own stall. */
export function targetsMs({ sendMs, finishMs, stallMs = 0 }: KeptSample): DurationMs {
  return finishMs - sendMs - stallMs;
}

/** Whether a good answer took longer than on a healthy target. */
export function isSlow(sample: KeptSample, { slowMs }: LatencyModel): boolean {
  return sample.status === 'ok' && targetsMs(sample) > slowMs;
}

/** Fewest answers at the same moment that prove a hang. Fewer may be slow by coincidence. */
const fewestHeld = 3;
/** When TCP resends a lost SYN, ms after the sample was sent (Linux: 1 s, doubled each time). */
const resentAfterMs = [1000, 3000, 7000, 15_000];

/**
 * Whether an answer is as late as if its first packet was lost and resent. With an interval of whole seconds, such answers
 * arrive at the same moment although no hang delayed them.
 */
function isResent(sample: KeptSample, { slowMs }: LatencyModel): boolean {
  const tookMs = targetsMs(sample);
  return resentAfterMs.some((ms) => tookMs >= ms && tookMs <= ms + slowMs);
}

/**
 * The answers that a hang delayed. Evidence of a hang: three answers were sent at different times and released at the same
 * moment. At least one of them was late, and the first sample after the release was answered promptly. The target then
 * answered nothing from the sending of the later ones until the release. If a sample that was sent in between was answered
 * earlier, only those sent after it count. The first one of a group is not included: it may be slow by itself.
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

/** Fewest answers at the same moment for an estimate. Two may be a coincidence, so they narrow no bound. */
const fewestReleased = 2;

/**
 * When the target released late answers together: an estimate of the end of an outage whose end has the bounds `endLoMs` and
 * `endHiMs`. undefined without such answers. Required: two answers that were sent at different times arrived at the same moment,
 * and the first sample sent after it was answered promptly. `samples`: those around that time, in send order.
 */
export function releasedAtMs(
  samples: readonly KeptSample[],
  { endLoMs, endHiMs }: { readonly endLoMs: RunMs; readonly endHiMs: RunMs },
  model: LatencyModel,
): RunMs | undefined {
  if (!Number.isFinite(model.slowMs)) return undefined;
  const released = samples.flatMap((one, index) => {
    const isInside = one.finishMs >= endLoMs && one.finishMs <= endHiMs + model.normalMs;
    const isHeld = one.status === 'ok' && targetsMs(one) > model.normalMs && !isResent(one, model);
    const isReleased = isInside && isHeld && releasedWith(samples, index, model).length >= fewestReleased;
    return isReleased ? [one.finishMs] : [];
  });
  return released.length === 0 ? undefined : minOf(released, endHiMs);
}

/**
 * Samples of the same hang as the one at `index`: they arrived at the same moment. In send order,
 * including that one.
 */
function releasedWith(
  known: readonly KeptSample[],
  index: number,
  model: LatencyModel,
): readonly KeptSample[] {
  const one = known[index];
  if (one === undefined) return [];
  const group: KeptSample[] = [];
  let answeredMs = distantPast;
  const earliestMs = one.sendMs - (one.finishMs - one.sendMs);
  let from = index;
  while (from > 0 && (known[from - 1]?.sendMs ?? distantPast) >= earliestMs) from--;
  for (let at = from; at < known.length; at++) {
    const other = known[at];
    if (other === undefined) break;
    if (other.sendMs >= one.finishMs) {
      // Samples after the release are slow, too: the service is slow, and nothing was released.
      if (other.status !== 'ok' || targetsMs(other) > model.slowMs) return [];
      break;
    }
    if (other === one || isReleasedWith(one, other, model)) group.push(other);
    else if (other.status === 'ok' && other.finishMs < one.finishMs - model.normalMs)
      answeredMs = latest(answeredMs, other.sendMs);
  }
  return group.filter((s) => s.sendMs > answeredMs);
}

/**
 * Whether two answers arrived at the same moment: at most a healthy latency apart, and at most half as far apart as they were
 * sent. Answers to resent packets arrive as far apart as they were sent.
 */
function isReleasedWith(one: KeptSample, other: KeptSample, model: LatencyModel): boolean {
  const { normalMs } = model;
  if (other.status !== 'ok' || targetsMs(other) <= normalMs || isResent(other, model)) return false;
  const apartMs = Math.abs(one.finishMs - other.finishMs);
  return apartMs <= normalMs && apartMs <= Math.abs(one.sendMs - other.sendMs) / 2;
}

/** Send time up to which a sample, with those left out after it, has the same result, ms. */
export function evidenceUntilMs({ sample, sendMs }: SampleEvidence): RunMs {
  return sample === null ? sendMs : lastAnswerMs(sample);
}

/**
 * The evidence including acknowledged writes, in send order. A write may have been acknowledged at any moment until its finish.
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
