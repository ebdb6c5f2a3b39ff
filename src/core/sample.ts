import { count, object, type ObjectOf, oneOf, optional, text, time, wordOf } from './field-kinds.ts';

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

const phaseFields = {
  connectMs: optional(time),
  tlsMs: optional(time),
  firstByteMs: optional(time),
};

/** Milliseconds from sending to each reached step of a network exchange. */
export type Phases = ObjectOf<typeof phaseFields>;

export const sampleFields = {
  /** Probe instance, such as `pg-role@node-1`. */
  probe: text,
  slot: count,
  /** When the slot was due. */
  dueMs: time,
  /** When the request was actually sent. */
  sendMs: time,
  /** When the outcome was known. */
  finishMs: time,
  /**
   * Longest stall of the prober between send and finish, if it matters: this part of the latency was not
   * caused by the target.
   */
  stallMs: optional(time),
  status: oneOf('ok', 'fail', 'unknown'),
  cause: optional(wordOf<FailCause>()),
  /**
   * The state that the target reported. In failed samples, conditions read it only with the cause
   * `bad-state`.
   */
  value: optional(text),
  message: optional(text),
  phases: optional(object(phaseFields)),
};

/** An observation with its times on the run clock. All offsets in ms. */
export type Sample = ObjectOf<typeof sampleFields>;
