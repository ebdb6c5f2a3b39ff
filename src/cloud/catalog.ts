import { homedir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../core/clock.ts';
import type { CloudServer } from '../core/cloud.ts';
import { messageOf } from '../core/errors.ts';
import type { PlannedHost } from '../core/plan.ts';
import { runMs, wallMs } from '../core/time.ts';
import { readCloudConfig } from './clouds-config.ts';
import { createHttpClient } from '../http/http-client.ts';
import { createNovaServer } from './nova.ts';

/** The password or secret for a host's cloud; empty if the settings cannot be read. */
export function secretsOfCloud({ server }: PlannedHost): string[] {
  if (server === undefined) return [];
  try {
    const { credentials } = readCloudConfig(server.cloud, server.cloudsFile, environment());
    return [credentials.kind === 'password' ? credentials.password : credentials.secret];
  } catch {
    return [];
  }
}

const environment = () => ({ env: process.env, cwd: process.cwd(), home: homedir() });

const clock: Clock = {
  nowMs: () => runMs(performance.now()),
  wallMs: () => wallMs(Date.now()),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
};

/**
 * The cloud server of a host; undefined if the target names none. Reads the cloud's settings without any request. If the
 * settings are missing or wrong, the server's methods throw DrillError `invalid-input` with file and key. So an error in
 * them only affects drills that use the server.
 */
export function createServer(host: PlannedHost): CloudServer | undefined {
  if (host.server === undefined) return undefined;
  const { cloud, cloudsFile, id } = host.server;
  try {
    const config = readCloudConfig(cloud, cloudsFile, environment());
    return createNovaServer({ config, http: createHttpClient(config.trust), clock, retryMs: 500 }, id);
  } catch (error) {
    const fail = (): Promise<never> => Promise.reject(error);
    const where = `server ${id} of cloud ${cloud}, whose settings cannot be used: ${messageOf(error)}`;
    return { where, state: fail, stop: fail, start: fail, reboot: fail, action: fail };
  }
}
