import { type ControlSample, dilationOf } from '../core/control.ts';
import type { Spread } from '../core/summary.ts';
import {
  controlSamples,
  controlSilenceMs,
  dilationLimit,
  standstillDilation,
} from '../core/starvation-limits.ts';
import { earlier, latest, type RunMs } from '../core/time.ts';
import type { DegradedSpan } from './control-probe-record.ts';
import { Histogram } from './histogram.ts';

/** Summary of a run's control samples. */
export interface ControlRecord {
  readonly samples: number;
  /** Spread of the dilations; `Ms` stands for wall ms per CPU ms here. null without samples. */
  readonly dilation: Spread | null;
  /**
   * Times in which the machine was starved or the control reported nothing: from the last good sample to
   * the next one. In order, without overlaps.
   */
  readonly starved: readonly DegradedSpan[];
}

/** Reads control samples one by one. Memory: 24 bytes per sample (4 MB per day). */
export class ControlReader {
  readonly #startMs: RunMs;
  readonly #dilation = new Histogram();
  readonly #finishMs: RunMs[] = [];
  readonly #wallMs: number[] = [];
  readonly #dilations: number[] = [];

  constructor(startMs: RunMs) {
    this.#startMs = startMs;
  }

  /** Adds the next sample; returns the time in which the machine may have been starved, if any. */
  add(sample: ControlSample): { readonly fromMs: RunMs; readonly toMs: RunMs } | undefined {
    const dilation = dilationOf(sample);
    const beforeMs = this.#finishMs.at(-1) ?? this.#startMs;
    const startMs = earlier(sample.finishMs, sample.wallMs);
    this.#dilation.add(dilation);
    this.#finishMs.push(sample.finishMs);
    this.#wallMs.push(sample.wallMs);
    this.#dilations.push(dilation);
    const suspicious = dilation > dilationLimit || startMs - beforeMs > controlSilenceMs;
    return suspicious ? { fromMs: beforeMs, toMs: sample.finishMs } : undefined;
  }

  /** @param endMs The end of the log, ms. */
  finish(endMs: RunMs): ControlRecord {
    return {
      samples: this.#finishMs.length,
      dilation: this.#dilation.spread(),
      starved: merged([...this.#overLimit(endMs), ...this.#silences(endMs)]),
    };
  }

  /** Runs of starved samples, by the majority of their neighbors. */
  #overLimit(endMs: RunMs): readonly DegradedSpan[] {
    const spans: { fromMs: RunMs; toMs: RunMs; samples: number }[] = [];
    let isOpen = false;
    for (const [index, finishMs] of this.#finishMs.entries()) {
      const startMs = earlier(finishMs, this.#wallMs[index] ?? 0);
      const open = spans.at(-1);
      if (!this.#isStarved(index)) {
        if (isOpen && open !== undefined) open.toMs = startMs;
        isOpen = false;
      } else if (isOpen && open !== undefined) open.samples++;
      else {
        spans.push({ fromMs: this.#finishMs[index - 1] ?? this.#startMs, toMs: endMs, samples: 1 });
        isOpen = true;
      }
    }
    return spans;
  }

  #isStarved(index: number): boolean {
    if ((this.#dilations[index] ?? 0) >= standstillDilation) return true;
    const half = Math.floor(controlSamples / 2);
    const around = this.#dilations.slice(Math.max(0, index - half), index + half + 1);
    const over = around.filter((d) => d > dilationLimit).length;
    return over * 2 > around.length;
  }

  #silences(endMs: RunMs): readonly DegradedSpan[] {
    const spans: DegradedSpan[] = [];
    let beforeMs = this.#startMs;
    for (const [index, finishMs] of this.#finishMs.entries()) {
      const startMs = earlier(finishMs, this.#wallMs[index] ?? 0);
      if (startMs - beforeMs > controlSilenceMs) spans.push({ fromMs: beforeMs, toMs: startMs, samples: 0 });
      beforeMs = finishMs;
    }
    if (endMs - beforeMs > controlSilenceMs) spans.push({ fromMs: beforeMs, toMs: endMs, samples: 0 });
    return spans;
  }
}

function merged(spans: readonly DegradedSpan[]): readonly DegradedSpan[] {
  const result: DegradedSpan[] = [];
  for (const span of [...spans].sort((a, b) => a.fromMs - b.fromMs)) {
    const last = result.at(-1);
    if (last === undefined || span.fromMs > last.toMs) result.push(span);
    else
      result[result.length - 1] = {
        fromMs: last.fromMs,
        toMs: latest(last.toMs, span.toMs),
        samples: last.samples + span.samples,
      };
  }
  return result;
}
