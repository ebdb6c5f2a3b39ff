import type { ExtensionModule } from '../core/extension-module.ts';
import type { AnyFaultKind, Kinds } from '../core/kinds.ts';
import type { ProbeKind } from '../core/probe.ts';
import type { TransportKind } from '../core/transport-kind.ts';
import type { WriterKind } from '../core/writer.ts';
import { faultKinds } from '../faults/catalog.ts';
import { probeKinds } from '../probes/catalog.ts';
import { writerKinds } from '../writers/catalog.ts';

/** The kinds of one extension, and its module. */
export interface KindsOfModule {
  readonly module: ExtensionModule;
  readonly faults: readonly AnyFaultKind[];
  readonly probes: readonly ProbeKind<unknown>[];
  readonly writers: readonly WriterKind<unknown>[];
  readonly transports: readonly TransportKind<unknown>[];
}

/** The built-in kinds, and those of extensions. The loader has checked that no name exists twice. */
export function kindsWith(extensions: readonly KindsOfModule[]): Kinds {
  const faults = [...faultKinds, ...extensions.flatMap((extension) => extension.faults)];
  const probes = [...probeKinds, ...extensions.flatMap((extension) => extension.probes)];
  const writers = [...writerKinds, ...extensions.flatMap((extension) => extension.writers)];
  const transports = extensions.flatMap((extension) => extension.transports);
  const modules = new Map<object, ExtensionModule>(
    extensions.flatMap((extension) =>
      [...extension.faults, ...extension.transports].map((kind) => [kind, extension.module] as const),
    ),
  );
  return {
    faults,
    probes,
    writers,
    transports,
    fault: finder(faults),
    probe: finder(probes),
    writer: finder(writers),
    transport: finder(transports),
    moduleOf: (kind) => modules.get(kind),
  };
}

function finder<K extends { readonly kind: string }>(kinds: readonly K[]): (kind: string) => K | undefined {
  return (name) => kinds.find(({ kind }) => kind === name);
}

/** The kinds of a target without extensions. */
export const builtInKinds: Kinds = kindsWith([]);
