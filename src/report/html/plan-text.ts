import { stringify } from 'yaml';
import type { Json, Plan } from '../../core/plan.ts';

/** Names under which a secret may stand; references to one (a file, a variable) are none. */
const secretName =
  /pass(word|wd|phrase)?$|secret|token|credential|authorization|cookie|api-?key|private-?key/i;
const stands = '[secret]';

/** The plan of a drill as YAML, in two parts: what the scenario says, and what of the target it uses. Secrets are taken out. */
export function planTexts(plan: Plan): { readonly scenario: string; readonly target: string } {
  const { target, hosts, probes, writers, roles, ownership, models, healthy, ...scenario } = plan;
  const own = { target, hosts, healthy, roles, ownership, probes, writers, models };
  return { scenario: yamlOf(scenario), target: yamlOf(own) };
}

function yamlOf(value: unknown): string {
  const clean = withoutSecrets(JSON.parse(JSON.stringify(value)) as Json);
  return stringify(clean, { lineWidth: 110, aliasDuplicateObjects: false });
}

function withoutSecrets(value: Json): Json {
  if (typeof value === 'string') return value.replaceAll(/(:\/\/[^\s/:@]*):[^\s/@]+@/g, `$1:${stands}@`);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(withoutSecrets);
  return Object.fromEntries(
    Object.entries(value).map(([name, item]: [string, Json]) => [
      name,
      secretName.test(name) && typeof item === 'string' ? stands : withoutSecrets(item),
    ]),
  );
}
