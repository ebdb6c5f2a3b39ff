import { z } from 'zod';

const idPattern = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

const error =
  'expected a name of letters, digits, dots, dashes, and underscores, with a letter or digit first';

/** Ids and names in scenario and target files: hosts, probes, roles, models, faults, and so on. */
export const idSchema = z.string().max(100).regex(idPattern, { error });

/** The problem with an id; undefined for a valid one. */
export function wrongId(text: string): string | undefined {
  return idPattern.test(text) ? undefined : error;
}
