import { homedir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../core/clock.ts';
import type { CloudServer } from '../core/cloud.ts';
import { messageOf } from '../core/errors.ts';
import type { PlannedHost } from '../core/plan.ts';
import { readCloudConfig } from './clouds-config.ts';
import { createHttpClient } from '../http/http-client.ts';
import { createNovaServer } from './nova.ts';

/** Passwords and credentials by which a host's cloud is reached; none where its settings cannot be read. */
export function secretsOfCloud({ server }: PlannedHost): string[] {
  if (server === undefined) return [];
  try {
    const { credentials } = readCloudConfig(server.cloud, server.cloudsFile, surroundings());
    return [credentials.kind === 'password' ? credentials.password : credentials.secret];
  } catch {
    return [];
  }
}

const surroundings = () => ({ env: process.env, cwd: process.cwd(), home: homedir() });

const clock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
};

/**
 * The server that a cloud runs the host as; undefined where the target names none. Reads the cloud's settings
 * and touches no network. Settings that are missing or wrong matter only to what uses the server: its
 * methods then throw DrillError `invalid-input` naming file and key.
 */
export function createServer(host: PlannedHost): CloudServer | undefined {
  if (host.server === undefined) return undefined;
  const { cloud, cloudsFile, id } = host.server;
  try {
    const config = readCloudConfig(cloud, cloudsFile, surroundings());
    return createNovaServer({ config, http: createHttpClient(config.trust), clock, retryMs: 500 }, id);
  } catch (error) {
    const fail = (): Promise<never> => Promise.reject(error);
    const where = `server ${id} of cloud ${cloud}, whose settings cannot be used: ${messageOf(error)}`;
    return { where, state: fail, stop: fail, start: fail, reboot: fail, action: fail };
  }
}
