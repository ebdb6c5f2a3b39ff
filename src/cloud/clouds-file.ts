import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isScalar, LineCounter, parseDocument, visit } from 'yaml';
import { DrillError, messageOf } from '../core/errors.ts';

/** Where configuration comes from: given by the caller, so that tests need not touch the process. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly home: string;
}

/** Settings of a cloud as they are written: texts, lists and maps; null and undefined are not there. */
export type Entry = Readonly<Record<string, unknown>>;

/** The settings of one cloud, and how messages name their source. */
export interface CloudEntry {
  readonly entry: Entry;
  /** The files or variables that it is from. */
  readonly source: string;
  /** Relative files count from here. */
  readonly folder: string;
  /** Name of a key in the source. */
  readonly keyOf: (path: readonly string[]) => string;
  /** False for environment variables: other programs may define some that begin with OS_. */
  readonly isOwnFile: boolean;
}

/** The cloud whose settings are the OS_* variables, as an openrc file sets them. */
const environmentCloud = 'openrc';

/**
 * The settings of a cloud. `openrc` is the OS_* variables; any other name is looked for in `cloudsFile`, or else in the first
 * clouds.yaml that exists, with secure.yaml merged over it, as openstacksdk does (`openstack/config/loader.py`).
 * @throws DrillError `invalid-input` naming the file; its content is never in the message
 */
export function findCloud(
  cloud: string,
  cloudsFile: string | undefined,
  surroundings: Surroundings,
): CloudEntry {
  if (cloud === environmentCloud) return environmentEntry(surroundings);
  const { env, cwd } = surroundings;
  const file = cloudsFile ?? findFile('clouds', env['OS_CLIENT_CONFIG_FILE'], [], surroundings);
  if (file === undefined) {
    throw new DrillError('invalid-input', `cloud ${cloud}: there is no clouds.yaml`, {
      mend: 'Put one into ~/.config/openstack, name it in OS_CLIENT_CONFIG_FILE or in the target (cloudsFile), or use `cloud: openrc` with OS_* variables.',
    });
  }
  const clouds = readClouds(file);
  const besideIt = dirname(resolve(cwd, file));
  const secureFile = findFile('secure', env['OS_CLIENT_SECURE_FILE'], [besideIt], surroundings);
  const secrets = secureFile === undefined ? {} : readClouds(secureFile);
  if (!Object.hasOwn(clouds, cloud)) {
    const known = Object.keys(clouds);
    throw new DrillError(
      'invalid-input',
      `${file}: clouds has no ${cloud}; known: ${known.join(', ') || 'none'}`,
    );
  }
  const own = entryIn(clouds, cloud, file);
  const secret = secureFile === undefined ? undefined : entryIn(secrets, cloud, secureFile);
  return {
    entry: mergeEntries(own ?? {}, secret ?? {}),
    source: secret === undefined ? file : `${file} with ${secureFile}`,
    folder: dirname(file),
    keyOf: (path) => ['clouds', cloud, ...path].join('.'),
    isOwnFile: true,
  };
}

/** One over the other, key by key in maps. An empty value replaces nothing. */
export function mergeEntries(base: Entry, over: Entry): Entry {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    if (value === null) continue;
    const old = merged[key];
    merged[key] = isEntry(old) && isEntry(value) ? mergeEntries(old, value) : value;
  }
  return merged;
}

export function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Variables that choose a cloud of a file: they are no settings of one. */
const selectors: ReadonlySet<string> = new Set([
  'OS_CLIENT_CONFIG_FILE',
  'OS_CLIENT_SECURE_FILE',
  'OS_CLOUD',
  'OS_CLOUD_NAME',
]);

/** OS_AUTH_URL, OS_USERNAME, ... as an entry of clouds.yaml would say it. */
function environmentEntry({ env, cwd }: Surroundings): CloudEntry {
  const entry: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(env)) {
    if (name.startsWith('OS_') && !selectors.has(name) && value !== undefined)
      entry[name.slice(3).toLowerCase()] = value;
  }
  return {
    entry,
    source: 'the OS_* variables',
    folder: cwd,
    keyOf: (path) => {
      const parts = path.filter((part) => part !== 'auth');
      return `OS_${parts.join('_').toUpperCase()}`;
    },
    isOwnFile: false,
  };
}

/** The first that exists of an explicitly named file and `<stem>.yaml|yml|json` in the usual folders. */
function findFile(
  stem: string,
  named: string | undefined,
  before: readonly string[],
  { env, cwd, home }: Surroundings,
): string | undefined {
  if (named !== undefined && named !== '') {
    const file = resolve(cwd, named);
    if (existsSync(file)) return file;
  }
  const xdg = env['XDG_CONFIG_HOME'];
  const folders = [
    ...before,
    cwd,
    ...(xdg === undefined || xdg === '' ? [] : [join(xdg, 'openstack')]),
    join(home, '.config', 'openstack'),
    '/etc/openstack',
  ];
  return folders
    .flatMap((folder) => ['yaml', 'yml', 'json'].map((suffix) => join(folder, `${stem}.${suffix}`)))
    .find(isReadable);
}

/** openstacksdk, too, goes on to the next folder when a file there is not for this user. */
function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** What an empty value is in YAML 1.1, which openstacksdk reads: without quotes it is none. */
const nullWords: ReadonlySet<unknown> = new Set(['', '~', 'null', 'Null', 'NULL']);

/** The clouds of a file; none where it is empty. */
function readClouds(file: string): Entry {
  const lines = new LineCounter();
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    throw new DrillError('invalid-input', `cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
  const document = parseDocument(content, {
    // Without type resolution, so that a password of digits keeps its zeros: every scalar is text, as variables are.
    schema: 'failsafe',
    // Other programs read this file, too, and they know them.
    merge: true,
    lineCounter: lines,
    prettyErrors: false,
  });
  // The parser's own words may quote the file, and with it a secret.
  const [problem] = document.errors;
  if (problem !== undefined) {
    const { line, col } = lines.linePos(problem.pos[0]);
    throw new DrillError('invalid-input', `${file}:${line}:${col}: not valid YAML (${problem.code})`);
  }
  visit(document, {
    Scalar(key, node) {
      if (key !== 'key' && node.type === 'PLAIN' && nullWords.has(node.value)) node.value = null;
    },
  });
  const isEmpty =
    document.contents === null || (isScalar(document.contents) && document.contents.value === null);
  if (isEmpty) return {};
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch {
    throw new DrillError('invalid-input', `${file}: an alias or a merge key refers to nothing`);
  }
  const clouds = isEntry(value) ? (value['clouds'] ?? {}) : undefined;
  if (!isEntry(clouds)) throw malformed(file);
  return clouds;
}

/** One cloud of a file; undefined where it is not there, or empty. */
function entryIn(clouds: Entry, cloud: string, file: string): Entry | undefined {
  const entry = Object.hasOwn(clouds, cloud) ? clouds[cloud] : undefined;
  if (entry === undefined || entry === null) return undefined;
  if (!isEntry(entry)) throw malformed(file);
  return entry;
}

function malformed(file: string): DrillError {
  return new DrillError('invalid-input', `${file}: clouds: expected a map of clouds, each a map`);
}
