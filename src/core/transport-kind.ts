import type { z } from 'zod';
import type { Host, NoteListener } from './host.ts';

/** A kind of transport that an extension brings. The built-in ones are in `src/hosts`. */
export interface TransportKind<P> {
  readonly kind: string;
  readonly summary: string;
  /** Fields of a host in a target file, in addition to `transport`, `address`, and `server`. */
  readonly params: z.ZodType<P>;
  /** How commands reach the host, in words, for `plan`. */
  describe(params: P): string;
  /**
   * The host of this name. Opens no connection: an unreachable host fails at its first command. `onNote`
   * receives warnings about the connection.
   */
  create(params: P, on: { readonly name: string; readonly onNote: NoteListener }): Host;
}
