import type { DrillErrorCode } from '../core/errors.ts';
import type { ExtensionModule } from '../core/extension-module.ts';
import type { NewEvent } from '../core/event.ts';
import type { PlannedProbe } from '../core/plan.ts';

/** Start data of the prober's thread. */
export interface WorkerInput {
  readonly extensions: readonly ExtensionModule[];
  readonly probes: readonly PlannedProbe[];
  /** Origin of the run clock (see SystemClock), ns. */
  readonly originNs: bigint;
  /** Raise the thread's priority, if permitted. */
  readonly raisePriority: boolean;
}

/** Messages from the main thread to the prober's thread. */
export type ToWorker =
  { readonly type: 'start' } | { readonly type: 'burst'; readonly on: boolean } | { readonly type: 'stop' };

/**
 * Messages from the prober's thread to the main thread. An Error loses its class when it is posted, so its
 * parts are sent.
 */
export type FromWorker =
  | { readonly type: 'opened' }
  | {
      readonly type: 'failed';
      readonly code: DrillErrorCode;
      readonly message: string;
      readonly hint: string | undefined;
    }
  | { readonly type: 'events'; readonly events: readonly NewEvent[] }
  | { readonly type: 'stopped' };
