import type { DrillErrorCode } from '../core/errors.ts';
import type { NewEvent } from '../core/event.ts';
import type { PlannedProbe } from '../core/plan.ts';

/** What the prober's thread starts with. */
export interface WorkerInput {
  readonly probes: readonly PlannedProbe[];
  /** Origin of the run clock (see SystemClock). */
  readonly originNs: bigint;
  /** Run before other threads, where permitted. */
  readonly raisePriority: boolean;
}

/** Main thread to prober's thread. */
export type ToWorker =
  { readonly type: 'start' } | { readonly type: 'burst'; readonly on: boolean } | { readonly type: 'stop' };

/** Prober's thread to main thread. An Error would lose its class on the way: its parts are sent. */
export type FromWorker =
  | { readonly type: 'opened' }
  | {
      readonly type: 'failed';
      readonly code: DrillErrorCode;
      readonly message: string;
      readonly mend: string | undefined;
    }
  | { readonly type: 'events'; readonly events: readonly NewEvent[] }
  | { readonly type: 'stopped' };
