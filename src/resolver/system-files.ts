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

/** Default of `ndots`: a name with at least this many dots is tried unchanged first. */
const defaultDots = 1;

/**
 * The names to query, in order, for the text of resolv.conf(5). A name with a trailing dot is queried only as
 * it is. Of `domain` and `search`, the last one counts.
 */
export function searchList(name: string, conf: string): readonly string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  let domains: readonly string[] = [];
  let dots = defaultDots;
  for (const line of conf.split('\n')) {
    const [key, ...words] = line.trim().split(/\s+/);
    if (key === 'search') domains = words;
    if (key === 'domain') domains = words.slice(0, 1);
    if (key !== 'options') continue;
    for (const word of words) dots = Number(/^ndots:(\d+)$/.exec(word)?.[1] ?? dots);
  }
  const searched = domains.map((domain) => `${name}.${domain.replace(/\.$/, '')}`);
  return name.split('.').length - 1 >= dots ? [name, ...searched] : [...searched, name];
}
