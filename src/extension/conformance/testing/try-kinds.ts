import { expect } from 'vitest';
import { z } from 'zod';
import { defineExtension } from '../../define.ts';
import type { ExtensionTests } from '../../define-tests.ts';
import type { Check } from '../check.ts';
import { tryExtension } from '../suite.ts';

/** Parameters of a kind that has none. */
export const noParams = z.strictObject({});

/** What the suite finds about an extension named `acme`. */
export async function checksOf(
  parts: Omit<Parameters<typeof defineExtension>[0], 'name'>,
  tests: ExtensionTests,
  run?: Parameters<typeof tryExtension>[0]['run'],
  out = '/nowhere',
): Promise<readonly Check[]> {
  const extension = defineExtension({ name: 'acme', ...parts });
  return tryExtension({ extension, tests, run, out }, () => {});
}

/** The broken promises of an extension named `acme`, each with what was seen. */
export async function failures(...args: Parameters<typeof checksOf>): Promise<readonly string[]> {
  const checks = await checksOf(...args);
  expect(checks.some(({ status }) => status === 'ok')).toBe(true);
  return checks.filter(({ status }) => status === 'fail').map(({ promise, seen }) => `${promise}: ${seen}`);
}
