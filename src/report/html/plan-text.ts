import { stringify } from 'yaml';
import type { Json, Plan } from '../../core/plan.ts';

/** Names whose value may be a secret. A reference to a secret (a file, a variable) is not a secret. */
const secretName =
  /(pass(word|wd|phrase)?|secret|token|credentials?|authorization|cookie|api-?key|private-?key)$/i;
const stands = '[secret]';

/** A drill's plan as text, with secrets masked. */
interface PlanTexts {
  /** The scenario file as it was read; undefined if the log does not have it. */
  readonly file: string | undefined;
  /** The resolved scenario (all defaults and variables filled in) as YAML. */
  readonly scenario: string;
  /** The parts of the target that the drill uses, resolved, as YAML. */
  readonly target: string;
}

export function planTexts(plan: Plan): PlanTexts {
  const { target, hosts, probes, writers, roles, ownership, models, healthy, ...rest } = plan;
  const { text, ...scenario } = rest.scenario;
  const own = { target, hosts, healthy, roles, ownership, probes, writers, models };
  return {
    file: text === undefined ? undefined : linesWithoutSecrets(text),
    scenario: yamlOf({ ...rest, scenario }),
    target: yamlOf(own),
  };
}

/** Masks the value after each name in `secretName`, in comments too. */
function linesWithoutSecrets(text: string): string {
  return inUrls(text).replaceAll(
    /([\w-]+)(["']?[ \t]*[:=][ \t]*)([^\s{}#][^\n#]*)/g,
    (all, name: string, is: string) => (secretName.test(name) ? `${name}${is}${stands}` : all),
  );
}

/** Masks passwords in URLs. */
function inUrls(text: string): string {
  return text.replaceAll(/(:\/\/[^\s/:@]*):[^\s/@]+@/g, `$1:${stands}@`);
}

function yamlOf(value: unknown): string {
  const clean = withoutSecrets(JSON.parse(JSON.stringify(value)) as Json);
  return stringify(clean, { lineWidth: 110, aliasDuplicateObjects: false });
}

function withoutSecrets(value: Json): Json {
  if (typeof value === 'string') return inUrls(value);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(withoutSecrets);
  return Object.fromEntries(
    Object.entries(value).map(([name, item]: [string, Json]) => [
      name,
      secretName.test(name) && typeof item === 'string' ? stands : withoutSecrets(item),
    ]),
  );
}
