import { isIP } from 'node:net';
import type { NameAddress } from '../core/probe.ts';

/** Parses a hosts(5) file: addresses by lowercase name, in the order of the file. */
export function parseHosts(text: string): ReadonlyMap<string, readonly NameAddress[]> {
  const hosts = new Map<string, NameAddress[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/);
    const family = isIP(address);
    if (family !== 4 && family !== 6) continue;
    for (const name of names.map((word) => word.toLowerCase())) {
      const known = hosts.get(name) ?? [];
      if (!known.some((one) => one.address === address)) hosts.set(name, [...known, { address, family }]);
    }
  }
  return hosts;
}
