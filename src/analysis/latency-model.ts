import type { PlannedProbe } from '../core/plan.ts';
import { distantPast, type DurationMs, latest, type RunMs } from '../core/time.ts';

/** The latencies of a healthy probe, by which an answer is late. All in ms. */
export interface LatencyModel {
  /**
   * A healthy target has answered by then. So a timeout means "down" from send + this, and a slower answer may have acted
   * after samples that were sent later.
   */
  readonly normalMs: DurationMs;
  /** The target delayed a good answer that took longer than this. Infinity: not applied to this probe. */
  readonly slowMs: DurationMs;
  /**
   * A failure that took longer may have acted after samples that were sent later. As `slowMs`, but
   * finite for each probe.
   */
  readonly promptMs: DurationMs;
}

/**
 * Lower limit of "late", ms, and its factor over the healthy p99. Both are empirical, from
 * measurements with stalled replies.
 */
export const slowFloorMs = 150;
const slowFactor = 5;
/**
 * In a run without a fault, answers are not healthy if they took longer than this factor times the median and longer than
 * the floor (ms). Such a run may contain stalls. They do not move the median while they affect fewer than half its samples.
 */
const healthyFactor = 3;
const healthyFloorMs = 20;
/** Answers that make a model: more than an hour at one sample per second. */
const modelSamples = 4096;

/** The value below which `share` of the sorted values lie (nearest rank); 0 if there are none. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

/** Up to `modelSamples` latencies, in the order of their answers. */
class Latencies {
  /** Send time and latency of each answer. */
  readonly #pairs: (readonly [sendMs: RunMs, ms: DurationMs])[] = [];

  /** Ignores the value when the list is full. */
  add(sendMs: RunMs, ms: DurationMs): void {
    if (!this.isFull) this.#pairs.push([sendMs, ms]);
  }

  get count(): number {
    return this.#pairs.length;
  }

  get isFull(): boolean {
    return this.#pairs.length === modelSamples;
  }

  /** Drops answers that were sent before a moment. */
  dropBefore(atMs: RunMs): void {
    const left = this.#pairs.filter(([sendMs]) => sendMs >= atMs);
    this.#pairs.splice(0, Infinity, ...left);
  }

  /** Drops the older half. */
  dropHalf(): void {
    this.#pairs.splice(0, modelSamples / 2);
  }

  sorted(): Float64Array {
    return Float64Array.from(this.#pairs, ([, ms]) => ms).sort();
  }
}

/**
 * Latency while healthy. The model uses the first 4096 OK samples that were sent after the steady state began and before
 * the fault phase. Earlier samples may be of a target that was just starting. Preparations may stall or slow the target,
 * so samples before the last one do not count either. Arming a fault already loads its host.
 *
 * Without such samples, it uses those of the first 4096 OK samples that took at most three times their median, or 20 ms.
 *
 * `normalMs` is twice the slowest of them, because a healthy request can be slower than those measured, but never more
 * than `slowMs`. Probes that run commands on a host are never slow: their time is mostly the transport's.
 */
export class HealthyLatency {
  readonly #probe: PlannedProbe;
  /** Whether the plan has a fault. */
  readonly #drills: boolean;
  readonly #before = new Latencies();
  readonly #all = new Latencies();
  /** Samples that were sent earlier do not count. */
  #sinceMs = distantPast;
  #isSteady = false;
  #faulted = false;
  #settled: LatencyModel | undefined;

  constructor(probe: PlannedProbe, drills: boolean) {
    this.#probe = probe;
    this.#drills = drills;
  }

  /** The model, once no further sample can change it. */
  get settled(): LatencyModel | undefined {
    return this.#settled;
  }

  /** Adds an OK sample. */
  add(sendMs: RunMs, latencyMs: DurationMs): void {
    if (this.#settled !== undefined) return;
    this.#all.add(sendMs, latencyMs);
    if (!this.#faulted && sendMs >= this.#sinceMs) {
      if (this.#before.isFull && !this.#isSteady) this.#before.dropHalf();
      this.#before.add(sendMs, latencyMs);
    }
    if (this.#before.isFull && this.#isSteady) this.#settled = this.#of(this.#before.sorted());
    else if (this.#all.isFull && (this.#faulted || !this.#drills)) this.#settled = this.#ofTypicalPart();
  }

  /** A preparation was carried out. */
  prepared(atMs: RunMs): void {
    this.#countFrom(atMs);
  }

  /** The steady state is met and has held since `sinceMs`. */
  steady(sinceMs: RunMs): void {
    this.#isSteady = true;
    this.#countFrom(sinceMs);
  }

  #countFrom(atMs: RunMs): void {
    this.#sinceMs = latest(this.#sinceMs, atMs);
    this.#before.dropBefore(this.#sinceMs);
  }

  /** A fault is about to be injected, or was injected. */
  faulted(): void {
    if (this.#faulted) return;
    this.#faulted = true;
    if (this.#before.count > 0) this.#settled ??= this.#of(this.#before.sorted());
  }

  /** The model by all samples of the log. */
  finish(): LatencyModel {
    return (this.#settled ??= this.#ofTypicalPart());
  }

  #ofTypicalPart(): LatencyModel {
    const all = this.#all.sorted();
    const limitMs = Math.max(healthyFloorMs, healthyFactor * percentile(all, 0.5));
    const slower = all.findIndex((ms) => ms > limitMs);
    return this.#of(slower === -1 ? all : all.subarray(0, slower));
  }

  #of(healthy: Float64Array): LatencyModel {
    const { timeoutMs, host } = this.#probe;
    const slowest = healthy.at(-1);
    const slowMs = Math.max(slowFloorMs, slowFactor * percentile(healthy, 0.99));
    return {
      normalMs: Math.min(slowest === undefined ? timeoutMs : 2 * slowest, slowMs, timeoutMs),
      slowMs: host === undefined ? slowMs : Infinity,
      promptMs: slowMs,
    };
  }
}
