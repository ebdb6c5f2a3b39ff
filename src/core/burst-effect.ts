import type { PlannedProbe } from './plan.ts';
import type { DurationMs } from './time.ts';

/** Results of one probe instance at one of the rates. */
export interface RateFigures {
  /** Samples that were sent. */
  readonly sent: number;
  /** Slots that were not sent, because too many samples were in flight or the target answered slowly. */
  readonly dropped: number;
  readonly failed: number;
  readonly unknown: number;
  /** Latency of good answers; null without any. */
  readonly p50Ms: DurationMs | null;
  readonly p90Ms: DurationMs | null;
}

/** Effect of the burst on one probe instance. */
export interface BurstEffect {
  readonly probe: Pick<PlannedProbe, 'id' | 'intervalMs' | 'burstIntervalMs' | 'timeoutMs'>;
  readonly base: RateFigures;
  readonly burst: RateFigures;
}
