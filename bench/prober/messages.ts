import type { PlannedProbe } from '../../src/core/plan.ts';

/** Input of the prober's process, as JSON in its first argument. */
export interface ProberInput {
  readonly probes: readonly PlannedProbe[];
  /** Path of the event log; the file must not exist. */
  readonly logPath: string;
}

/** Message to the prober's process. It ends when the channel closes. */
export type ToProber = { readonly type: 'burst'; readonly on: boolean } | { readonly type: 'stop' };

/** Message from the prober's process. */
export type FromProber =
  /** `originMs`: the time of `monoMs` at offset 0 of the event log. */
  { readonly type: 'started'; readonly originMs: number } | { readonly type: 'stopped' };
