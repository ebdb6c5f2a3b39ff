import { staleAfterMs } from '../core/freshness.ts';
import type { Plan, PlannedProbe } from '../core/plan.ts';
import { type FailCause, pathFailureCauses, type Sample } from '../core/sample.ts';
import {
  distantFuture,
  distantPast,
  type DurationMs,
  earlier,
  earliest,
  later,
  latest,
  type RunMs,
  runMs,
} from '../core/time.ts';
import { type Counts, Histogram } from './histogram.ts';
import { type HealthyLatency, slowFloorMs } from './latency-model.ts';

/** Samples of one probe that are not stored because they have the same result as their neighbors. */
export interface Stretch {
  readonly count: number;
  readonly lastSendMs: RunMs;
  /**
   * The longest time from a sending to the next finish, including the sending of the sample before the
   * stretch, ms.
   */
  readonly widestMs: DurationMs;
  /** Finish minus send of the `ok` samples, ms. */
  readonly latency: Counts;
  /** Send minus due, ms. */
  readonly lateness: Counts;
}

/**
 * A sample that is stored, without its message and phases, which the analysis does not use. `leftOut`: samples after it that
 * are not stored.
 */
export interface KeptSample extends Sample {
  readonly leftOut?: Stretch;
  /**
   * A fault of this drill had taken the host's power (unobserved.ts): nothing ran on it, so nothing can
   * have answered.
   */
  readonly provenDown?: true;
  /**
   * It failed while the prober was degraded (degraded.ts), so the failure proves nothing about the
   * target.
   */
  readonly degraded?: true;
  /** It represents samples that the log lacks (lost-samples.ts). */
  readonly lost?: true;
  /**
   * It got no answer, and the analysis treats its result as open. Set by the analysis only, never in a
   * log.
   */
  readonly silent?: true;
}

/** Whether a failed sample contains no information about the host, because the host did not answer. */
export function isPathFailure({ status, cause, provenDown }: KeptSample): boolean {
  return status === 'fail' && provenDown !== true && pathFailureCauses.has(cause);
}

/** Whether a sample got no answer, so its host may have been in any state since the last good sample. */
export function isSilent(sample: KeptSample): boolean {
  return sample.silent === true || sample.degraded === true;
}

/** When a sample was sent, or the last one with the same result that is left out after it, ms. */
export function lastAnswerMs({ sendMs, leftOut }: Pick<KeptSample, 'sendMs' | 'leftOut'>): RunMs {
  return leftOut === undefined ? sendMs : latest(sendMs, leftOut.lastSendMs);
}

/** Number of samples that this one represents. */
export function weightOf({ leftOut }: KeptSample): number {
  return 1 + (leftOut?.count ?? 0);
}

/** Number of samples that a list represents. */
export function countOf(samples: readonly KeptSample[]): number {
  return samples.reduce((sum, s) => sum + weightOf(s), 0);
}

/**
 * How far from a change or an event the analysis reads samples, ms: the plan's times that are counted from such moments.
 */
export function retentionRadiusMs(plan: Plan): DurationMs {
  const stale = Math.max(0, ...plan.probes.map((probe) => staleAfterMs({ probe })));
  const waits = [plan.recovery.stableForMs, plan.steady.forMs, plan.redundancy.forMs];
  // Outages closer than 1 s are joined, and the prober must be healthy 2 s before an outage.
  return Math.max(stale, ...waits, 2000) + 1000;
}

/** Times around changes and events, in which every sample is stored. */
export class RetentionWindows {
  readonly #retentionRadiusMs: number;
  /** In order, without overlaps. */
  readonly #spans: { fromMs: RunMs; toMs: RunMs }[] = [];
  #openSinceMs: RunMs | undefined;

  constructor(retentionRadiusMs: DurationMs) {
    this.#retentionRadiusMs = retentionRadiusMs;
  }

  /** Stores samples around a change or an event. */
  mark(fromMs: RunMs, toMs = fromMs): void {
    const span = {
      fromMs: earlier(fromMs, this.#retentionRadiusMs),
      toMs: later(toMs, this.#retentionRadiusMs),
    };
    let at = this.#spans.length;
    while (at > 0 && (this.#spans[at - 1]?.fromMs ?? 0) > span.toMs) at--;
    let first = at;
    for (let before; (before = this.#spans[first - 1]) !== undefined && before.toMs >= span.fromMs; first--) {
      span.fromMs = earliest(span.fromMs, before.fromMs);
      span.toMs = latest(span.toMs, before.toMs);
    }
    this.#spans.splice(first, at - first, span);
  }

  /** From now on, stores all samples until `close`. */
  open(atMs: RunMs): void {
    this.#openSinceMs ??= atMs;
  }

  close(atMs: RunMs): void {
    if (this.#openSinceMs !== undefined) this.mark(this.#openSinceMs, latest(atMs, this.#openSinceMs));
    this.#openSinceMs = undefined;
  }

  has(atMs: RunMs): boolean {
    if (this.#openSinceMs !== undefined && atMs >= this.#openSinceMs - this.#retentionRadiusMs) return true;
    for (const span of this.#spans) if (span.fromMs <= atMs && atMs <= span.toMs) return true;
    return false;
  }

  forgetBefore(atMs: RunMs): void {
    while ((this.#spans[0]?.toMs ?? distantFuture) < atMs) this.#spans.shift();
  }
}

/** The result of a sample, as conditions and windows use it. */
interface Outcome {
  readonly status: Sample['status'];
  readonly cause: FailCause | undefined;
  readonly value: string | undefined;
}

/** Numbers per buffered sample: slot, due, send, finish, stall. */
const stride = 5;
/** A sample that took longer than its timeout by more than this is a change, ms. */
const overrunMs = 1000;

/**
 * Stores one probe's samples, except those that the analysis does not need. Farther than `retentionRadiusMs` from any change of any probe
 * and from any event, samples have the same result. Their count and histograms are stored instead.
 */
export class SampleCompactor {
  readonly probe: PlannedProbe;
  readonly healthy: HealthyLatency;
  readonly #retention: RetentionWindows;
  /** Limits of an ordinary sample, ms. Copied from the plan for speed: its objects have many shapes. */
  readonly #lateMs: number;
  readonly #apartMs: number;
  readonly #longMs: number;
  readonly #isHosted: boolean;
  readonly #kept: (KeptSample & { leftOut?: Stretch })[] = [];
  readonly #outcomes: Outcome[] = [];
  readonly #outcomeIdByKey = new Map<string, number>();
  readonly #latency = new Histogram();
  readonly #lateness = new Histogram();
  #lastError: string | undefined;
  /** Buffered samples: a ring whose length is a power of two. */
  #numbers = new Float64Array(64 * stride);
  #outcomeIds = new Int32Array(64);
  #head = 0;
  #tail = 0;
  /** The result and send time of the latest sample. */
  #outcomeId = -1;
  #isSlow = false;
  #sendMs = distantPast;
  #isOverdue = false;
  /** The stored sample that was sent last, and the samples left out after it. */
  #last: (KeptSample & { leftOut?: Stretch }) | undefined;
  #leftOut = { count: 0, lastSendMs: distantPast, widestMs: 0 };

  constructor(probe: PlannedProbe, healthy: HealthyLatency, retention: RetentionWindows) {
    this.probe = probe;
    this.healthy = healthy;
    this.#retention = retention;
    const { intervalMs, burstIntervalMs, timeoutMs, host } = probe;
    this.#lateMs = Math.max(burstIntervalMs ?? intervalMs, timeoutMs / 2);
    this.#apartMs = 3 * intervalMs;
    this.#longMs = timeoutMs + overrunMs;
    this.#isHosted = host !== undefined;
  }

  /** Message or cause of the last sample that was not ok. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  /** Adds the next sample of the log. */
  add(sample: Sample): void {
    const { dueMs, sendMs, finishMs, stallMs = 0, status, cause, value } = sample;
    const latencyMs = finishMs - sendMs;
    const before = this.#outcomes[this.#outcomeId];
    let isSame = before?.status === status && before.cause === cause && before.value === value;
    if (!isSame) this.#outcomeId = this.#outcomeIdOf({ status, cause, value });
    if (status !== 'ok') this.#lastError = sample.message ?? cause ?? status;
    if (status === 'ok') {
      // The prober's own stall is not part of the target's latency.
      const ownMs = latencyMs - stallMs;
      this.healthy.add(sendMs, ownMs);
      const limitMs = this.#isHosted ? Infinity : this.healthy.settled?.slowMs;
      const isSlow = ownMs > (limitMs ?? slowFloorMs);
      // Until the limit of "slow" is known, each sample that may be slow counts as a change.
      if (isSlow !== this.#isSlow || (isSlow && limitMs === undefined)) isSame = false;
      this.#isSlow = isSlow;
    }
    if (
      !isSame ||
      sendMs - dueMs > this.#lateMs ||
      Math.abs(sendMs - this.#sendMs) > this.#apartMs ||
      latencyMs > this.#longMs
    ) {
      if (this.#sendMs !== distantPast) this.#retention.mark(this.#sendMs);
      this.#retention.mark(sendMs, latest(sendMs, finishMs));
    }
    if (sendMs > this.#sendMs) this.#sendMs = sendMs;
    this.#isOverdue = false;
    this.#push(sample);
  }

  /** If a probe sends no more samples, the moment at which its last sample becomes stale is a change. */
  noteSilence(nowMs: RunMs): void {
    const staleMs = later(this.#sendMs, staleAfterMs(this));
    if (this.#isOverdue || staleMs > nowMs || this.#sendMs === distantPast) return;
    this.#isOverdue = true;
    this.#retention.mark(staleMs);
  }

  /** Stores samples around slots that are missing from the log. */
  noteLost(fromMs: RunMs, toMs: RunMs): void {
    this.#retention.mark(fromMs, toMs);
  }

  /**
   * Stores or drops the samples sent before that moment. All changes within `retentionRadiusMs` of them must be
   * known.
   */
  settle(beforeMs: RunMs): void {
    const mask = this.#outcomeIds.length - 1;
    while (this.#head !== this.#tail && this.#numbers[(this.#head & mask) * stride + 2]! < beforeMs) {
      const at = this.#head & mask;
      if (this.#retention.has(runMs(this.#numbers[at * stride + 2]!))) this.#keep(at);
      else this.#leaveOut(at);
      this.#head++;
    }
  }

  /** The stored samples, in send order. */
  finish(): readonly KeptSample[] {
    const mask = this.#outcomeIds.length - 1;
    for (; this.#head !== this.#tail; this.#head++) this.#keep(this.#head & mask);
    this.#endStretch();
    return this.#kept.sort((a, b) => a.sendMs - b.sendMs || a.slot - b.slot);
  }

  #outcomeIdOf(outcome: Outcome): number {
    const key = JSON.stringify(outcome);
    const known = this.#outcomeIdByKey.get(key) ?? this.#outcomes.push(outcome) - 1;
    this.#outcomeIdByKey.set(key, known);
    return known;
  }

  #push({ slot, dueMs, sendMs, finishMs, stallMs = 0 }: Sample): void {
    const size = this.#outcomeIds.length;
    if (this.#tail - this.#head === size) {
      const numbers = new Float64Array(2 * size * stride);
      const outcomeIds = new Int32Array(2 * size);
      for (let i = 0; i < size; i++) {
        const at = (this.#head + i) & (size - 1);
        numbers.set(this.#numbers.subarray(at * stride, (at + 1) * stride), i * stride);
        outcomeIds[i] = this.#outcomeIds[at]!;
      }
      this.#numbers = numbers;
      this.#outcomeIds = outcomeIds;
      this.#head = 0;
      this.#tail = size;
    }
    const at = this.#tail++ & (this.#outcomeIds.length - 1);
    const numbers = this.#numbers;
    numbers[at * stride] = slot;
    numbers[at * stride + 1] = dueMs;
    numbers[at * stride + 2] = sendMs;
    numbers[at * stride + 3] = finishMs;
    numbers[at * stride + 4] = stallMs;
    this.#outcomeIds[at] = this.#outcomeId;
  }

  #keep(at: number): void {
    this.#endStretch();
    const [slot = 0, dueMs = 0, sendMs = 0, finishMs = 0, stallMs = 0] = this.#numbers.subarray(
      at * stride,
      (at + 1) * stride,
    );
    const { status, cause, value } = this.#outcomes[this.#outcomeIds[at]!]!;
    const sample = {
      probe: this.probe.id,
      slot,
      dueMs: runMs(dueMs),
      sendMs: runMs(sendMs),
      finishMs: runMs(finishMs),
      ...(stallMs === 0 ? {} : { stallMs }),
      status,
      ...(cause === undefined ? {} : { cause }),
      ...(value === undefined ? {} : { value }),
    };
    this.#kept.push(sample);
    if (this.#last === undefined || sendMs >= this.#last.sendMs) this.#last = sample;
  }

  #leaveOut(at: number): void {
    const dueMs = this.#numbers[at * stride + 1]!;
    const sendMs = runMs(this.#numbers[at * stride + 2]!);
    const finishMs = this.#numbers[at * stride + 3]!;
    const left = this.#leftOut;
    const sinceMs = left.count === 0 ? (this.#last?.sendMs ?? sendMs) : left.lastSendMs;
    left.count++;
    if (finishMs - sinceMs > left.widestMs) left.widestMs = finishMs - sinceMs;
    if (sendMs > left.lastSendMs) left.lastSendMs = sendMs;
    this.#lateness.add(sendMs - dueMs);
    if (this.#outcomes[this.#outcomeIds[at]!]!.status === 'ok') this.#latency.add(finishMs - sendMs);
  }

  #endStretch(): void {
    if (this.#leftOut.count === 0 || this.#last === undefined) return;
    const { leftOut } = this.#last;
    const left = this.#leftOut;
    if (leftOut !== undefined) {
      left.count += leftOut.count;
      left.lastSendMs = latest(left.lastSendMs, leftOut.lastSendMs);
      left.widestMs = Math.max(left.widestMs, leftOut.widestMs);
      this.#latency.addAll(leftOut.latency);
      this.#lateness.addAll(leftOut.lateness);
    }
    this.#last.leftOut = { ...left, latency: this.#latency.take(), lateness: this.#lateness.take() };
    this.#leftOut = { count: 0, lastSendMs: distantPast, widestMs: 0 };
  }
}
