/** Time between two signs of life of a command that is followed, s. They carry the time, so that silence is told from a stalled pipe. */
const pulseSeconds = '0.5';
/** `sleep` and `date` for each sign of life. */
export const pulseProcessesPerSecond = 2 / Number(pulseSeconds);
/** Two of them missed and a machine under load: what comes later than that is no news. */
export const staleAfterMs = 2500;
/** `date` of busybox knows no fraction of a second, and prints `%N` as it is. */
export const coarseMs = 1000;

/** Lines of a shell that leave the pulse behind; it ends with the shell, or with what takes its place. `print` writes one. */
export function pulseScript(print: string): string {
  return `self=$$
while { sleep ${pulseSeconds} 2>/dev/null || sleep 1; } && kill -0 "$self" 2>/dev/null; do ${print}; done &`;
}

/** A sign of life: its time, ms since the Unix epoch. Without a fraction it is the beginning of that second. */
export interface Pulse {
  readonly wallMs: number;
  readonly isCoarse: boolean;
}

/** Reads what `date +%s.%N` printed; undefined for anything else. */
export function parsePulse(text: string): Pulse | undefined {
  const [, seconds, fraction] = /^(\d+)(?:\.(\d+|%?N)?)?$/.exec(text) ?? [];
  if (seconds === undefined) return undefined;
  const isCoarse = fraction === undefined || !/^\d+$/.test(fraction);
  return { wallMs: Number(isCoarse ? seconds : `${seconds}.${fraction}`) * 1000, isCoarse };
}
