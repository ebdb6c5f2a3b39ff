/** Why a probe's target failed. */
export const failCauses = [
  'refused',
  'reset',
  'unreachable',
  'timeout',
  'tls',
  'dns',
  'http-5xx',
  'http-other',
  'bad-body',
  // The target reported its state, and the state is bad: the sample has it as its value.
  'bad-state',
  'error',
] as const;

export type FailCause = (typeof failCauses)[number];

/** Failures that tell of the way to the host, not of the host: it may be alive behind them, in any state. */
export const muteCauses: ReadonlySet<string | undefined> = new Set<FailCause>([
  'timeout',
  'unreachable',
  'dns',
]);

/** Something a log said happened, on the wall clock of the host that logged it. */
export interface LogMark {
  readonly name: string;
  /** Milliseconds since the Unix epoch, as stamped by the source. */
  readonly wallMs: number;
  /** Bounds of `wallMs`, where the source does not stamp it exactly. */
  readonly bounds?: { readonly minMs: number; readonly maxMs: number };
  readonly text: string;
  /** The host it is about, where that is not the probe's; the host that saw it, where it is about none of them. */
  readonly host?: string;
  /** What it says, where there is something to be picked out of it. */
  readonly value?: string;
}

/**
 * One look at a target.
 * - `ok`: the target answered as it should; `value` is the state it told, if the probe reads one.
 * - `fail`: the target answered wrongly or not at all.
 * - `unknown`: the observer broke; never counted as an outage, it only widens bounds.
 */
export type Observation =
  | {
      readonly status: 'ok';
      readonly value?: string;
      readonly marks?: readonly LogMark[];
      readonly phases?: Phases;
    }
  | {
      readonly status: 'fail';
      readonly cause: FailCause;
      readonly message: string;
      readonly value?: string;
      readonly phases?: Phases;
    }
  | { readonly status: 'unknown'; readonly message: string };

/** Milliseconds from sending to each step of a network exchange, where reached. */
export interface Phases {
  readonly connectMs?: number;
  readonly tlsMs?: number;
  readonly firstByteMs?: number;
}

/** An observation with its place on the run clock. All offsets in ms. */
export interface Sample {
  /** Probe instance, e.g. `pg-role@node-1`. */
  readonly probe: string;
  readonly slot: number;
  /** When the slot was due. */
  readonly dueMs: number;
  /** When the request was really sent. */
  readonly sendMs: number;
  /** When the outcome was known. */
  readonly finishMs: number;
  /**
   * Longest time between sending and finishing for which the prober itself was
   * stalled, where that is worth telling: so much of the latency is not the target's.
   */
  readonly stallMs?: number;
  readonly status: 'ok' | 'fail' | 'unknown';
  readonly cause?: FailCause;
  /** The state that the target reported. Of failed samples, conditions read only that of the cause `bad-state`. */
  readonly value?: string;
  readonly message?: string;
  readonly phases?: Phases;
}
