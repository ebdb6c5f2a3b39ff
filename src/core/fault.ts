import type { z } from 'zod';
import type { Clock } from './clock.ts';
import type { CloudServer } from './cloud.ts';
import type { Host } from './host.ts';
import type { HostUse } from './host-use.ts';
import type { Json } from './plan.ts';

/** What a fault may touch: its host, the server that its cloud runs it as, and time; nothing else. */
export interface FaultContext {
  readonly host: Host;
  /** Undefined where the target names no server for the host. */
  readonly server: CloudServer | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * A kind of fault: one file, one line in the catalog.
 *
 * All methods throw DrillError when the channel to the host breaks (outcome
 * unknown) or the host refuses. Order of calls by the engine: before, inject,
 * effect (until true or its deadline), heal, healed (until true or its deadline).
 */
export interface FaultKind<P, B extends Json = Json, R extends Json = Json> {
  readonly kind: string;
  /** One line for docs and `plan`. */
  readonly summary: string;
  /**
   * When the engine heals: `recovery` for faults that last until undone (the
   * service recovered elsewhere meanwhile), `redundancy` for those the stack is
   * expected to mend itself, so that the heal does not help it.
   */
  readonly healAfter: 'recovery' | 'redundancy';
  /** How long the effect may take to show after the acknowledgement, in ms, where half a minute is not enough. */
  readonly effectWithinMs?: number;
  /** What the target must give for a host this kind acts on: a `server` of a cloud, or a transport with a power switch. */
  readonly needs?: 'server' | 'power';
  /** Changes the network of its host. Refused on firedrill's own machine: all probes and commands use that network. */
  readonly changesNetwork?: true;
  /** Fields of a fault in a scenario file, besides `kind`, `on` and `at`. */
  readonly params: z.ZodType<P>;
  /** What it needs on its host; undefined parameters: whatever they are. Absent where it runs no commands there. */
  uses?(params: P | undefined): HostUse;
  /** The commands in words, for `plan`: what is done and what undoes it. Touches nothing. */
  describe(params: P): { readonly inject: string; readonly heal: string; readonly blastRadius: string };
  /** What `plan` adds where the host is a container itself. */
  onContainer?(params: P): string | undefined;
  /** Observes the state before the fault; stored in the ledger before anything acts. Throws `fault-failed` when the fault could have no effect here. */
  before(params: P, ctx: FaultContext): Promise<B>;
  /** Acts, once. Returns a receipt of what was really changed. */
  inject(params: P, before: B, ctx: FaultContext): Promise<R>;
  /** Did it really happen? A fault without effect is no drill. Also asked where `inject` broke off with an unknown outcome. */
  effect(params: P, before: B, ctx: FaultContext): Promise<boolean>;
  /** True where nothing can be looked at, and `effect` says yes for want of anything else: then only an acknowledgement tells. */
  unseen?(params: P): boolean;
  /**
   * True where acting twice does no harm. Only then does firedrill repeat a repair whose answer was lost and whose effect
   * cannot be observed. Absent: false.
   */
  repeatable?(params: P): boolean;
  /**
   * The inverse as a script for /bin/sh on the fault's host, for a timer there that fires when firedrill is silent for
   * longer than the lease. It does no harm where the fault is gone. Kinds without it cannot be undone from their host, or
   * mend themselves; undefined where these parameters leave nothing to undo.
   */
  undo?(params: P, before: B): string | undefined;
  /** False if a fault with these parameters has no undo on any host: then `plan` shows no timer. Absent: true. */
  undoes?(params: P): boolean;
  /** The inverse: idempotent, level-triggered (observe, converge), works after a crash of the harness. */
  heal(params: P, before: B, ctx: FaultContext): Promise<void>;
  /** Proof that nothing of the fault is left. Polled after `heal` until true or its deadline. */
  healed(params: P, before: B, ctx: FaultContext): Promise<boolean>;
}
