import type { Answer } from './log-builder.ts';

/** How a simulated target fails. */
export type OutageKind = 'refused' | 'http-5xx' | 'hang' | 'drop' | 'stall';

/** A true outage, ms. */
export interface Outage {
  readonly fromMs: number;
  readonly toMs: number;
  readonly kind: OutageKind;
}

/**
 * A target whose true outages are known. A request takes effect at one instant
 * between send and answer; whether the target is up at that instant decides.
 * - refused: an error at once; http-5xx: an error after up to 300 ms more;
 * - hang: requests get lost, the prober times out;
 * - drop: requests are kept and their connections reset when the outage is over;
 * - stall: requests are kept and answered when the outage is over.
 */
export function simulatedTarget(
  outages: readonly Outage[],
  options: { readonly random: () => number; readonly maxLatencyMs: number; readonly timeoutMs: number },
): (sendMs: number) => Answer {
  const { random, maxLatencyMs, timeoutMs } = options;
  return (sendMs) => {
    const latencyMs = 0.5 + random() * (maxLatencyMs - 0.5);
    const actsMs = sendMs + latencyMs * random();
    const finishMs = sendMs + latencyMs;
    const outage = outages.find((o) => o.fromMs <= actsMs && actsMs < o.toMs);
    if (outage === undefined) return { status: 'ok', finishMs };
    const timedOut: Answer = { status: 'fail', cause: 'timeout', finishMs: sendMs + timeoutMs + random() };
    switch (outage.kind) {
      case 'refused':
        return { status: 'fail', cause: 'refused', finishMs };
      case 'http-5xx':
        return { status: 'fail', cause: 'http-5xx', finishMs: finishMs + 300 * random() };
      case 'hang':
        return timedOut;
      case 'drop':
      case 'stall': {
        const lateMs = outage.toMs + (finishMs - actsMs);
        if (lateMs >= sendMs + timeoutMs) return timedOut;
        return outage.kind === 'stall'
          ? { status: 'ok', finishMs: lateMs }
          : { status: 'fail', cause: 'reset', finishMs: lateMs };
      }
    }
  };
}
