import { type Counts, Histogram, leastMs } from '../analysis/histogram.ts';
import type { LogSink, OtherEvent, SampleEvent } from '../analysis/scan-log.ts';
import type { ProbeId } from '../core/ids.ts';
import { type DurationMs, later, type RunMs, runMs } from '../core/time.ts';

/** Latency of the good answers to requests sent in [fromMs, toMs). ms; relative error at most 1/256, the maximum is exact. */
export interface LatencyBucket {
  readonly fromMs: RunMs;
  readonly toMs: RunMs;
  readonly minMs: DurationMs;
  readonly p50Ms: DurationMs;
  readonly p99Ms: DurationMs;
  readonly maxMs: DurationMs;
}

/** Maximum buckets of a run: more than a chart can show. */
const mostBuckets = 200;
const firstWidthMs = 250;

interface Series {
  /** Counts of the closed buckets, by index. */
  counts: (Counts | undefined)[];
  readonly open: Histogram;
  openIndex: number;
}

/**
 * Collects the latency of good answers over a run while its log is read. A probe has at most 200 buckets, however
 * long the run: when a sample lies beyond the last bucket, all buckets become twice as wide.
 */
export class LatencyOverTime implements LogSink {
  readonly #series = new Map<ProbeId, Series>();
  readonly #scratch = new Histogram();
  #widthMs = firstWidthMs;
  #startMs = runMs(0);

  event(event: OtherEvent): void {
    if (event.type === 'run.started') this.#startMs = event.t;
  }

  sample({ probe, status, sendMs, finishMs }: SampleEvent): void {
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
      // A late answer: the next bucket is already open.
      this.#scratch.add(finishMs - sendMs);
      this.#merge(series, index, this.#scratch.take());
    }
  }

  /** A probe's buckets with at least one good answer, in order of time. */
  of(probe: ProbeId): readonly LatencyBucket[] {
    const series = this.#series.get(probe);
    if (series === undefined) return [];
    this.#close(series);
    return series.counts.flatMap((counts, index) => {
      if (counts === undefined) return [];
      this.#scratch.addAll(counts);
      const spread = this.#scratch.spread();
      this.#scratch.take();
      const fromMs = later(this.#startMs, index * this.#widthMs);
      return spread === null
        ? []
        : [{ fromMs, toMs: later(fromMs, this.#widthMs), minMs: leastMs(counts), ...spread }];
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
