import { duration, type ObjectOf, runTime } from './field-kinds.ts';
import { controlSilenceMs, dilationLimit, standstillDilation } from './starvation-limits.ts';
import type { RunMs } from './time.ts';

export const controlSampleFields = {
  /** When the work ended, run clock, ms. */
  finishMs: runTime,
  /** Wall time of the work, ms. */
  wallMs: duration,
  /** CPU time of the work, ms. */
  cpuMs: duration,
};

/**
 * One piece of work of the control. The control is a firedrill process on the prober's machine that regularly
 * uses a fixed amount of CPU time at ordinary priority. Its slowdown measures how short of CPU the machine
 * is.
 */
export type ControlSample = ObjectOf<typeof controlSampleFields>;

/** Wall time divided by CPU time; 1 if nothing else ran. */
export function dilationOf({ wallMs, cpuMs }: Pick<ControlSample, 'wallMs' | 'cpuMs'>): number {
  return Math.max(1, wallMs / Math.max(cpuMs, 0.001));
}

/** Median dilation, the upper one of two; null without samples. */
export function medianDilation(samples: readonly ControlSample[]): number | null {
  const sorted = samples.map(dilationOf).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}

/** The machine's health by the control: `starved` and `silent` are degraded. */
export interface ControlHealth {
  readonly state: 'ok' | 'starved' | 'silent';
  /** Median dilation of the samples; null without any. */
  readonly dilation: number | null;
}

/**
 * The machine's health at a moment.
 *
 * @param recent the samples to judge by, in order, without older ones
 * @param sinceMs when the control was started
 */
export function controlHealth(recent: readonly ControlSample[], nowMs: RunMs, sinceMs: RunMs): ControlHealth {
  const dilation = medianDilation(recent);
  const lastMs = recent.at(-1)?.finishMs ?? sinceMs;
  if (nowMs - lastMs > controlSilenceMs) return { state: 'silent', dilation };
  const last = recent.at(-1);
  const stoodStill = last !== undefined && dilationOf(last) >= standstillDilation;
  return { state: stoodStill || (dilation ?? 1) > dilationLimit ? 'starved' : 'ok', dilation };
}

/** A dilation for messages: `1.4 x`, `12 x`. */
export function dilationText(dilation: number): string {
  return `${dilation < 9.95 ? dilation.toFixed(1) : Math.round(dilation)} x`;
}

/** Hint for a starved machine. */
export const starvedHint = 'use a quieter machine, fewer probes, or longer intervals';
