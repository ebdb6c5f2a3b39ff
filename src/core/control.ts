import { controlSilenceMs, dilationLimit, standstillDilation } from './starvation-limits.ts';

/**
 * One piece of work that the control did. The control is a process of firedrill on the prober's machine that regularly
 * uses a fixed amount of CPU time, at ordinary priority. How much longer that takes is how short the machine is of CPU.
 */
export interface ControlSample {
  /** When the work ended, run clock, ms. */
  readonly finishMs: number;
  /** How long it took, ms. */
  readonly wallMs: number;
  /** The CPU time in it, ms. */
  readonly cpuMs: number;
}

/** Wall time divided by CPU time; 1 where nothing else ran. */
export function dilationOf({ wallMs, cpuMs }: Pick<ControlSample, 'wallMs' | 'cpuMs'>): number {
  return Math.max(1, wallMs / Math.max(cpuMs, 0.001));
}

/** The median of dilations, the upper one of two; null of none. */
export function medianDilation(samples: readonly ControlSample[]): number | null {
  const sorted = samples.map(dilationOf).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}

/** What the control says of the machine: `starved` and `silent` are degraded. */
export interface ControlHealth {
  readonly state: 'fit' | 'starved' | 'silent';
  /** The median of the samples; null without any. */
  readonly dilation: number | null;
}

/**
 * The machine's health at a moment.
 * @param recent the samples to judge by, in order, without older ones
 * @param sinceMs the control was started then
 */
export function controlHealth(
  recent: readonly ControlSample[],
  nowMs: number,
  sinceMs: number,
): ControlHealth {
  const dilation = medianDilation(recent);
  const lastMs = recent.at(-1)?.finishMs ?? sinceMs;
  if (nowMs - lastMs > controlSilenceMs) return { state: 'silent', dilation };
  const last = recent.at(-1);
  const stoodStill = last !== undefined && dilationOf(last) >= standstillDilation;
  return { state: stoodStill || (dilation ?? 1) > dilationLimit ? 'starved' : 'fit', dilation };
}

/** A dilation as people read it: `1.4 x`, `12 x`. */
export function dilationWords(dilation: number): string {
  return `${dilation < 9.95 ? dilation.toFixed(1) : Math.round(dilation)} x`;
}

/** What a starved machine can be given. */
export const starvedHint = 'use a quieter machine, fewer probes or longer intervals';
