import { isGoodLook } from '../core/canary.ts';
import type { PlannedProbe } from '../core/plan.ts';
import type { Spread } from '../core/summary.ts';
import { Histogram } from './histogram.ts';
import type { SampleLine } from './sample-line.ts';

/** A stretch in which the prober's machine was not fit. Offsets in ms. */
export interface DegradedSpan {
  /** The last good look at the canary before it was sent; the run's start without one. */
  readonly fromMs: number;
  /** The next good one was answered; Infinity: none was. */
  readonly toMs: number;
  /** Bad looks in it. */
  readonly looks: number;
}

/** All that was seen of a run's canary. */
export interface CanaryRecord {
  readonly probe: PlannedProbe;
  readonly looks: number;
  /** Looks without a good answer, those included that the prober's own stall cost. */
  readonly failed: number;
  /** Good answers that came too late. */
  readonly late: number;
  /** Of the good answers, late ones too; null without any. */
  readonly latency: Spread | null;
  /** In order, apart from each other. */
  readonly sick: readonly DegradedSpan[];
}

interface Look {
  readonly sendMs: number;
  readonly finishMs: number;
  readonly isGood: boolean;
}

/** Looks that wait to be put into their order: answers overtake each other by a time-out at most. */
const waiting = 2048;

/** Reads a canary's samples one by one; holds what happened, not the samples. */
export class CanaryReader {
  readonly #probe: PlannedProbe;
  readonly #latency = new Histogram();
  readonly #sick: { fromMs: number; toMs: number; looks: number }[] = [];
  #waiting: Look[] = [];
  #looks = 0;
  #failed = 0;
  #late = 0;
  #lastGoodMs: number;
  #isSick = false;

  constructor(probe: PlannedProbe, startMs: number) {
    this.#probe = probe;
    this.#lastGoodMs = startMs;
  }

  get id(): string {
    return this.#probe.id;
  }

  /** Takes the next sample of the log; returns whether it is a good one. */
  add(line: SampleLine): boolean {
    const { sendMs, finishMs, status } = line;
    const isGood = isGoodLook(this.#probe, { status, sendMs, finishMs });
    this.#looks++;
    if (status === 'ok') this.#latency.add(finishMs - sendMs);
    if (status !== 'ok') this.#failed++;
    else if (!isGood) this.#late++;
    this.#waiting.push({ sendMs, finishMs, isGood });
    if (this.#waiting.length >= waiting) this.#place(waiting / 2);
    return isGood;
  }

  finish(): CanaryRecord {
    this.#place(this.#waiting.length);
    return {
      probe: this.#probe,
      looks: this.#looks,
      failed: this.#failed,
      late: this.#late,
      latency: this.#latency.spread(),
      sick: this.#sick,
    };
  }

  /** Places the earliest so many. */
  #place(count: number): void {
    const sorted = this.#waiting.sort((a, b) => a.sendMs - b.sendMs);
    this.#waiting = sorted.splice(count);
    for (const { sendMs, finishMs, isGood } of sorted) {
      const open = this.#sick.at(-1);
      if (isGood) {
        if (this.#isSick && open !== undefined) open.toMs = finishMs;
        this.#lastGoodMs = Math.max(this.#lastGoodMs, sendMs);
      } else if (this.#isSick && open !== undefined) open.looks++;
      else if (open !== undefined && open.toMs >= this.#lastGoodMs) {
        // One good look between two bad ones: its own span touches the one before.
        open.toMs = Infinity;
        open.looks++;
      } else this.#sick.push({ fromMs: this.#lastGoodMs, toMs: Infinity, looks: 1 });
      this.#isSick = !isGood;
    }
  }
}
