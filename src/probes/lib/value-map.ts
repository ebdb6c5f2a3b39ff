import { z } from 'zod';

/** Names for the values that a probe reads: `{ f: primary, t: standby }`. */
export const valueMap = z
  .record(z.string(), z.string())
  .optional()
  .describe('Names for values, such as {f: primary, t: standby}. Other values stay unchanged.');

/** The name that the target file gives a value, or the value itself. */
export function mapValue(map: Readonly<Record<string, string>> | undefined, value: string): string {
  return map !== undefined && Object.hasOwn(map, value) ? (map[value] ?? value) : value;
}
