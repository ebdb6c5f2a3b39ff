import { execFile } from 'node:child_process';
import { isIP } from 'node:net';
import type { NameAddress } from '../core/probe.ts';

/** As long as glibc waits for one server. */
const withinMs = 5000;

/**
 * Asks the system's name service in a process of its own: what /etc/nsswitch.conf has besides files and DNS, such as mDNS.
 * Empty where it knows no such name, and where there is no `getent`. Never rejects.
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
