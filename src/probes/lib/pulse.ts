import { wallMs, type WallMs } from '../../core/time.ts';

/**
 * Interval of the heartbeats of a followed command, s. A heartbeat contains its time, which distinguishes a
 * command without output from a stalled pipe.
 */
const pulseSeconds = '0.5';
/** `sleep` and `date` for each heartbeat. */
export const pulseProcessesPerSecond = 2 / Number(pulseSeconds);
/**
 * Longest age of the last heartbeat, ms: several missed heartbeats, with a margin for a machine under load.
 * After it, the state is unknown.
 */
export const staleAfterMs = 2500;
/** Resolution of `date` in busybox, ms. It has no fractions of a second, and prints `%N` literally. */
export const coarseMs = 1000;

/**
 * Shell code that starts the heartbeats in the background. They end with the shell, or with the program that
 * replaces it by `exec`. The command `print` writes one heartbeat.
 */
export function pulseScript(print: string): string {
  return `self=$$
while { sleep ${pulseSeconds} 2>/dev/null || sleep 1; } && kill -0 "$self" 2>/dev/null; do ${print}; done &`;
}

/**
 * The time of a heartbeat, in ms since the Unix epoch. Without a fraction, it is the beginning of that
 * second.
 */
export interface Pulse {
  readonly wallMs: WallMs;
  readonly isCoarse: boolean;
}

/** Parses the output of `date +%s.%N`. Undefined for any other text. */
export function parsePulse(text: string): Pulse | undefined {
  const [, seconds, fraction] = /^(\d+)(?:\.(\d+|%?N)?)?$/.exec(text) ?? [];
  if (seconds === undefined) return undefined;
  const isCoarse = fraction === undefined || !/^\d+$/.test(fraction);
  return { wallMs: wallMs(Number(isCoarse ? seconds : `${seconds}.${fraction}`) * 1000), isCoarse };
}
