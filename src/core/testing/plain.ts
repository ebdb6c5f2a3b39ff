import type { Json } from '../plan.ts';
import type { RunMs, WallMs } from '../time.ts';

/** The same shape with plain numbers in place of moments, as tests write events, samples, and spans. */
export type Plain<T> = [Json] extends [T] ? T : PlainPart<T>;

type PlainPart<T> = T extends RunMs | WallMs
  ? number
  : T extends string | number | ((...args: never[]) => unknown)
    ? T
    : T extends object
      ? { [K in keyof T]: Plain<T[K]> }
      : T;

/** Takes the numbers of a test's data as the moments of `T`, the type that the caller expects. */
export function fromPlain<T>(plain: NoInfer<Plain<T>>): T;
export function fromPlain(plain: unknown): unknown {
  return plain;
}
