import type { z } from 'zod';
import { fillPlaceholders, mapStrings } from '../core/placeholders.ts';
import type { PlannedHost } from '../core/plan.ts';
import type { NodePath } from './source.ts';

/**
 * Checks the kind's own fields of a probe or writer with a host's name and address filled in. The schema saw only the
 * placeholders, and a filled-in value may violate it.
 *
 * @param written the map as the file has it
 */
export function checkFilled(
  params: z.ZodType,
  written: unknown,
  host: PlannedHost,
  problem: (path: NodePath, message: string) => void,
): void {
  // The parameters of every kind are a strict object; `kindUnion` relies on it, too.
  const { shape } = params as unknown as z.ZodObject;
  const own = Object.entries(Object(written)).filter(([name]) => Object.hasOwn(shape, name));
  const lacking =
    host.address === undefined && own.find(([, value]) => textsOf(value).includes('${address}'));
  if (lacking) {
    problem([lacking[0]], `host "${host.name}" has no address in the target; add \`address\` to the host`);
    return;
  }
  if (!textsOf(own).includes('${')) return;
  const filled = mapStrings(Object.fromEntries(own), (text) => fillPlaceholders(text, host));
  for (const { path, message } of params.safeParse(filled).error?.issues ?? []) {
    const at = path.filter((part) => typeof part !== 'symbol');
    const field = at.findLast((part) => typeof part === 'string');
    problem(at, `${field === undefined ? '' : `${field}: `}for host "${host.name}": ${message}`);
  }
}

function textsOf(value: unknown): string {
  return JSON.stringify(value) ?? '';
}
