import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import { messageOf } from '../../core/errors.ts';
import type { DurationMs } from '../../core/time.ts';

/** One promise of a kind, and whether it was kept. `not-tried`: nothing shows either. */
export interface Check {
  readonly kind: string;
  readonly promise: string;
  readonly status: 'ok' | 'fail' | 'not-tried';
  /** What was seen, or why it was not tried. */
  readonly seen?: string;
}

/** Receives checks as they are made. */
export type Report = (check: Check) => void;

/** A promise that was not kept. */
export class Broken extends Error {}

/** Fails the check unless `kept`. @throws Broken */
export function require(kept: boolean, seen: string): asserts kept {
  if (!kept) throw new Broken(seen);
}

/** Makes one check: it fails if `attempt` throws. */
export async function check(
  report: Report,
  kind: string,
  promise: string,
  attempt: () => void | Promise<void>,
): Promise<boolean> {
  try {
    await attempt();
  } catch (error) {
    const seen = error instanceof Broken ? error.message : `it threw: ${messageOf(error)}`;
    report({ kind, promise, status: 'fail', seen });
    return false;
  }
  report({ kind, promise, status: 'ok' });
  return true;
}

/** The result of `work`. @throws Broken if it has none after `ms` */
export async function within<T>(ms: DurationMs, what: string, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Broken(`${what} did not end within ${ms} ms`)), ms);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Fails unless a value is the same after it was stored as JSON. */
export function requireJson(value: unknown, what: string): void {
  const text: string | undefined = JSON.stringify(value);
  const same = text !== undefined && isDeepStrictEqual(JSON.parse(text), value);
  require(same, `${what} is not the same after it was stored as JSON`);
}

/** The parameters of a test as the kind parses them, which a plan stores as JSON. @throws Broken if they are invalid */
export function parsedParams<P>(schema: z.ZodType<P>, given: unknown): P {
  const { success, data, error } = schema.safeParse(given);
  require(success, `the test's parameters are invalid: ${messageOf(error)}`);
  requireJson(data, 'the result of `params`');
  return data;
}
