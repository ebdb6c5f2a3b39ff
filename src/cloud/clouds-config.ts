import { readFileSync, existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { DrillError, messageOf } from '../core/errors.ts';
import type { Trust } from '../http/http-client.ts';
import {
  type AuthSettings,
  cloudSchema,
  type CloudSettings,
  type Interface,
  keyProblems,
  presentNames,
} from './cloud-keys.ts';
import {
  type CloudEntry,
  type Entry,
  findCloud,
  isEntry,
  mergeEntries,
  type CloudEnvironment,
} from './clouds-file.ts';

/** The settings of one cloud, from a file or from variables. */
export interface CloudConfig {
  /** The cloud's name in the target. */
  readonly name: string;
  /** The file or the variables that the settings come from, for messages. */
  readonly source: string;
  /** Keystone's v3 root, without a slash at the end. */
  readonly authUrl: string;
  readonly credentials: Credentials;
  readonly region?: string;
  /** If there are multiple, the first one in the catalog is used. */
  readonly interface: Interface | readonly Interface[];
  /** The configured compute microversion, `2.N`. */
  readonly microversion?: string;
  /** Replaces the catalog's compute endpoint; may contain `%(project_id)s`. */
  readonly computeEndpoint?: string;
  /** Type and name of the compute service in the catalog. By default: type `compute`, any name. */
  readonly serviceType?: string;
  readonly serviceName?: string;
  readonly trust: Trust;
}

/** A reference by id, or by name within a domain. */
export type Named =
  | { readonly id: string }
  | { readonly name: string; readonly domain?: { readonly id: string } | { readonly name: string } };

export type Credentials =
  | ({ readonly kind: 'password'; readonly user: Named; readonly password: string } & (
      | { readonly project: Named }
      /** A trust that another user has given to this one. */
      | { readonly trustId: string }
    ))
  | {
      readonly kind: 'application-credential';
      readonly credential: { readonly id: string } | { readonly name: string; readonly user: Named };
      readonly secret: string;
    };

/**
 * The settings of a cloud, as openstacksdk reads them from clouds.yaml and secure.yaml, or from the OS_* variables (`openrc`).
 * A relative `cacert`, `cert`, or `key` is resolved from the folder of its clouds.yaml, else from the working folder.
 *
 * @throws DrillError `invalid-input` with file and key, also for an unsupported key. The message never contains the value,
 * because it may be a secret
 */
export function readCloudConfig(
  cloud: string,
  cloudsFile: string | undefined,
  environment: CloudEnvironment,
): CloudConfig {
  const found = findCloud(cloud, cloudsFile, environment);
  const entry = ofFirstRegion(presentNames(found.entry), found);
  refuseOthers(entry, found);
  const settings = parseSettings(entry, found);
  const { auth, auth_type } = settings;
  const region = settings.compute_region_name ?? settings.region_name;
  const endpoint = settings.compute_endpoint_override;
  const microversion = microversionOf(settings);
  const { compute_service_type: serviceType, compute_service_name: serviceName } = settings;
  return {
    name: cloud,
    source: found.source,
    authUrl: authUrlOf(auth, entry, found),
    credentials: credentialsOf(auth_type, auth, found),
    interface: settings.compute_interface ?? settings.interface,
    ...(region === undefined ? {} : { region }),
    ...(microversion === undefined ? {} : { microversion }),
    ...(endpoint === undefined
      ? {}
      : { computeEndpoint: filled(endpoint, entry, found, ['compute_endpoint_override']) }),
    ...(serviceType === undefined ? {} : { serviceType }),
    ...(serviceName === undefined ? {} : { serviceName }),
    trust: trustOf(settings, found, environment),
  };
}

function refuse(found: CloudEntry, path: readonly string[], what: string, hint?: string): DrillError {
  return new DrillError(
    'invalid-input',
    `${found.source}: ${found.keyOf(path)}: ${what}`,
    hint === undefined ? {} : { hint },
  );
}

function missing(found: CloudEntry, key: string, hint?: string): DrillError {
  return new DrillError(
    'invalid-input',
    `${found.source}: missing ${found.keyOf(['auth', key])}`,
    hint === undefined ? {} : { hint },
  );
}

/**
 * The settings with one region: the first of `regions`, whose values override the others, else the first of `region_name`,
 * which may be a list or have commas.
 */
function ofFirstRegion(entry: Entry, found: CloudEntry): Entry {
  const { regions, region_name: named, ...rest } = entry;
  const wrong = (key: string): DrillError => refuse(found, [key], 'has the wrong form');
  if (Array.isArray(regions) && regions.length > 0) {
    const [first] = regions as readonly unknown[];
    if (typeof first === 'string') return { ...rest, region_name: first };
    if (!isEntry(first) || typeof first['name'] !== 'string') throw wrong('regions');
    const { name, values = {}, ...others } = first;
    if (Object.keys(others).length > 0 || !(values === null || isEntry(values))) throw wrong('regions');
    return { ...mergeEntries(rest, presentNames(values ?? {})), region_name: name };
  }
  if (regions !== undefined && !Array.isArray(regions)) throw wrong('regions');
  if (named === undefined) return rest;
  const [first] = (typeof named === 'string' ? named.split(',') : [named].flat()) as readonly unknown[];
  if (typeof first !== 'string') throw wrong('region_name');
  return { ...rest, region_name: first.trim() };
}

/** Refuses unsupported keys that could change what a drill does. */
function refuseOthers(entry: Entry, found: CloudEntry): void {
  const problems = keyProblems(entry, found.isOwnFile);
  const [first] = problems;
  if (first === undefined) return;
  const lines = problems.map(({ path, message }) => `${found.source}: ${found.keyOf(path)}: ${message}`);
  throw new DrillError('invalid-input', lines.join('\n'), { hint: first.hint });
}

function parseSettings(entry: Entry, found: CloudEntry): CloudSettings {
  const parsed = cloudSchema.safeParse(entry);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => {
    const what = issue.message.startsWith('expected') ? issue.message : 'has the wrong form';
    return `${found.source}: ${found.keyOf(issue.path.map(String))}: ${what}`;
  });
  const hasType = parsed.error.issues.some(({ path }) => path[0] === 'auth_type');
  throw new DrillError(
    'invalid-input',
    lines.join('\n'),
    hasType ? { hint: 'Use an application credential, or a password and a project.' } : {},
  );
}

/** Replaces `{region_name}` and other keys of the cloud in a text. */
function filled(text: string, entry: Entry, found: CloudEntry, path: readonly string[]): string {
  return text.replaceAll(/\{(\w*)\}/g, (_, key: string) => {
    const value = Object.hasOwn(entry, key) ? entry[key] : undefined;
    if (typeof value === 'string') return value;
    throw refuse(found, path, `{${key}} refers to a key that is not set`);
  });
}

function authUrlOf(auth: AuthSettings, entry: Entry, found: CloudEntry): string {
  const path = ['auth', 'auth_url'];
  if (auth.auth_url === undefined) throw missing(found, 'auth_url');
  const authUrl = filled(auth.auth_url, entry, found, path);
  if (!/^https?:$/.test(URL.parse(authUrl)?.protocol ?? ''))
    throw refuse(found, path, 'expected an http(s) URL');
  const root = authUrl
    .replace(/\/+$/, '')
    .replace(/\/auth\/tokens$/, '')
    .replace(/\/v(2\.0|3)$/, '');
  return `${root}/v3`;
}

/** Undefined if none is configured, or `latest`. */
function microversionOf(settings: CloudSettings): string | undefined {
  const { compute_default_microversion: byDefault, compute_api_version: version } = settings;
  return [byDefault, version]
    .map((text) => text?.replace(/^v/, ''))
    .find((text) => /^2\.\d+$/.test(text ?? '') && text !== '2.0');
}

function credentialsOf(type: CloudSettings['auth_type'], auth: AuthSettings, found: CloudEntry): Credentials {
  const isCredential = auth.application_credential_secret !== undefined;
  return type === 'v3applicationcredential' || (type === undefined && isCredential)
    ? applicationCredential(auth, found)
    : passwordOf(auth, found);
}

function applicationCredential(auth: AuthSettings, found: CloudEntry): Credentials {
  const {
    application_credential_id: id,
    application_credential_name: name,
    application_credential_secret: secret,
  } = auth;
  if (secret === undefined) throw missing(found, 'application_credential_secret');
  if (id !== undefined) return { kind: 'application-credential', credential: { id }, secret };
  if (name === undefined)
    throw missing(
      found,
      'application_credential_id',
      'Set application_credential_id, or application_credential_name with its user.',
    );
  const user = userOf(auth);
  if (user === undefined)
    throw missing(
      found,
      'user_id',
      'Set user_id, or username and its domain: an application credential given by name needs its user.',
    );
  return { kind: 'application-credential', credential: { name, user }, secret };
}

function passwordOf(auth: AuthSettings, found: CloudEntry): Credentials {
  const { password, trust_id: trustId } = auth;
  const user = userOf(auth);
  if (user === undefined) throw missing(found, 'username');
  if (password === undefined) throw missing(found, 'password');
  const project = named(auth.project_id, auth.project_name, [
    auth.project_domain_id ?? auth.domain_id ?? auth.default_domain_id,
    auth.project_domain_name ?? auth.domain_name ?? auth.default_domain_name,
    auth.default_domain,
  ]);
  if (trustId !== undefined) {
    if (project === undefined) return { kind: 'password', user, password, trustId };
    throw refuse(
      found,
      ['auth', 'trust_id'],
      'a token is scoped to a trust or to a project, not to both',
      'Remove trust_id, or remove the project.',
    );
  }
  if (project !== undefined) return { kind: 'password', user, password, project };
  const domain = (['domain_id', 'domain_name'] as const).find((key) => auth[key] !== undefined);
  const hint = 'Set project_id, or project_name and its domain.';
  if (domain !== undefined)
    throw refuse(
      found,
      ['auth', domain],
      'a domain-scoped token cannot list servers, because they belong to projects',
      hint,
    );
  throw missing(found, 'project_name', `Without a project the token has no catalog. ${hint}`);
}

function userOf(auth: AuthSettings): Named | undefined {
  return named(auth.user_id, auth.username, [
    auth.user_domain_id ?? auth.domain_id ?? auth.default_domain_id,
    auth.user_domain_name ?? auth.domain_name ?? auth.default_domain_name,
    auth.default_domain,
  ]);
}

function named(
  id: string | undefined,
  name: string | undefined,
  [domainId, domainName, fallback]: readonly (string | undefined)[],
): Named | undefined {
  if (id !== undefined) return { id };
  if (name === undefined) return undefined;
  // `default` is the id of the default domain, unless the cloud has changed it.
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

/** The CAs for TLS connections to the cloud, and the client certificate. */
function trustOf(
  { insecure, verify, cacert, cert, key }: CloudSettings,
  found: CloudEntry,
  environment: CloudEnvironment,
): Trust {
  const read = (name: string, file: string): string => readFile(name, file, found, environment);
  const isVerified = insecure !== true && verify !== false;
  const caFile = cacert ?? (typeof verify === 'string' ? verify : undefined);
  const ca =
    isVerified && caFile !== undefined ? read(cacert === undefined ? 'verify' : 'cacert', caFile) : undefined;
  if (cert === undefined && key !== undefined) throw refuse(found, ['key'], '`key` is set without `cert`');
  const own =
    cert === undefined
      ? undefined
      : clientCertificate(read('cert', cert), key === undefined ? undefined : read('key', key), found);
  return { verify: isVerified, ...(ca === undefined ? {} : { ca }), ...own };
}

/** A client certificate with its key, which may be in the same file. */
function clientCertificate(
  cert: string,
  ownKey: string | undefined,
  found: CloudEntry,
): { readonly cert: string; readonly key: string } {
  const key = ownKey ?? cert;
  const path = [ownKey === undefined ? 'cert' : 'key'];
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(key))
    throw refuse(
      found,
      path,
      'the file has no private key in PEM',
      'Set `key` to the file of the private key.',
    );
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(key))
    throw refuse(
      found,
      path,
      'the private key is encrypted',
      'Use a copy of the key without a passphrase (`openssl pkey -in KEY -out COPY`).',
    );
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw refuse(found, ['cert'], `cannot use this certificate with its key: ${messageOf(error)}`);
  }
  return { cert, key };
}

/** Reads a PEM file. `~` is the home folder. */
function readFile(name: string, file: string, found: CloudEntry, { home, cwd }: CloudEnvironment): string {
  const path = file === '~' || file.startsWith('~/') ? join(home, file.slice(1)) : file;
  const parallel = resolve(cwd, found.folder, path);
  const there = existsSync(parallel) || !existsSync(resolve(cwd, path)) ? parallel : resolve(cwd, path);
  let pem: string;
  try {
    pem = readFileSync(there, 'utf8');
  } catch (error) {
    throw new DrillError('invalid-input', `${found.source}: ${found.keyOf([name])}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  // OpenSSL treats a file without certificates as an empty list, and would refuse every certificate later.
  if (name !== 'key' && !/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/.test(pem))
    throw refuse(found, [name], `${there} holds no PEM certificate`);
  return pem;
}
