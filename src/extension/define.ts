import type { FaultKind } from '../core/fault.ts';
import type { AnyFaultKind } from '../core/kinds.ts';
import type { Json } from '../core/plan.ts';
import type { ProbeKind } from '../core/probe.ts';
import type { TransportKind } from '../core/transport-kind.ts';
import type { WriterKind } from '../core/writer.ts';
import type { ReporterKind } from '../reporters/reporter.ts';

/** What a module of `extensions` exports as its default export. */
export interface Extension {
  /**
   * Lowercase letters, digits, and dashes. The name of each kind begins with it and a dot, such as `acme.fill` of the
   * extension `acme`, so that no later built-in kind has the same name.
   */
  readonly name: string;
  readonly faults: readonly AnyFaultKind[];
  readonly probes: readonly ProbeKind<unknown>[];
  readonly writers: readonly WriterKind<unknown>[];
  readonly transports: readonly TransportKind<unknown>[];
  readonly reporters: readonly ReporterKind[];
}

/** An extension with the kinds that it has. */
export function defineExtension(
  extension: Pick<Extension, 'name'> & Partial<Omit<Extension, 'name'>>,
): Extension {
  return { faults: [], probes: [], writers: [], transports: [], reporters: [], ...extension };
}

/** A kind of fault. */
export function defineFault<P, B extends Json = Json, R extends Json = Json>(
  kind: FaultKind<P, B, R>,
): AnyFaultKind {
  // The planner parses the parameters with the kind's own schema, and only the kind itself creates its states.
  return kind as unknown as AnyFaultKind;
}

/** A kind of probe. */
export function defineProbe<P>(kind: ProbeKind<P>): ProbeKind<unknown> {
  return kind;
}

/** A kind of writer. */
export function defineWriter<P>(kind: WriterKind<P>): WriterKind<unknown> {
  return kind;
}

/** A kind of transport to hosts. */
export function defineTransport<P>(kind: TransportKind<P>): TransportKind<unknown> {
  return kind;
}

/** A kind of reporter, for `--reporter`. */
export function defineReporter(kind: ReporterKind): ReporterKind {
  return kind;
}
