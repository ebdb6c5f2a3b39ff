import { z } from 'zod';

/** Names for the values that a probe reads: `{ f: primary, t: standby }`. */
export const valueMap = z
  .record(z.string(), z.string())
  .optional()
  .describe('What values are called, e.g. {f: primary, t: standby}; others stay as they are.');

/** A value by the name the target file gives it. */
export function mapValue(map: Readonly<Record<string, string>> | undefined, value: string): string {
  return map !== undefined && Object.hasOwn(map, value) ? (map[value] ?? value) : value;
}
