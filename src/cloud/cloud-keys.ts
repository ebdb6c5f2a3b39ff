import { closest, distance } from 'fastest-levenshtein';
import { z } from 'zod';

// Files are read without type resolution: each scalar is a string, as in environment variables.
const text = z.string().min(1);
const flagWords = /^(true|false|yes|no|on|off|1|0)$/i;
const flag = z
  .string()
  .regex(flagWords, { error: 'expected true or false' })
  .transform((word) => /^(true|yes|on|1)$/i.test(word));

const interfaceName = z
  .string()
  .regex(/^(public|internal|admin)(URL)?$/, { error: 'expected public, internal, or admin' })
  .transform((word) => word.replace('URL', '') as Interface);
const interfaces = z.union([interfaceName, z.array(interfaceName).min(1)], {
  error: 'expected public, internal, or admin',
});

/** An interface of a service's endpoints. */
export type Interface = 'public' | 'internal' | 'admin';

const url = z.string().regex(/^https?:\/\/./, { error: 'expected an http(s) URL' });

/** `2`, a microversion, or `latest`. */
const computeVersion = z
  .string()
  .regex(/^(v?2(\.\d+)?|(2\.)?latest)$/, { error: 'expected 2, or a microversion such as 2.79' })
  .optional();

/** Supported keys of `auth`. */
const authFields = {
  auth_url: text.optional(),
  username: text.optional(),
  user_id: text.optional(),
  password: text.optional(),
  user_domain_id: text.optional(),
  user_domain_name: text.optional(),
  project_id: text.optional(),
  project_name: text.optional(),
  project_domain_id: text.optional(),
  project_domain_name: text.optional(),
  domain_id: text.optional(),
  domain_name: text.optional(),
  default_domain: text.optional(),
  default_domain_id: text.optional(),
  default_domain_name: text.optional(),
  trust_id: text.optional(),
  application_credential_id: text.optional(),
  application_credential_name: text.optional(),
  application_credential_secret: text.optional(),
};

/** Older names of keys, and their present names. If both are set, the present name wins. */
const olderAuthNames: Readonly<Record<string, string>> = {
  tenant_id: 'project_id',
  tenant_name: 'project_name',
  user_name: 'username',
  auth_token: 'token',
};
const olderNames: Readonly<Record<string, string>> = {
  auth_plugin: 'auth_type',
  endpoint_type: 'interface',
  compute_endpoint_type: 'compute_interface',
  compute_endpoint: 'compute_endpoint_override',
  cloud: 'profile',
};

/** Keys of `auth` that openstacksdk also accepts next to `auth`, supported or not. */
const authKeys: ReadonlySet<string> = new Set([
  ...Object.keys(authFields),
  'token',
  'passcode',
  'system_scope',
]);

const authTypes = ['password', 'v3password', 'v3applicationcredential'] as const;
const authTypeError = 'expected password, v3password, or v3applicationcredential';

/** Supported keys of a cloud. */
const cloudFields = {
  auth_type: z.enum(authTypes, { error: authTypeError }).optional(),
  auth: z.looseObject(authFields).default({}),
  region_name: text.optional(),
  interface: interfaces.default('public'),
  verify: z
    .string()
    .regex(/^(true|false|yes|no|on|off|1|0)$|[/.]/i, { error: 'expected true, false, or a file of CAs' })
    .transform((word) => (flagWords.test(word) ? /^(true|yes|on|1)$/i.test(word) : word))
    .optional(),
  insecure: flag.optional(),
  cacert: text.optional(),
  cert: text.optional(),
  key: text.optional(),
  compute_api_version: computeVersion,
  compute_default_microversion: computeVersion,
  compute_endpoint_override: url.optional(),
  compute_interface: interfaces.optional(),
  compute_region_name: text.optional(),
  compute_service_type: text.optional(),
  compute_service_name: text.optional(),
};

/** The supported keys of a cloud, under their present names. */
export const cloudSchema = z.looseObject(cloudFields);
export type CloudSettings = z.output<typeof cloudSchema>;
export type AuthSettings = CloudSettings['auth'];

/** Why a key is not supported, and the hint. */
interface Unsupported {
  readonly why: string;
  readonly hint: string;
}

const credentialHint = 'Use an application credential, or a password and a project.';
const unsupportedAuth: Readonly<Record<string, Unsupported>> = {
  token: { why: 'a token may expire before the heal', hint: credentialHint },
  passcode: { why: 'a passcode is valid for one login only', hint: credentialHint },
  system_scope: {
    why: 'a system-scoped token cannot list servers, because they belong to projects',
    hint: 'Replace it with project_id, or with project_name and its domain.',
  },
};
const unsupportedKeys: Readonly<Record<string, Unsupported>> = {
  profile: {
    why: 'vendor profiles are not supported',
    hint: 'Replace `profile` with its settings (auth_url, region_name, ...). If other programs need `profile`, do this in a copy, and name the copy in `cloudsFile` of the target.',
  },
  auth_methods: { why: 'a multi-factor login is not supported', hint: credentialHint },
};

/** Keys of openstacksdk and its users that do not affect requests to Keystone and Nova. */
const irrelevant: ReadonlySet<string> = new Set(
  `api_timeout timeout app_name app_version cache client config_drive debug default_network disable_vendor_agent
  external_network fixed_address floating_ip_source force_ipv4 identity_api_version image_format influxdb internal_network
  log_file log_level logging message metrics nat_destination nat_source network networks no_cache operation_log prefer_ipv6
  private rate_limit regions requires_floating_ip secgroup_source statsd status use_direct_get use_external_network
  use_internal_network verbose verbose_level`.split(/\s+/),
);
/** Settings of other services, and retry settings. */
const irrelevantForms = [
  /^(?!compute_)\w+_(api_version|default_microversion|endpoint_override|endpoint|interface|endpoint_type|region_name|service_name|service_type|min_version|max_version)$/,
  /_(retries|retriable_status_codes|retry_delay|timeout|api_use_tasks)$/,
  /^(has_|x[_-])/,
];

/** A problem with a key of a cloud. */
export interface KeyProblem {
  readonly path: readonly string[];
  readonly message: string;
  readonly hint: string;
}

/** Returns the keys under their present names. Auth keys next to `auth` override those in it. Empty values are removed. */
export function presentNames(raw: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { auth = {}, ...parallel } = renamed(raw, olderNames);
  if (typeof auth !== 'object' || auth === null || Array.isArray(auth)) return { ...parallel, auth };
  const keys = Object.entries(renamed(parallel, olderAuthNames));
  const isAuth = ([key]: [string, unknown]): boolean => authKeys.has(key);
  return {
    ...Object.fromEntries(keys.filter((entry) => !isAuth(entry))),
    auth: { ...renamed({ ...auth }, olderAuthNames), ...Object.fromEntries(keys.filter(isAuth)) },
  };
}

function renamed(
  raw: Readonly<Record<string, unknown>>,
  older: Readonly<Record<string, string>>,
): Readonly<Record<string, unknown>> {
  const entries = Object.entries(raw)
    .filter(([, value]) => value !== '' && value !== null && value !== undefined)
    .map(([key, value]): [string, unknown] => [key.replaceAll('-', '_'), value]);
  const isOld = ([key]: [string, unknown]): boolean => Object.hasOwn(older, key);
  return Object.fromEntries([
    ...entries.filter(isOld).map(([key, value]): [string, unknown] => [older[key] ?? key, value]),
    ...entries.filter((entry) => !isOld(entry)),
  ]);
}

/**
 * Unsupported or unknown keys that could change what a drill does.
 * @param everyKey report unknown keys, too; false for environment variables, because other programs may define some
 */
export function keyProblems(entry: Readonly<Record<string, unknown>>, everyKey: boolean): KeyProblem[] {
  const { auth, ...rest } = entry;
  const known = Object.keys(cloudFields);
  const isKnown = (key: string): boolean =>
    known.includes(key) || irrelevant.has(key) || irrelevantForms.some((form) => form.test(key));
  return [
    ...Object.keys(rest).flatMap((key) =>
      problemOf([key], key, unsupportedKeys, known, !everyKey || isKnown(key)),
    ),
    ...Object.keys(typeof auth === 'object' ? Object(auth) : {}).flatMap((key) =>
      problemOf(['auth', key], key, unsupportedAuth, Object.keys(authFields), !everyKey),
    ),
  ];
}

function problemOf(
  path: readonly string[],
  key: string,
  unsupported: Readonly<Record<string, Unsupported>>,
  known: readonly string[],
  isLeft: boolean,
): KeyProblem[] {
  const reason = Object.hasOwn(unsupported, key) ? unsupported[key] : undefined;
  if (reason !== undefined) return [{ path, message: reason.why, hint: reason.hint }];
  if (isLeft || known.includes(key)) return [];
  const near = closest(key, [...known]);
  const isNear = distance(key, near) <= Math.max(1, Math.floor(key.length / 3));
  return [
    {
      path,
      message: `this key is not supported${isNear ? `; did you mean ${near}?` : ''}`,
      hint: 'Correct or remove the key. If other programs need it, copy the entry without the key to another file, and name that file in `cloudsFile` of the target.',
    },
  ];
}
