import { type Counts, Histogram, leastMs } from '../analysis/histogram.ts';
import type { SampleLine } from '../analysis/sample-line.ts';
import type { LogSink, OtherEvent } from '../analysis/scan-log.ts';

/** What good answers took that were asked for in a stretch of time. All ms; within 1/256, the maximum exact. */
export interface LatencyBucket {
  readonly fromMs: number;
  readonly toMs: number;
  readonly minMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Buckets of a run at most: more than a chart has room for. */
const mostBuckets = 200;
const firstWidthMs = 250;

interface Series {
  /** Of the buckets that are not being filled. */
  counts: (Counts | undefined)[];
  readonly open: Histogram;
  openIndex: number;
}

/**
 * Keeps what good answers took over the time of a run, as its log is read: a few hundred
 * buckets for each probe, however long the run. Where it outgrows them, each becomes twice as wide.
 */
export class LatencyOverTime implements LogSink {
  readonly #series = new Map<string, Series>();
  readonly #scratch = new Histogram();
  #widthMs = firstWidthMs;
  #startMs = 0;

  event(event: OtherEvent): void {
    if (event.type === 'run.started') this.#startMs = event.t;
  }

  sample({ probe, status, sendMs, finishMs }: SampleLine): void {
    if (status !== 'ok') return;
    const afterMs = Math.max(0, sendMs - this.#startMs);
    while (afterMs >= mostBuckets * this.#widthMs) this.#widen();
    const index = Math.floor(afterMs / this.#widthMs);
    let series = this.#series.get(probe);
    if (series === undefined) {
      series = { counts: [], open: new Histogram(), openIndex: index };
      this.#series.set(probe, series);
    }
    if (index > series.openIndex) {
      this.#close(series);
      series.openIndex = index;
    }
    if (index === series.openIndex) series.open.add(finishMs - sendMs);
    else {
      // An answer that came after those of the next bucket.
      this.#scratch.add(finishMs - sendMs);
      this.#merge(series, index, this.#scratch.take());
    }
  }

  /** The buckets of a probe in which anything was answered, in order; none of one that had no good answer. */
  of(probe: string): readonly LatencyBucket[] {
    const series = this.#series.get(probe);
    if (series === undefined) return [];
    this.#close(series);
    return series.counts.flatMap((counts, index) => {
      if (counts === undefined) return [];
      this.#scratch.addAll(counts);
      const spread = this.#scratch.spread();
      this.#scratch.take();
      const fromMs = this.#startMs + index * this.#widthMs;
      return spread === null
        ? []
        : [{ fromMs, toMs: fromMs + this.#widthMs, minMs: leastMs(counts), ...spread }];
    });
  }

  #close(series: Series): void {
    const counts = series.open.take();
    if (counts.pairs.length > 0) this.#merge(series, series.openIndex, counts);
  }

  #merge(series: Series, index: number, counts: Counts): void {
    const there = series.counts[index];
    if (there !== undefined) this.#scratch.addAll(there);
    this.#scratch.addAll(counts);
    series.counts[index] = this.#scratch.take();
  }

  #widen(): void {
    this.#widthMs *= 2;
    for (const series of this.#series.values()) {
      this.#close(series);
      const narrow = series.counts;
      series.counts = [];
      for (const [index, counts] of narrow.entries())
        if (counts !== undefined) this.#merge(series, Math.floor(index / 2), counts);
      series.openIndex = Math.floor(series.openIndex / 2);
    }
  }
}
