import { isGoodControlSample } from '../core/control-probe.ts';
import type { ProbeId } from '../core/ids.ts';
import type { PlannedProbe } from '../core/plan.ts';
import type { Sample } from '../core/sample.ts';
import type { Spread } from '../core/summary.ts';
import { Histogram } from './histogram.ts';
import { distantFuture, latest, type RunMs } from '../core/time.ts';

/** A time in which the prober was degraded. Offsets in ms. */
export interface DegradedSpan {
  /** When the last good sample of the control probe before it was sent; the run's start if there is none. */
  readonly fromMs: RunMs;
  /** When the next good sample was answered; Infinity if there is none. */
  readonly toMs: RunMs;
  /** Bad samples in it. */
  readonly samples: number;
}

/** Summary of a run's control probe (the HTTP control of 0.1 logs). */
export interface ControlProbeRecord {
  readonly probe: PlannedProbe;
  readonly samples: number;
  /** Samples without a good answer, including those that the prober's own stall cost. */
  readonly failed: number;
  /** Good answers above the latency limit. */
  readonly late: number;
  /** Latency of the good answers, including late ones; null if there are none. */
  readonly latency: Spread | null;
  /** In order, without overlaps. */
  readonly degraded: readonly DegradedSpan[];
}

interface Attempt {
  readonly sendMs: RunMs;
  readonly finishMs: RunMs;
  readonly isGood: boolean;
}

/**
 * Samples that are buffered until they can be sorted by send time. An answer overtakes another by at
 * most a timeout.
 */
const waiting = 2048;

/** Reads the control probe's samples one by one. It stores the degraded times, not the samples. */
export class ControlProbeReader {
  readonly #probe: PlannedProbe;
  readonly #latency = new Histogram();
  readonly #degraded: { fromMs: RunMs; toMs: RunMs; samples: number }[] = [];
  #waiting: Attempt[] = [];
  #samples = 0;
  #failed = 0;
  #late = 0;
  #lastGoodMs: RunMs;
  #isDegraded = false;

  constructor(probe: PlannedProbe, startMs: RunMs) {
    this.#probe = probe;
    this.#lastGoodMs = startMs;
  }

  get id(): ProbeId {
    return this.#probe.id;
  }

  /** Adds the next sample of the log; returns whether it is good. */
  add({ sendMs, finishMs, status }: Sample): boolean {
    const isGood = isGoodControlSample(this.#probe, { status, sendMs, finishMs });
    this.#samples++;
    if (status === 'ok') this.#latency.add(finishMs - sendMs);
    if (status !== 'ok') this.#failed++;
    else if (!isGood) this.#late++;
    this.#waiting.push({ sendMs, finishMs, isGood });
    if (this.#waiting.length >= waiting) this.#place(waiting / 2);
    return isGood;
  }

  finish(): ControlProbeRecord {
    this.#place(this.#waiting.length);
    return {
      probe: this.#probe,
      samples: this.#samples,
      failed: this.#failed,
      late: this.#late,
      latency: this.#latency.spread(),
      degraded: this.#degraded,
    };
  }

  /** Evaluates the `count` buffered samples with the earliest send times. */
  #place(count: number): void {
    const sorted = this.#waiting.sort((a, b) => a.sendMs - b.sendMs);
    this.#waiting = sorted.splice(count);
    for (const { sendMs, finishMs, isGood } of sorted) {
      const open = this.#degraded.at(-1);
      if (isGood) {
        if (this.#isDegraded && open !== undefined) open.toMs = finishMs;
        this.#lastGoodMs = latest(this.#lastGoodMs, sendMs);
      } else if (this.#isDegraded && open !== undefined) open.samples++;
      else if (open !== undefined && open.toMs >= this.#lastGoodMs) {
        // With only one good sample between two bad ones, the two times touch and are one.
        open.toMs = distantFuture;
        open.samples++;
      } else this.#degraded.push({ fromMs: this.#lastGoodMs, toMs: distantFuture, samples: 1 });
      this.#isDegraded = !isGood;
    }
  }
}
