import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { secretsOfCloud } from '../cloud/catalog.ts';
import type { Json, Plan, PlannedHost } from '../core/plan.ts';
import { createRedactor, type Redactor } from '../core/redact.ts';
import { proxyPasswords } from '../http/proxy.ts';

/** All output and all files of this process pass through this redactor. */
export const redactor: Redactor = createRedactor();

/** The parts of a plan that may refer to secrets. */
type Naming = Pick<Plan, 'hosts' | 'probes' | 'writers'>;

/** Warnings that this process has printed. A table has many drills with the same target. */
const warned = new Set<string>();

/**
 * Adds every secret that a plan refers to (by environment variable, file, or clouds.yaml) to the redactor. A missing secret
 * is ignored here; its user reports it. A secret that also appears in a text of the plan is not redacted, because the log
 * contains the plan. Paths of files are never redacted. Returns a warning for each secret that is not redacted, once per
 * process.
 */
export function learnSecrets(plan: Naming): string[] {
  for (const path of pathsIn(plan)) {
    redactor.keep(path);
    redactor.keep(resolve(path));
  }
  for (const password of proxyPasswords(process.env)) redactor.add(password);
  const references = referencesIn([
    plan.probes.map((p) => p.params),
    plan.writers.flatMap((w) => w.paths.map((p) => p.params)),
    plan.hosts.map(transportParams),
  ]);
  const found = new Map<string, string>();
  for (const { where, secret } of [
    ...references,
    ...plan.hosts.flatMap((host) =>
      secretsOfCloud(host).map((secret) => ({ where: `the cloud of ${host.name}`, secret })),
    ),
  ]) {
    if (secret !== '' && !found.has(secret)) found.set(secret, where);
  }
  const texts = textsIn(plan, '');
  return [...found].flatMap(([secret, where]) => {
    const place = texts.find(({ text }) => text.includes(secret))?.place;
    if (place === undefined) {
      redactor.add(secret);
      return [];
    }
    const warning = `the secret from ${where} also appears in ${place}, so logs and reports show it; change the secret, or remove it there`;
    if (warned.has(warning)) return [];
    warned.add(warning);
    return [warning];
  });
}

/** Keys of a plan whose value is a path. */
const pathKeys: ReadonlySet<string> = new Set([
  'caFile',
  'cloudsFile',
  'config',
  'file',
  'identityFile',
  'knownHosts',
]);

/** Whether a text is the path of a file of a host or probe, or of the scenario or target itself. */
function isPath(place: string, key: string): boolean {
  return pathKeys.has(key) || (key === 'path' && (place === 'scenario' || place === 'target'));
}

/** The paths in a plan. */
function pathsIn(value: unknown, place = ''): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]: [string, unknown]) =>
    typeof item === 'string' && isPath(place, key) && item !== '' ? [item] : pathsIn(item, key),
  );
}

/** The texts of a plan with their places, without paths, names of variables, and checksums, which are never secrets. */
function textsIn(value: unknown, place: string): { readonly place: string; readonly text: string }[] {
  if (typeof value === 'string') return [{ place, text: value }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]: [string, unknown]) => {
    if (typeof item === 'string' && (isPath(place, key) || key === 'env' || key === 'sha256')) return [];
    const name = Array.isArray(value) ? named(item) : key;
    // The text of a scenario contains the path of its target, which is not a secret.
    const reported = key === 'text' && typeof item === 'string' ? item.replace(/^target:.*$/m, '') : item;
    return textsIn(reported, [place, name].filter(Boolean).join('.'));
  });
}

/** The id or name of a host, probe, or fault. */
function named(value: unknown): string | undefined {
  const { id, name } = Object(value) as { readonly id?: unknown; readonly name?: unknown };
  return [id, name].find((word) => typeof word === 'string');
}

/** Adds the secrets of a host to the redactor: of its cloud, and of a transport of an extension. For heals, which have no plan. */
export function learnHostSecrets(host: PlannedHost): void {
  for (const secret of secretsOfCloud(host)) redactor.add(secret);
  for (const { secret } of referencesIn(transportParams(host))) redactor.add(secret);
}

/** The parameters of a transport that an extension brought; null for a built-in one, which has no secrets. */
function transportParams({ transport }: PlannedHost): Json {
  return transport.kind === 'extension' ? transport.params : null;
}

/** The secrets that `{ env: NAME }` and `{ file: PATH }` anywhere in a value refer to. */
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
