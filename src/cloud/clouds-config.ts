import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseDocument, LineCounter } from 'yaml';
import { z } from 'zod';
import { DrillError, messageOf } from '../core/errors.ts';
import type { Trust } from '../http/http-client.ts';

/** How one cloud is reached and with what credentials, whichever file or variables say so. */
export interface CloudConfig {
  /** As the target names it. */
  readonly name: string;
  /** The file or variables that say so, for messages. */
  readonly source: string;
  /** Keystone's v3 root, without a slash at the end. */
  readonly authUrl: string;
  readonly credentials: Credentials;
  readonly region?: string;
  readonly interface: 'public' | 'internal' | 'admin';
  /** The compute microversion to use, `2.N`, where one is asked for. */
  readonly microversion?: string;
  readonly trust: Trust;
}

/** By id, or by name within a domain. */
export type Named =
  | { readonly id: string }
  | { readonly name: string; readonly domain?: { readonly id: string } | { readonly name: string } };

export type Credentials =
  | { readonly kind: 'password'; readonly user: Named; readonly password: string; readonly project: Named }
  | {
      readonly kind: 'application-credential';
      readonly credential: { readonly id: string } | { readonly name: string; readonly user: Named };
      readonly secret: string;
    };

/** Where configuration comes from: given by the caller, so that tests need not touch the process. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly home: string;
}

/** The cloud whose settings are the OS_* variables, as an openrc file sets them. */
const environmentCloud = 'openrc';

// Files are read without type resolution, so that a password of digits keeps its zeros: every scalar is text, as variables are.
const text = z.string().min(1);
const flag = z
  .string()
  .regex(/^(true|false|yes|no|on|off|1|0)$/i, { error: 'expected true or false' })
  .transform((word) => /^(true|yes|on|1)$/i.test(word));

const computeVersion = z
  .string()
  .regex(/^2(\.\d+)?$/, { error: 'expected 2, or a microversion such as 2.79' })
  .optional();

const authFields = {
  auth_url: text.optional(),
  username: text.optional(),
  user_id: text.optional(),
  password: text.optional(),
  user_domain_id: text.optional(),
  user_domain_name: text.optional(),
  project_id: text.optional(),
  project_name: text.optional(),
  tenant_id: text.optional(),
  tenant_name: text.optional(),
  project_domain_id: text.optional(),
  project_domain_name: text.optional(),
  domain_id: text.optional(),
  domain_name: text.optional(),
  default_domain: text.optional(),
  application_credential_id: text.optional(),
  application_credential_name: text.optional(),
  application_credential_secret: text.optional(),
};
const authKeys = Object.keys(authFields);

// Other keys are other programs' business.
const cloudSchema = z.looseObject({
  auth_type: z
    .enum(['password', 'v3password', 'v3applicationcredential'], {
      error: 'expected password, v3password or v3applicationcredential',
    })
    .optional(),
  auth: z.looseObject(authFields).default({}),
  region_name: text.optional(),
  regions: z.array(z.union([text, z.strictObject({ name: text })])).optional(),
  interface: z
    .string()
    .regex(/^(public|internal|admin)(URL)?$/, { error: 'expected public, internal or admin' })
    .default('public')
    .transform((word) => word.replace('URL', '') as CloudConfig['interface']),
  verify: flag.optional(),
  insecure: flag.optional(),
  cacert: text.optional(),
  compute_api_version: computeVersion,
  compute_default_microversion: computeVersion,
});
type Auth = z.output<typeof cloudSchema>['auth'];

/**
 * The settings of a cloud. `openrc` is the OS_* variables; any other name is looked for in `cloudsFile`, or
 * else in the first clouds.yaml that exists (OS_CLIENT_CONFIG_FILE, working directory, ~/.config/openstack,
 * /etc/openstack), with secure.yaml merged over it (OS_CLIENT_SECURE_FILE, beside clouds.yaml, then the same
 * folders), as openstacksdk does. A relative `cacert` counts from the folder of its clouds.yaml.
 *
 * @throws DrillError `invalid-input` naming file and key; what stands there is never in the message
 */
export function readCloudConfig(
  cloud: string,
  cloudsFile: string | undefined,
  surroundings: Surroundings,
): CloudConfig {
  if (cloud === environmentCloud) {
    return makeConfig(
      cloud,
      'the OS_* variables',
      surroundings.cwd,
      variables(surroundings.env),
      (path) =>
        `OS_${path
          .filter((part) => part !== 'auth')
          .join('_')
          .toUpperCase()}`,
    );
  }
  const file = cloudsFile ?? findFile('clouds', surroundings.env['OS_CLIENT_CONFIG_FILE'], [], surroundings);
  if (file === undefined) {
    throw new DrillError('invalid-input', `cloud ${cloud}: there is no clouds.yaml`, {
      mend: 'Put one into ~/.config/openstack, name it in OS_CLIENT_CONFIG_FILE or in the target (cloudsFile), or use `cloud: openrc` with OS_* variables.',
    });
  }
  const clouds = readClouds(file);
  const entry = Object.hasOwn(clouds, cloud) ? clouds[cloud] : undefined;
  if (entry === undefined) {
    const known = Object.keys(clouds);
    throw new DrillError(
      'invalid-input',
      `${file}: clouds has no ${cloud}; known: ${known.join(', ') || 'none'}`,
    );
  }
  const secureFile = findFile(
    'secure',
    surroundings.env['OS_CLIENT_SECURE_FILE'],
    [dirname(file)],
    surroundings,
  );
  const secrets = secureFile === undefined ? undefined : readClouds(secureFile)[cloud];
  const source = secrets === undefined ? file : `${file} with ${secureFile}`;
  return makeConfig(cloud, source, dirname(file), merge(entry, secrets ?? {}), (path) =>
    ['clouds', cloud, ...path].join('.'),
  );
}

type Entry = Readonly<Record<string, unknown>>;

/** The first that exists of an explicitly named file and `<stem>.yaml|yml` in the usual folders. */
function findFile(
  stem: string,
  named: string | undefined,
  before: readonly string[],
  { cwd, home }: Surroundings,
): string | undefined {
  const folders = [...before, cwd, join(home, '.config', 'openstack'), '/etc/openstack'];
  const usual = folders.flatMap((folder) => [join(folder, `${stem}.yaml`), join(folder, `${stem}.yml`)]);
  return (named === undefined || named === '' ? usual : [resolve(cwd, named), ...usual]).find((path) =>
    existsSync(path),
  );
}

const cloudsSchema = z.looseObject({ clouds: z.record(z.string(), z.record(z.string(), z.unknown())) });

function readClouds(file: string): Readonly<Record<string, Entry>> {
  const lines = new LineCounter();
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    throw new DrillError('invalid-input', `cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
  const document = parseDocument(content, {
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
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch {
    throw new DrillError('invalid-input', `${file}: its aliases or merge keys lead nowhere`);
  }
  const parsed = cloudsSchema.safeParse(value);
  if (!parsed.success) {
    throw new DrillError('invalid-input', `${file}: clouds: expected a map of clouds, each a map`);
  }
  return parsed.data.clouds;
}

function merge(base: Entry, over: Entry): Entry {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const old = merged[key];
    merged[key] = isEntry(old) && isEntry(value) ? merge(old, value) : value;
  }
  return merged;
}

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** OS_AUTH_URL, OS_USERNAME, ... as a clouds.yaml entry would say it. */
function variables(env: Surroundings['env']): Entry {
  const entry: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(env)) {
    if (name.startsWith('OS_') && value !== undefined) entry[name.slice(3).toLowerCase()] = value;
  }
  return entry;
}

/** @param keyOf how the source calls a key, for messages */
function makeConfig(
  name: string,
  source: string,
  folder: string,
  raw: Entry,
  keyOf: (path: readonly string[]) => string,
): CloudConfig {
  const parsed = cloudSchema.safeParse(normalize(raw));
  if (!parsed.success) {
    const wrong = parsed.error.issues.map(
      (issue) =>
        `${keyOf(issue.path.map(String))}: ${issue.message.startsWith('expected') ? issue.message : 'has the wrong form'}`,
    );
    throw new DrillError('invalid-input', wrong.map((what) => `${source}: ${what}`).join('\n'));
  }
  const entry = parsed.data;
  const missing = (key: string, mend?: string): DrillError =>
    new DrillError(
      'invalid-input',
      `${source}: missing ${keyOf(['auth', key])}`,
      mend === undefined ? {} : { mend },
    );
  const authUrl = entry.auth.auth_url;
  if (authUrl === undefined)
    throw missing('auth_url', 'Vendor profiles are not supported: write auth_url out.');
  if (!/^https?:$/.test(URL.parse(authUrl)?.protocol ?? '')) {
    throw new DrillError(
      'invalid-input',
      `${source}: ${keyOf(['auth', 'auth_url'])}: expected an http(s) URL`,
    );
  }
  const [firstRegion] = entry.regions ?? [];
  const region = entry.region_name ?? (typeof firstRegion === 'object' ? firstRegion.name : firstRegion);
  const microversion = [entry.compute_default_microversion, entry.compute_api_version].find((version) =>
    version?.includes('.'),
  );
  return {
    name,
    source,
    authUrl: v3Root(authUrl),
    credentials: credentialsOf(entry.auth_type, entry.auth, missing),
    interface: entry.interface,
    ...(region === undefined ? {} : { region }),
    ...(microversion === undefined ? {} : { microversion }),
    trust: {
      verify: entry.insecure !== true && entry.verify !== false,
      ...(entry.cacert === undefined ? {} : { ca: readCa(resolve(folder, entry.cacert), source, keyOf) }),
    },
  };
}

/** Auth keys may stand beside `auth` and then win, dashes may stand for underscores, and what is empty is not there. */
function normalize(raw: Entry): Entry {
  const { auth = {}, ...beside } = cleaned(raw);
  if (!isEntry(auth)) return { ...beside, auth };
  const isAuth = ([key]: [string, unknown]): boolean => authKeys.includes(key);
  const entries = Object.entries(beside);
  return {
    // The older name.
    interface: beside['endpoint_type'],
    ...Object.fromEntries(entries.filter((entry) => !isAuth(entry))),
    auth: { ...cleaned(auth), ...Object.fromEntries(entries.filter(isAuth)) },
  };
}

function cleaned(entry: Entry): Entry {
  return Object.fromEntries(
    Object.entries(entry)
      .filter(([, value]) => value !== '')
      .map(([key, value]) => [key.replaceAll('-', '_'), value]),
  );
}

function v3Root(authUrl: string): string {
  const root = authUrl.replace(/\/+$/, '').replace(/\/v(2\.0|3)$/, '');
  return `${root}/v3`;
}

function credentialsOf(
  type: 'password' | 'v3password' | 'v3applicationcredential' | undefined,
  auth: Auth,
  missing: (key: string, mend?: string) => DrillError,
): Credentials {
  const user = named(auth.user_id, auth.username, [
    auth.user_domain_id ?? auth.domain_id,
    auth.user_domain_name ?? auth.domain_name,
    auth.default_domain,
  ]);
  const { application_credential_secret: credentialSecret } = auth;
  if (type === 'v3applicationcredential' || (type === undefined && credentialSecret !== undefined)) {
    if (credentialSecret === undefined) throw missing('application_credential_secret');
    const { application_credential_id: id, application_credential_name: name } = auth;
    if (id !== undefined)
      return { kind: 'application-credential', credential: { id }, secret: credentialSecret };
    if (name === undefined)
      throw missing('application_credential_id', 'Or application_credential_name with its user.');
    if (user === undefined)
      throw missing(
        'user_id',
        'An application credential by name needs user_id, or username and its domain.',
      );
    return { kind: 'application-credential', credential: { name, user }, secret: credentialSecret };
  }
  if (user === undefined) throw missing('username');
  if (auth.password === undefined) throw missing('password');
  const project = named(auth.project_id ?? auth.tenant_id, auth.project_name ?? auth.tenant_name, [
    auth.project_domain_id ?? auth.domain_id,
    auth.project_domain_name ?? auth.domain_name,
    auth.default_domain,
  ]);
  if (project === undefined) {
    throw missing(
      'project_name',
      'Without a project the token has no catalog: give project_id, or project_name and its domain.',
    );
  }
  return { kind: 'password', user, password: auth.password, project };
}

function named(
  id: string | undefined,
  name: string | undefined,
  [domainId, domainName, fallback]: readonly (string | undefined)[],
): Named | undefined {
  if (id !== undefined) return { id };
  if (name === undefined) return undefined;
  // `default` is the domain's id on every cloud that has not changed it.
  return {
    name,
    domain:
      domainId !== undefined
        ? { id: domainId }
        : domainName !== undefined
          ? { name: domainName }
          : { id: fallback ?? 'default' },
  };
}

function readCa(file: string, source: string, keyOf: (path: readonly string[]) => string): string {
  let pem: string;
  try {
    pem = readFileSync(file, 'utf8');
  } catch (error) {
    throw new DrillError('invalid-input', `${source}: ${keyOf(['cacert'])}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  // OpenSSL takes a file without any for an empty list, and every certificate would be refused later.
  if (!/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/.test(pem)) {
    throw new DrillError(
      'invalid-input',
      `${source}: ${keyOf(['cacert'])}: ${file} holds no PEM certificate`,
    );
  }
  return pem;
}
