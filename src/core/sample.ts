import {
  count,
  duration,
  object,
  type ObjectOf,
  oneOf,
  optional,
  runTime,
  text,
  textOf,
} from './field-kinds.ts';
import type { HostName, ProbeId } from './ids.ts';
import type { WallMs } from './time.ts';

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
  readonly wallMs: WallMs;
  /** Bounds of `wallMs`, if the source does not stamp it exactly. */
  readonly bounds?: { readonly minMs: WallMs; readonly maxMs: WallMs };
  readonly text: string;
  /**
   * The host of the event if it is not the probe's host; if the event is about no host, the host that
   * observed it.
   */
  readonly host?: HostName;
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
  connectMs: optional(duration),
  tlsMs: optional(duration),
  firstByteMs: optional(duration),
};

/** Milliseconds from sending to each reached step of a network exchange. */
export type Phases = ObjectOf<typeof phaseFields>;

export const sampleFields = {
  /** Probe instance, such as `pg-role@node-1`. */
  probe: textOf<ProbeId>(),
  slot: count,
  /** When the slot was due. */
  dueMs: runTime,
  /** When the request was actually sent. */
  sendMs: runTime,
  /** When the outcome was known. */
  finishMs: runTime,
  /**
   * Longest stall of the prober between send and finish, if it matters: this part of the latency was not
   * caused by the target.
   */
  stallMs: optional(duration),
  status: oneOf('ok', 'fail', 'unknown'),
  cause: optional(textOf<FailCause>()),
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
