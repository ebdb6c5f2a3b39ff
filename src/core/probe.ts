import type { z } from 'zod';
import type { Clock } from './clock.ts';
import { limitText } from './format-duration.ts';
import type { Host } from './host.ts';
import type { HostUse } from './host-use.ts';
import type { ProbeLane } from './probe-lane.ts';
import type { Observation } from './sample.ts';
import type { DurationMs } from './time.ts';

/** An address of a host name. */
export interface NameAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/**
 * Resolves a host name to its addresses, in the order in which to try them. Rejects with an error with a
 * reason, and the `code` ENOTFOUND (no such name) or EAI_AGAIN (unknown).
 */
export type ResolveName = (name: string) => Promise<readonly NameAddress[]>;

/** What a probe may use. */
export interface ProbeContext {
  /** The host on which this instance's commands run: `from`, by default the host that it checks (`on`). */
  readonly host: Host | undefined;
  readonly clock: Clock;
  readonly timeoutMs: DurationMs;
  /** Resolves the names that it connects to. */
  readonly resolveName: ResolveName;
  /** Reads a file named in the parameters (CA, password); relative paths are already resolved. */
  readText(path: string): Promise<string>;
  /** Reads an environment variable named in the parameters. */
  env(name: string): string | undefined;
}

const probeTimeout = Symbol.for('firedrill.ProbeTimeout');

/** Reason of a canceled attempt: its timeout is over. Any other reason means that the run stops. */
export class ProbeTimeout extends Error {
  /** Marks the reasons of every copy of this class, as of `DrillError`. */
  readonly [probeTimeout] = true;

  static override [Symbol.hasInstance](value: unknown): boolean {
    return Object.hasOwn(Object(value), probeTimeout);
  }

  constructor(timeoutMs: DurationMs) {
    super(`no answer within ${limitText(timeoutMs)}`);
    this.name = 'ProbeTimeout';
  }
}

/** An open probe. */
export interface ProbeSession {
  /**
   * One attempt; the scheduler starts it at the slot's send time. Never throws: a failing target is `fail`, a
   * failing observer is `unknown`. The signal aborts at the probe's timeout (reason `ProbeTimeout`) or when
   * the run stops.
   */
  observe(signal: AbortSignal): Promise<Observation>;
  /**
   * True while it can take no other sample, because the target still processes earlier ones; slots are
   * dropped meanwhile.
   */
  isBusy?(): boolean;
  /** Frees what the session holds; called once, when the run ends. */
  close(): Promise<void>;
}

/**
 * What one sample costs the target while the target answers. Reopening a broken kept connection and the
 * transport to the host are not included.
 */
export interface SampleCost {
  /** New TCP connections, each with its TLS handshake or database session. */
  readonly newConnections: 0 | 1;
  /** Commands run on the instance's host. */
  readonly commands: 0 | 1;
  /** Lower bound on the processes that these commands start. */
  readonly processes: number;
  /**
   * Processes started per second between samples by a followed command: once per host, for all probes that
   * share it.
   */
  readonly standingProcessesPerSecond?: number;
}

/** A kind of probe: one file, one line in the catalog. */
export interface ProbeKind<P> {
  readonly kind: string;
  readonly summary: string;
  /**
   * Fields of a probe in a target file, in addition to `id`, `kind`, `on`, `from`, `interval`, `timeout`, and
   * `burst`.
   */
  readonly params: z.ZodType<P>;
  /**
   * `network`: only uses sockets; runs in the prober's own thread. `host`: runs commands through a Host,
   * outside of that thread.
   */
  readonly lane: ProbeLane;
  /** True if the kind needs `on:` or `from:` because it runs commands there. */
  readonly needsHost: boolean;
  /**
   * Names of the marks that each probe of the kind may record, in addition to those of its parameter `marks`.
   */
  readonly marks?: readonly string[];
  /**
   * All instances of one probe sample at the same moments, because they share one query. Otherwise samples
   * are spread over the interval.
   */
  readonly together?: true;
  /**
   * What it needs on the host where its commands run; with undefined parameters, what any parameters may
   * need. Absent for socket kinds.
   */
  uses?(params: P | undefined): HostUse;
  /**
   * The first field that conflicts with another one, and a message that begins with the field's name; checked
   * when the file is read.
   */
  conflict?(params: P): { readonly field: string; readonly message: string } | undefined;
  /**
   * Checks on the host for anything without which no sample could succeed, such as names that match nothing
   * or another implementation of a program. `doctor` calls it, and `open` refuses the same.
   *
   * @throws DrillError `invalid-input` for what is missing
   */
  check?(params: P, on: { readonly host: Host; readonly signal: AbortSignal }): Promise<void>;
  /** Cost of one sample; `plan` and `doctor` add the costs up. */
  cost(params: P): SampleCost;
  /**
   * Whether a sample may reuse a session of an earlier one. Such samples do not show that new clients are
   * served. `client`: a client with a persistent connection has the same outage. `state`: no client does; the
   * sample reads the server's state. Absent or undefined: each sample opens its own.
   */
  keepsSession?(params: P): 'client' | 'state' | undefined;
  /** What it checks, in words, for `plan`. */
  describe(params: P): string;
  /**
   * Called once per instance before its first slot. Throws DrillError `invalid-input` for errors that show
   * only at run time (unreadable CA file).
   */
  open(params: P, ctx: ProbeContext): Promise<ProbeSession>;
}
