import type { Json, PlannedHost } from './plan.ts';

/**
 * Turns a parsed value into JSON, every string through `mapText` (with the key
 * it stands under). Fields that are undefined are left out.
 */
export function mapStrings(value: unknown, mapText: (text: string, key: string) => string, key = ''): Json {
  if (typeof value === 'string') return mapText(value, key);
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, mapText, key));
  if (typeof value === 'object') {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    return Object.fromEntries(entries.map(([name, item]) => [name, mapStrings(item, mapText, name)]));
  }
  return null;
}

const addressPattern = /\$\{address\.([^}]*)\}/g;

/** Names of the hosts and roles whose addresses a text wants: `${address.NAME}`. */
export function addressNames(text: string): string[] {
  return [...text.matchAll(addressPattern)].map(([, name = '']) => name);
}

/** Where an address stands before a port or a path, so that one of IPv6 needs brackets: in a URL, and as `host:port`. */
const urlAddress = /(?<=:\/\/[^/\s[]*)\$\{address\}/g;
const addressAndPort = /^\$\{address\}(?=:\d+$)/;

/** Replaces `${host}` and `${address}` by those of a host; what it lacks stays as written. */
export function fillPlaceholders(text: string, host: Pick<PlannedHost, 'name' | 'address'>): string {
  const named = text.replaceAll('${host}', host.name);
  const { address } = host;
  if (address === undefined) return named;
  const inBrackets = address.includes(':')
    ? named.replace(urlAddress, () => `[${address}]`).replace(addressAndPort, () => `[${address}]`)
    : named;
  return inBrackets.replaceAll('${address}', () => address);
}

/** Replaces each `${address.NAME}` by the address of that name; what is not known stays as written. */
export function fillAddresses(text: string, addresses: ReadonlyMap<string, string>): string {
  return text.replaceAll(addressPattern, (written, name: string) => addresses.get(name) ?? written);
}
