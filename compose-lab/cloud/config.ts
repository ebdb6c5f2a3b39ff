import { createHash } from 'node:crypto';

/** A server of the cloud, and its machine. */
export interface ServerConfig {
  readonly name: string;
  /** The hypervisor's name of the machine: the container's name. */
  readonly machine: string;
}

/** Configuration of a cloud. All ids are derived from names, so they are the same in every lab. */
export interface CloudConfig {
  readonly region: string;
  readonly user: string;
  readonly password: string;
  readonly project: string;
  /** Application credential of that user in that project. */
  readonly credential: { readonly name: string; readonly secret: string };
  readonly tokenLifeMs: number;
  /** Nova's sync_power_state_interval (600 s by default); negative: never. */
  readonly syncPowerStateMs: number;
  /** Nova's shutdown_timeout: the time for a guest to shut down before it is powered off. */
  readonly shutdownTimeoutMs: number;
  readonly servers: readonly ServerConfig[];
}

const defaults = { tokenSeconds: 3600, syncPowerStateSeconds: 600, shutdownTimeoutSeconds: 60 };

/**
 * Parses a cloud's JSON file. `passwordVariable` and `credential.secretVariable` name the variables with the secrets.
 * @throws Error with the missing key
 */
export function parseCloudConfig(
  text: string,
  variables: Readonly<Record<string, string | undefined>>,
): CloudConfig {
  const file = { ...defaults, ...(JSON.parse(text) as Record<string, unknown>) } as Record<string, unknown>;
  const word = (value: unknown, key: string): string => {
    if (typeof value === 'string' && value !== '') return value;
    throw new Error(`cloud configuration: ${key} is missing`);
  };
  const millis = (key: string): number => {
    const value = file[key];
    if (typeof value === 'number' && value !== 0) return value * 1000;
    throw new Error(`cloud configuration: ${key} is not a number of seconds`);
  };
  const secret = (name: unknown, key: string): string => {
    const variable = word(name, key);
    return word(variables[variable], `the variable ${variable} (${key})`);
  };
  const credential = file['credential'] as Record<string, unknown> | undefined;
  const servers = Object.entries((file['servers'] ?? {}) as Record<string, unknown>);
  if (servers.length === 0) throw new Error('cloud configuration: servers are missing');
  return {
    region: word(file['region'], 'region'),
    user: word(file['user'], 'user'),
    password: secret(file['passwordVariable'], 'passwordVariable'),
    project: word(file['project'], 'project'),
    credential: {
      name: word(credential?.['name'], 'credential.name'),
      secret: secret(credential?.['secretVariable'], 'credential.secretVariable'),
    },
    tokenLifeMs: millis('tokenSeconds'),
    syncPowerStateMs: millis('syncPowerStateSeconds'),
    shutdownTimeoutMs: millis('shutdownTimeoutSeconds'),
    servers: servers.map(([name, machine]) => ({ name, machine: word(machine, `servers.${name}`) })),
  };
}

/** Keystone's form of an id: 32 hex digits. */
export function hexId(kind: string, name: string): string {
  return createHash('sha256').update(`firedrill lab cloud\n${kind}\n${name}`).digest('hex').slice(0, 32);
}

/** Nova's form of an id: a UUID (version 8, custom). */
export function uuid(kind: string, name: string): string {
  const hex = hexId(kind, name);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
}
