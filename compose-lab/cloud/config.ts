import { createHash } from 'node:crypto';

/** A server of the cloud and the machine that it is. */
export interface ServerConfig {
  readonly name: string;
  /** As the hypervisor calls it: the container's name. */
  readonly machine: string;
}

/** What a cloud is made of. All ids follow from the names: they are the same wherever the lab is brought up. */
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
  /** Nova's shutdown_timeout: what a guest gets to shut down before it loses its power. */
  readonly shutdownTimeoutMs: number;
  readonly servers: readonly ServerConfig[];
}

const defaults = { tokenSeconds: 3600, syncPowerStateSeconds: 600, shutdownTimeoutSeconds: 60 };

/**
 * A cloud from the text of its JSON file and the variables that hold its secrets (`passwordVariable`, and
 * `credential.secretVariable`, name them). @throws Error naming what is missing
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
    throw new Error(`cloud configuration: ${key} is no number of seconds`);
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

/** Nova's form of an id: a UUID (version 8: made by rules of our own). */
export function uuid(kind: string, name: string): string {
  const hex = hexId(kind, name);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
}
