import { readFileSync } from 'node:fs';
import { secretsOfCloud } from '../cloud/catalog.ts';
import type { Plan, PlannedHost } from '../core/plan.ts';
import { createRedactor, type Redactor } from '../core/redact.ts';

/** What this process prints and keeps goes through it. */
export const redactor: Redactor = createRedactor();

/** Parts of a plan that may name secrets. */
type Naming = Pick<Plan, 'hosts' | 'probes' | 'writers'>;

/**
 * Has every secret that a plan refers to kept out of what is printed and kept: by environment variable, file and
 * clouds.yaml. One that is not there is left to whoever needs it. One that stands in the plan itself is no secret: it is in
 * the log as it is in the file. Returns what cannot be kept quiet, in words.
 */
export function learnSecrets(plan: Naming): string[] {
  const written = JSON.stringify(plan);
  const found = [
    ...referencesIn([
      plan.probes.map((p) => p.params),
      plan.writers.flatMap((w) => w.paths.map((p) => p.params)),
    ]),
    ...plan.hosts.flatMap((host) =>
      secretsOfCloud(host).map((secret) => ({ where: `cloud of ${host.name}`, secret })),
    ),
  ];
  return found.flatMap(({ where, secret }) => {
    if (secret !== '' && written.includes(JSON.stringify(secret).slice(1, -1))) {
      return [
        `the secret from ${where} stands in the scenario or target, too, and cannot be kept out of the log`,
      ];
    }
    redactor.add(secret);
    return [];
  });
}

/** Has the secrets of hosts' clouds kept out of what is printed: for heals, which have no plan. */
export function learnCloudSecrets(host: PlannedHost): void {
  for (const secret of secretsOfCloud(host)) redactor.add(secret);
}

/** What `{ env: NAME }` and `{ file: PATH }` anywhere in a value refer to. */
function referencesIn(value: unknown): { readonly where: string; readonly secret: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  const [only, ...others] = Object.entries(value) as [string, unknown][];
  if (only !== undefined && others.length === 0 && typeof only[1] === 'string' && !Array.isArray(value)) {
    const [key, place] = only;
    const secret = key === 'env' ? process.env[place] : key === 'file' ? contentOf(place) : undefined;
    return secret === undefined ? [] : [{ where: place, secret }];
  }
  return Object.values(value).flatMap(referencesIn);
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch {
    return undefined;
  }
}
