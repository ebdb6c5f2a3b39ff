import type { z } from 'zod';
import type { Clock } from './clock.ts';
import { limitWords } from './format-duration.ts';
import type { Host } from './host.ts';
import type { HostUse } from './host-use.ts';
import type { ProbeLane } from './probe-lane.ts';
import type { Observation } from './sample.ts';

/** An address of a host name. */
export interface NameAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/**
 * Resolves a host name to its addresses, in the order in which to try them. Rejects with an error that says why, with the
 * `code` ENOTFOUND (there is no such name) or EAI_AGAIN (that is not known).
 */
export type ResolveName = (name: string) => Promise<readonly NameAddress[]>;

/** What a probe may use. */
export interface ProbeContext {
  /** The host on which this instance's commands run: `from:`, or else the one it is about (`on:`). */
  readonly host: Host | undefined;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Resolves the names that it connects to. */
  readonly resolveName: ResolveName;
  /** Reads a file named in the parameters (CA, password); relative paths are already resolved. */
  readText(path: string): Promise<string>;
  /** Reads an environment variable named in the parameters. */
  env(name: string): string | undefined;
}

/** Why a look was cut short: its time-out passed. Any other reason means that the run stops. */
export class ProbeTimeout extends Error {
  constructor(timeoutMs: number) {
    super(`no answer within ${limitWords(timeoutMs)}`);
    this.name = 'ProbeTimeout';
  }
}

/** A probe at work. */
export interface ProbeSession {
  /**
   * One look, started by the scheduler at the slot's send time. Never throws:
   * a failing target is `fail`, a broken observer `unknown`. The signal aborts
   * at the probe's time-out (reason `ProbeTimeout`) or when the run stops.
   */
  observe(signal: AbortSignal): Promise<Observation>;
  /** True while it can take no other sample, because the target is still at work on earlier ones: slots are dropped meanwhile. */
  isBusy?(): boolean;
  /** Frees what the session holds; called once, when the run ends. */
  close(): Promise<void>;
}

/**
 * What one sample costs the target while the target answers; a kept connection that breaks is opened again, which is not
 * counted. The cost of the transport to the host is not included.
 */
export interface SampleCost {
  /** TCP connections opened, with the TLS handshake or database session that comes with each. */
  readonly newConnections: 0 | 1;
  /** Commands run on the host that the sample is taken from. */
  readonly commands: 0 | 1;
  /** Processes that these commands start, at least. */
  readonly processes: number;
  /** Processes started a second between the samples, by a command that is followed: once for each host, however many probes use it. */
  readonly standingProcessesPerSecond?: number;
}

/** A kind of probe: one file, one line in the catalog. */
export interface ProbeKind<P> {
  readonly kind: string;
  readonly summary: string;
  /** Fields of a probe in a target file, besides `id`, `kind`, `on`, `from`, `interval`, `timeout`, `burst`. */
  readonly params: z.ZodType<P>;
  /**
   * `network`: talks to sockets only; runs in the prober's own thread.
   * `host`: runs commands through a Host; kept off that thread.
   */
  readonly lane: ProbeLane;
  /** True if the kind needs `on:` or `from:` (it runs commands there). */
  readonly needsHost: boolean;
  /** Names of the marks that each probe of the kind may give, besides those that its parameter `marks` names. */
  readonly marks?: readonly string[];
  /** The instances of one probe look at the same moments: they share what they ask. Otherwise looks are spread over the interval. */
  readonly together?: true;
  /** What it needs on the host where its commands run; undefined parameters: whatever they are. Absent for kinds that talk to sockets. */
  uses?(params: P | undefined): HostUse;
  /** The first field that does not go with another one, and what is wrong, beginning with its name; found when the file is read. */
  conflict?(params: P): { readonly field: string; readonly message: string } | undefined;
  /**
   * Looks on the host where its commands run for what a sample needs and could never get otherwise: names that match nothing, a
   * program of another make. `doctor` calls it, and `open` refuses the same.
   * @throws DrillError `invalid-input` for what is missing
   */
  check?(params: P, on: { readonly host: Host; readonly signal: AbortSignal }): Promise<void>;
  /** What one sample costs: `plan` and `doctor` add it up. */
  cost(params: P): SampleCost;
  /**
   * Whether a sample may be answered in a session that an earlier one opened. Such samples do not show that new clients are
   * served. `client`: a client that keeps its connection sees the same outage. `state`: no client does; the question is the
   * server's state. Absent or undefined: each sample opens its own.
   */
  keepsSession?(params: P): 'client' | 'state' | undefined;
  /** What it asks, in words, for `plan`. */
  describe(params: P): string;
  /** Called once per instance before its first slot. Throws DrillError `invalid-input` for what only shows at run time (unreadable CA file). */
  open(params: P, ctx: ProbeContext): Promise<ProbeSession>;
}
