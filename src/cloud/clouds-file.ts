import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isScalar, LineCounter, parseDocument, visit } from 'yaml';
import { DrillError, messageOf } from '../core/errors.ts';

/** The environment that the configuration is read from. A parameter, so that tests do not change the process. */
export interface CloudEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly home: string;
}

/** Settings of a cloud as written: strings, lists, and maps. Null and undefined count as not set. */
export type Entry = Readonly<Record<string, unknown>>;

/** The settings of one cloud, and how messages name their source. */
export interface CloudEntry {
  readonly entry: Entry;
  /** The files or variables that the entry comes from. */
  readonly source: string;
  /** Relative paths are resolved from here. */
  readonly folder: string;
  /** The name of a key in the source, for messages. */
  readonly keyOf: (path: readonly string[]) => string;
  /** False for environment variables: other programs may define variables that begin with OS_. */
  readonly isOwnFile: boolean;
}

/** The name of the cloud whose settings are the OS_* variables, as an openrc file sets them. */
const environmentCloud = 'openrc';

/**
 * The settings of a cloud. `openrc` means the OS_* variables. Any other name is looked up in `cloudsFile`, or else in the first
 * clouds.yaml that exists. secure.yaml is merged over it, as in openstacksdk (`openstack/config/loader.py`).
 * @throws DrillError `invalid-input` with the file; the message never contains the file's content, which may be a secret
 */
export function findCloud(
  cloud: string,
  cloudsFile: string | undefined,
  environment: CloudEnvironment,
): CloudEntry {
  if (cloud === environmentCloud) return environmentEntry(environment);
  const { env, cwd } = environment;
  const file = cloudsFile ?? findFile('clouds', env['OS_CLIENT_CONFIG_FILE'], [], environment);
  if (file === undefined) {
    throw new DrillError('invalid-input', `cloud ${cloud}: there is no clouds.yaml`, {
      hint: 'Create ~/.config/openstack/clouds.yaml, or name the file in `cloudsFile` of the target or in OS_CLIENT_CONFIG_FILE. To use OS_* variables, set `cloud: openrc`.',
    });
  }
  const clouds = readClouds(file);
  const nextToIt = dirname(resolve(cwd, file));
  const secureFile = findFile('secure', env['OS_CLIENT_SECURE_FILE'], [nextToIt], environment);
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

/** Merges `over` into `base`, recursively in maps. Null values are ignored. */
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

/** Variables that select a cloud or a file, and are not settings of a cloud. */
const selectors: ReadonlySet<string> = new Set([
  'OS_CLIENT_CONFIG_FILE',
  'OS_CLIENT_SECURE_FILE',
  'OS_CLOUD',
  'OS_CLOUD_NAME',
]);

/** OS_AUTH_URL, OS_USERNAME, ... as an entry of clouds.yaml. */
function environmentEntry({ env, cwd }: CloudEnvironment): CloudEntry {
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

/** The first existing file: the named file, else `<stem>.yaml|yml|json` in the folders that openstacksdk searches. */
function findFile(
  stem: string,
  named: string | undefined,
  before: readonly string[],
  { env, cwd, home }: CloudEnvironment,
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

/** Like openstacksdk, the search continues in the next folder if this user may not read a file. */
function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** Unquoted values that mean null in YAML 1.1, which openstacksdk reads. */
const nullWords: ReadonlySet<unknown> = new Set(['', '~', 'null', 'Null', 'NULL']);

/** The clouds of a file; empty for an empty file. */
function readClouds(file: string): Entry {
  const lines = new LineCounter();
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    throw new DrillError('invalid-input', `cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
  const document = parseDocument(content, {
    // Without type resolution each scalar is a string, so that a password of digits keeps its leading zeros.
    schema: 'failsafe',
    // Other programs that read this file support merge keys, so files may contain them.
    merge: true,
    lineCounter: lines,
    prettyErrors: false,
  });
  // The parser's message may quote the file, and so a secret. Only its code is reported.
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

/** One cloud of a file; undefined if it is missing or empty. */
function entryIn(clouds: Entry, cloud: string, file: string): Entry | undefined {
  const entry = Object.hasOwn(clouds, cloud) ? clouds[cloud] : undefined;
  if (entry === undefined || entry === null) return undefined;
  if (!isEntry(entry)) throw malformed(file);
  return entry;
}

function malformed(file: string): DrillError {
  return new DrillError('invalid-input', `${file}: clouds: expected a map of clouds, each a map`);
}
