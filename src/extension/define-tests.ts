import type { CloudServer } from '../core/cloud.ts';
import type { Host } from '../core/host.ts';

/** How an extension's author lets `firedrill test-extension` try the kinds. */
export interface ExtensionTests {
  readonly faults?: readonly FaultTest[];
  readonly probes?: readonly ProbeTest[];
  readonly writers?: readonly WriterTest[];
  readonly transports?: readonly TransportTest[];
}

/** A place where a fault may be injected: a simulated host, or a harmless corner of this machine. */
export interface FaultStand {
  readonly host: Host;
  readonly server?: CloudServer;
  /** Fields of the fault, as a scenario has them. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Whether any part of the fault is in effect. It must not use the fault's own code. */
  isBroken(): boolean | Promise<boolean>;
  tearDown?(): void | Promise<void>;
}

/** A fault kind and a new stand for each trial. The suite makes about 80 trials. */
export interface FaultTest {
  readonly kind: string;
  setUp(): FaultStand | Promise<FaultStand>;
}

/** A probe kind, and the situations that it must tell apart. */
export interface ProbeTest {
  readonly kind: string;
  readonly situations: readonly ProbeSituation[];
}

/** One state of a probe's target. */
export interface ProbeSituation {
  readonly name: string;
  /** The sample that the probe must take. `silent`: the target never answers, so the attempt is aborted. */
  readonly expect: 'ok' | 'fail' | 'unknown' | 'silent';
  setUp(): Stand | Promise<Stand>;
}

/** A target of a probe, a writer, or a transport. */
export interface Stand {
  /** Fields of the probe, the writer, or the host, as a target file has them. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly host?: Host;
  /** Breaks the connection of a writer or a transport. Without it, the suite does not try what happens then. */
  readonly connection?: Connection;
  tearDown?(): void | Promise<void>;
}

/**
 * The connection between a kind and its target, which the suite breaks. `proxyTo` makes one for a TCP port. A transport that
 * runs a client program kills that program in `cut`, while the command on the host goes on.
 */
export interface Connection {
  /** From now on, requests reach the target, and its answers are held back until `restore`, which delivers them. */
  holdAnswers?(): void | Promise<void>;
  /** Breaks all open connections, and each new one until `restore`. What was sent before has reached the target. */
  cut(): void | Promise<void>;
  /** New connections work again. */
  restore(): void | Promise<void>;
}

/** A writer kind and a store for its rows. */
export interface WriterTest {
  readonly kind: string;
  setUp(): Stand | Promise<Stand>;
}

/** A transport kind and a host that it reaches, with a POSIX shell. */
export interface TransportTest {
  readonly kind: string;
  setUp(): Stand | Promise<Stand>;
}

/** The default export of a file of tests. */
export function defineTests(tests: ExtensionTests): ExtensionTests {
  return tests;
}
