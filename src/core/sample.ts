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
  // The target reported its state, and the state is bad: the sample's value is that state.
  'bad-state',
  'error',
] as const;

export type FailCause = (typeof failCauses)[number];

/** Failures of the network path to the host. The host may be alive, in any state. */
export const pathFailureCauses: ReadonlySet<string | undefined> = new Set<FailCause>([
  'timeout',
  'unreachable',
  'dns',
]);

/** An event in a log, on the wall clock of the host that logged it. */
export interface LogMark {
  readonly name: string;
  /** Milliseconds since the Unix epoch, as stamped by the source. */
  readonly wallMs: number;
  /** Bounds of `wallMs`, if the source does not stamp it exactly. */
  readonly bounds?: { readonly minMs: number; readonly maxMs: number };
  readonly text: string;
  /**
   * The host of the event if it is not the probe's host; if the event is about no host, the host that
   * observed it.
   */
  readonly host?: string;
  /** The captured value, if the mark has one. */
  readonly value?: string;
}

/**
 * Result of one attempt on a target.
 *
 * - `ok`: the target answered correctly; `value` is the state that it reported, if the probe reads one.
 * - `fail`: the target answered wrongly or not at all.
 * - `unknown`: the observer failed. It never counts as an outage; it only widens bounds.
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

/** Milliseconds from sending to each reached step of a network exchange. */
export interface Phases {
  readonly connectMs?: number;
  readonly tlsMs?: number;
  readonly firstByteMs?: number;
}

/** An observation with its times on the run clock. All offsets in ms. */
export interface Sample {
  /** Probe instance, such as `pg-role@node-1`. */
  readonly probe: string;
  readonly slot: number;
  /** When the slot was due. */
  readonly dueMs: number;
  /** When the request was actually sent. */
  readonly sendMs: number;
  /** When the outcome was known. */
  readonly finishMs: number;
  /**
   * Longest stall of the prober between send and finish, if it matters: this part of the latency was not
   * caused by the target.
   */
  readonly stallMs?: number;
  readonly status: 'ok' | 'fail' | 'unknown';
  readonly cause?: FailCause;
  /**
   * The state that the target reported. In failed samples, conditions read it only with the cause
   * `bad-state`.
   */
  readonly value?: string;
  readonly message?: string;
  readonly phases?: Phases;
}
