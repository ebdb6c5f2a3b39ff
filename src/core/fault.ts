import type { z } from 'zod';
import type { Clock } from './clock.ts';
import type { CloudServer } from './cloud.ts';
import type { Host } from './host.ts';
import type { HostUse } from './host-use.ts';
import type { Json } from './plan.ts';
import type { DurationMs } from './time.ts';

/** What a fault may use: its host, the host's cloud server, and the clock. */
export interface FaultContext {
  readonly host: Host;
  /** Undefined if the target names no server for the host. */
  readonly server: CloudServer | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * A kind of fault: one file, one line in the catalog.
 *
 * All methods throw DrillError if the connection to the host breaks (outcome unknown) or the host refuses.
 * The engine calls before, inject, effect (until true or its deadline), heal, and healed (until true or its
 * deadline), in this order.
 */
export interface FaultKind<P, B extends Json = Json, R extends Json = Json> {
  readonly kind: string;
  /** One line for docs and `plan`. */
  readonly summary: string;
  /**
   * When the engine heals. `recovery`: faults that last until they are undone, after the service has
   * recovered elsewhere. `redundancy`: faults from which the stack must recover by itself, so that the heal
   * does not help it.
   */
  readonly healAfter: 'recovery' | 'redundancy';
  /** Longest time from the acknowledgement until the effect, ms, if 30 s is not enough. */
  readonly effectWithinMs?: DurationMs;
  /**
   * What the target must define for a host of this kind: a cloud `server`, or a transport with a power
   * switch.
   */
  readonly needs?: 'server' | 'power';
  /**
   * Changes the network of its host. Refused on firedrill's own machine: all probes and commands use that
   * network.
   */
  readonly changesNetwork?: true;
  /** Fields of a fault in a scenario file, in addition to `kind`, `on`, and `at`. */
  readonly params: z.ZodType<P>;
  /**
   * What it needs on its host; with undefined parameters, what any parameters may need. Absent if it runs no
   * commands there.
   */
  uses?(params: P | undefined): HostUse;
  /** The inject and heal commands in words, for `plan`. Changes nothing. */
  describe(params: P): { readonly inject: string; readonly heal: string; readonly blastRadius: string };
  /** Text that `plan` adds if the host itself is a container. */
  onContainer?(params: P): string | undefined;
  /**
   * Observes the state before the fault; it is stored in the ledger before anything acts. Throws
   * `fault-failed` if the fault could have no effect here.
   */
  before(params: P, ctx: FaultContext): Promise<B>;
  /** Acts once. Returns a receipt of what was changed. */
  inject(params: P, before: B, ctx: FaultContext): Promise<R>;
  /** Whether the fault took effect. Also called if `inject` failed with an unknown outcome. */
  effect(params: P, before: B, ctx: FaultContext): Promise<boolean>;
  /**
   * True if the effect cannot be observed: then `effect` always returns true, and only an acknowledgement
   * shows that the fault acted.
   */
  unobserved?(params: P): boolean;
  /**
   * True if acting twice does no harm. Only then does firedrill repeat a repair whose answer was lost and
   * whose effect cannot be observed. Absent: false.
   */
  repeatable?(params: P): boolean;
  /**
   * The inverse as a script for /bin/sh on the fault's host, for the auto-revert timer, which fires when the
   * lease runs out. It must do no harm if the fault is already gone. Absent for kinds that cannot be undone
   * from their host, or whose fault ends by itself. Undefined if these parameters leave nothing to undo.
   */
  undo?(params: P, before: B): string | undefined;
  /**
   * False if a fault with these parameters has no undo on any host: then `plan` shows no timer. Absent: true.
   */
  undoes?(params: P): boolean;
  /** The inverse: idempotent, level-triggered (observe, converge), works after a crash of firedrill. */
  heal(params: P, before: B, ctx: FaultContext): Promise<void>;
  /** Proves that the fault is completely undone. Polled after `heal` until true or its deadline. */
  healed(params: P, before: B, ctx: FaultContext): Promise<boolean>;
}
