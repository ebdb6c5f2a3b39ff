import type { PlannedProbe } from '../../src/core/plan.ts';

/** What the process of the prober is started with, as JSON in its first argument. */
export interface ProberInput {
  readonly probes: readonly PlannedProbe[];
  /** Where its event log goes; it must not exist. */
  readonly logPath: string;
}

/** To the prober's process. It ends when the channel closes. */
export type ToProber = { readonly type: 'burst'; readonly on: boolean } | { readonly type: 'stop' };

/** From the prober's process. */
export type FromProber =
  /** `originMs`: the moment of `monoMs` at offset 0 of the event log. */
  { readonly type: 'started'; readonly originMs: number } | { readonly type: 'stopped' };
