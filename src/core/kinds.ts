import type { ExtensionModule } from './extension-module.ts';
import type { FaultKind } from './fault.ts';
import type { Json } from './plan.ts';
import type { ProbeKind } from './probe.ts';
import type { TransportKind } from './transport-kind.ts';
import type { WriterKind } from './writer.ts';

/** A fault kind with its parameter types erased, as the engine and the planner use it. */
export type AnyFaultKind = FaultKind<Json>;

/** The kinds that a target may use: the built-in ones, and those of its extensions. */
export interface Kinds {
  readonly faults: readonly AnyFaultKind[];
  readonly probes: readonly ProbeKind<unknown>[];
  readonly writers: readonly WriterKind<unknown>[];
  /** Transports of extensions. The built-in ones are not in this list. */
  readonly transports: readonly TransportKind<unknown>[];
  /** The fault kind with this name, or undefined. */
  readonly fault: (kind: string) => AnyFaultKind | undefined;
  /** The probe kind with this name, or undefined. */
  readonly probe: (kind: string) => ProbeKind<unknown> | undefined;
  /** The writer kind with this name, or undefined. */
  readonly writer: (kind: string) => WriterKind<unknown> | undefined;
  /** The transport of an extension with this name, or undefined. */
  readonly transport: (kind: string) => TransportKind<unknown> | undefined;
  /** The module that a kind came from; undefined for a built-in kind. */
  readonly moduleOf: (kind: AnyFaultKind | TransportKind<unknown>) => ExtensionModule | undefined;
}
