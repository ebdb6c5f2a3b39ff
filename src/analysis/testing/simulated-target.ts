import type { Answer } from './log-builder.ts';

/** The ways in which a simulated target fails. */
export type OutageKind = 'refused' | 'http-5xx' | 'hang' | 'drop' | 'stall';

/** A true outage, ms. */
export interface Outage {
  readonly fromMs: number;
  readonly toMs: number;
  readonly kind: OutageKind;
}

/**
 * A target with known outages. A request takes effect at one instant between sending and answer. The target's state at that
 * instant decides the answer:
 * - refused: an immediate error; http-5xx: an error after up to 300 ms more;
 * - hang: requests are lost, and the prober times out;
 * - drop: requests are kept, and their connections are reset at the end of the outage;
 * - stall: requests are kept, and answered at the end of the outage.
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
