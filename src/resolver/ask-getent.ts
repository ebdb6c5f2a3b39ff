import { execFile } from 'node:child_process';
import { isIP } from 'node:net';
import type { NameAddress } from '../core/probe.ts';

/** glibc's time-out for one server, ms. */
const withinMs = 5000;

/**
 * Queries the system's name service in its own process, for sources of /etc/nsswitch.conf other than files
 * and DNS, such as mDNS. Empty if the name is unknown or `getent` is missing. Never rejects.
 */
export async function askGetent(name: string): Promise<readonly NameAddress[]> {
  if (name.startsWith('-')) return [];
  const { promise, resolve } = Promise.withResolvers<string>();
  execFile('getent', ['ahosts', name], { timeout: withinMs }, (error, stdout) =>
    resolve(error === null ? stdout : ''),
  );
  const addresses = (await promise).split('\n').map((line) => line.split(/\s+/)[0] ?? '');
  return [...new Set(addresses)].flatMap((address) => {
    const family = isIP(address);
    return family === 4 || family === 6 ? [{ address, family }] : [];
  });
}
