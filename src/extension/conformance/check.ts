import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import { messageOf } from '../../core/errors.ts';
import type { DurationMs } from '../../core/time.ts';
import { type Intrusion, watchProcess } from './watch-process.ts';

/** What a kind promises, and how its author keeps it. */
export interface Promised {
  readonly promise: string;
  /** The edit that keeps the promise. */
  readonly hint: string;
}

/** One promise of a kind, and whether it was kept. `not-tried`: nothing shows either. */
export interface Check {
  readonly kind: string;
  readonly promise: string;
  readonly status: 'ok' | 'fail' | 'not-tried';
  /** What was seen, or why it was not tried. */
  readonly seen?: string;
  /** What the author can do about it. */
  readonly hint?: string;
}

/** Receives checks as they are made. */
export type Report = (check: Check) => void;

/** A promise that was not kept. */
export class Broken extends Error {
  /** What the author can do about it, if it is not the hint of the promise. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** A promise that cannot be tried with the author's test. */
export class NotTried extends Error {
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** Fails the check unless `kept`. @throws Broken */
export function require(kept: boolean, seen: string): asserts kept {
  if (!kept) throw new Broken(seen);
}

/** Makes one check: it fails if `attempt` throws, or does something to firedrill's own process that a kind must not do. */
export async function check(
  report: Report,
  kind: string,
  { promise, hint }: Promised,
  attempt: () => void | Promise<void>,
): Promise<boolean> {
  const stopWatching = watchProcess();
  const wrong = await resultOf(attempt);
  const intrusion = await stopWatching();
  // What breaks the process explains what the attempt saw.
  const found = intrusion === undefined ? wrong : brokenBy(intrusion);
  if (found === undefined) {
    report({ kind, promise, status: 'ok' });
    return true;
  }
  const status = found instanceof NotTried ? 'not-tried' : 'fail';
  const seen = found instanceof Broken || found instanceof NotTried ? found.message : threw('it', found);
  const own = found instanceof Broken || found instanceof NotTried ? found.hint : undefined;
  report({ kind, promise, status, seen, hint: own ?? hint });
  return false;
}

async function resultOf(attempt: () => void | Promise<void>): Promise<unknown> {
  try {
    await attempt();
    return undefined;
  } catch (error) {
    return error ?? new Error('undefined');
  }
}

function brokenBy({ what, hint }: Intrusion): Broken {
  return new Broken(what, hint);
}

/** Reports a promise that was not tried. */
export function notTried(report: Report, kind: string, promise: string, { message, hint }: NotTried): void {
  report({ kind, promise, status: 'not-tried', seen: message, hint });
}

/** The message of an error that something threw. */
export function threw(what: string, error: unknown): string {
  const isError = error instanceof Error;
  return `${what} threw${isError ? '' : ' a value that is not an Error'}: ${messageOf(error)}`;
}

/** The result of `work`. @throws Broken if it has none after `ms` */
export async function within<T>(ms: DurationMs, what: string, work: T | Promise<T>): Promise<T> {
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

/** Fails unless `text` is a text with at least one character. */
export function requireText(text: unknown, what: string): void {
  require(text !== '', `${what} is empty`);
  require(typeof text === 'string', `${what} is ${shown(text)}: expected a text`);
}

/** A value as text for a message. */
export function shown(value: unknown): string {
  return value === undefined ? 'undefined' : (JSON.stringify(value) ?? typeof value);
}

/** Longest time for the author's `setUp` and `tearDown`, ms. */
const stageMs = 60_000;

/** Runs `work` on a new stand of the author's test. @throws Broken if the test itself fails */
export async function withStand<S extends { tearDown?(): void | Promise<void> }, T>(
  test: { setUp(): S | Promise<S> },
  work: (stand: S) => Promise<T>,
): Promise<T> {
  const stand = await ofTest('setUp', () => test.setUp());
  try {
    return await work(stand);
  } finally {
    await ofTest('tearDown', () => stand.tearDown?.());
  }
}

/** Calls a function of the author's test. */
export async function ofTest<T>(name: string, call: () => T | Promise<T>): Promise<T> {
  const hint = `Correct \`${name}\` in the file of tests: the kind was not the cause.`;
  try {
    return await within(stageMs, `\`${name}\` of the test`, call());
  } catch (error) {
    const seen = error instanceof Broken ? error.message : threw(`\`${name}\` of the test`, error);
    throw new Broken(seen, hint);
  }
}

/** The parameters of a test as the kind parses them, which a plan stores as JSON. @throws Broken if they are invalid */
export function parsedParams<P>(schema: z.ZodType<P>, given: unknown): P {
  const { success, data, error } = schema.safeParse(given);
  if (!success)
    throw new Broken(
      `the test's parameters are invalid: ${messageOf(error)}`,
      'Correct `params` in the file of tests, or the schema of the kind.',
    );
  requireJson(data, 'the result of `params`');
  return data;
}
