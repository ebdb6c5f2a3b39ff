import type { PlannedProbe } from './plan.ts';

/** What one probe instance saw at one of the rates. */
export interface RateFigures {
  /** Samples that were sent. */
  readonly sent: number;
  /** Slots that were not sent, as too many samples were under way. */
  readonly dropped: number;
  readonly failed: number;
  readonly unknown: number;
  /** Of good answers; null without any. */
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
}

/** What the burst does to one probe instance. */
export interface BurstEffect {
  readonly probe: Pick<PlannedProbe, 'id' | 'intervalMs' | 'burstIntervalMs' | 'timeoutMs'>;
  readonly base: RateFigures;
  readonly burst: RateFigures;
}
