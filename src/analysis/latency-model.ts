import type { PlannedProbe } from '../core/plan.ts';

/**
 * What a probe's answers looked like while all was well: the measure of "late".
 * All ms.
 */
export interface LatencyModel {
  /**
   * A healthy target has answered by then: a time-out says "down" from send + this, and an answer that took longer may have acted
   * after samples that were sent later.
   */
  readonly normalMs: number;
  /** An OK that took longer than this was held up by the target. Infinity: never said of this probe. */
  readonly slowMs: number;
  /** A failure that took longer may have acted after samples that were sent later. As `slowMs`, but for each probe. */
  readonly promptMs: number;
}

/** Lower limit of "late" and its factor over the healthy p99: guides of this project, after measurements with late-reply stalls. */
export const slowFloorMs = 150;
const slowFactor = 5;
/**
 * Of a run without a fault, answers that took longer than this many times the median, and longer than the floor (ms), are not
 * taken for healthy: the run may hold stalls, and the median does not move with them while they hit fewer than half of its samples.
 */
const healthyFactor = 3;
const healthyFloorMs = 20;
/** Answers that make a model: more than an hour of looks, once a second. */
const modelSamples = 4096;

/** The value below which `share` of the sorted values lie (nearest rank); 0 of none. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

/** Up to so many latencies, in the order of their answers. */
class Latencies {
  /** When each was sent, and how long it took. */
  readonly #pairs: (readonly [sendMs: number, ms: number])[] = [];

  /** Passed over when it is full. */
  add(sendMs: number, ms: number): void {
    if (!this.isFull) this.#pairs.push([sendMs, ms]);
  }

  get count(): number {
    return this.#pairs.length;
  }

  get isFull(): boolean {
    return this.#pairs.length === modelSamples;
  }

  /** Drops those that were sent before a moment. */
  dropBefore(ms: number): void {
    const left = this.#pairs.filter(([sendMs]) => sendMs >= ms);
    this.#pairs.splice(0, Infinity, ...left);
  }

  /** Drops the half that came first. */
  dropHalf(): void {
    this.#pairs.splice(0, modelSamples / 2);
  }

  sorted(): Float64Array {
    return Float64Array.from(this.#pairs, ([, ms]) => ms).sort();
  }
}

/**
 * Latency while healthy: of the first 4096 OK samples that the log has before the phase
 * in which faults are injected and that were sent since the steady state has held (what
 * came before that may have been a target that was just starting; so may what came before
 * the preparations, which may have stalled it or made it slower, and arming a fault loads
 * its host before anything is issued); without any, of those among the first 4096 of all that
 * took no longer than three times their median, or 20 ms.
 *
 * `normalMs` is twice the slowest of them (a healthy request can be slower than
 * those that were seen) but never more than `slowMs`. Probes that run commands on
 * a host are never called slow: there the time is the transport's, not the target's.
 */
export class HealthyLatency {
  readonly #probe: PlannedProbe;
  /** Whether the plan has a fault to come. */
  readonly #drills: boolean;
  readonly #before = new Latencies();
  readonly #all = new Latencies();
  /** What was sent earlier does not count. */
  #sinceMs = -Infinity;
  #isSteady = false;
  #faulted = false;
  #settled: LatencyModel | undefined;

  constructor(probe: PlannedProbe, drills: boolean) {
    this.#probe = probe;
    this.#drills = drills;
  }

  /** The model once nothing can change it any more. */
  get settled(): LatencyModel | undefined {
    return this.#settled;
  }

  /** Takes an OK sample. */
  add(sendMs: number, latencyMs: number): void {
    if (this.#settled !== undefined) return;
    this.#all.add(sendMs, latencyMs);
    if (!this.#faulted && sendMs >= this.#sinceMs) {
      if (this.#before.isFull && !this.#isSteady) this.#before.dropHalf();
      this.#before.add(sendMs, latencyMs);
    }
    if (this.#before.isFull && this.#isSteady) this.#settled = this.#of(this.#before.sorted());
    else if (this.#all.isFull && (this.#faulted || !this.#drills)) this.#settled = this.#ofTypicalPart();
  }

  /** A preparation acted. */
  prepared(atMs: number): void {
    this.#countFrom(atMs);
  }

  /** The steady state is reached, and has held since then. */
  steady(sinceMs: number): void {
    this.#isSteady = true;
    this.#countFrom(sinceMs);
  }

  #countFrom(ms: number): void {
    this.#sinceMs = Math.max(this.#sinceMs, ms);
    this.#before.dropBefore(this.#sinceMs);
  }

  /** A fault is about to be injected, or was. */
  faulted(): void {
    if (this.#faulted) return;
    this.#faulted = true;
    if (this.#before.count > 0) this.#settled ??= this.#of(this.#before.sorted());
  }

  /** The model by what the log held. */
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
