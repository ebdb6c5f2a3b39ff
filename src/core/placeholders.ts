import type { Json, PlannedHost } from './plan.ts';

/**
 * Converts a parsed value to JSON and passes every string through `mapText` with its key. Undefined fields
 * are omitted.
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

/** Names of the hosts and roles in a text's `${address.NAME}` placeholders. */
export function addressNames(text: string): string[] {
  return [...text.matchAll(addressPattern)].map(([, name = '']) => name);
}

/** Places where an IPv6 address needs brackets: in a URL, and before a port (`host:port`). */
const urlAddress = /(?<=:\/\/[^/\s[]*)\$\{address\}/g;
const addressAndPort = /^\$\{address\}(?=:\d+$)/;

/** Replaces `${host}` and `${address}` by a host's values; a placeholder without a value stays. */
export function fillPlaceholders(text: string, host: Pick<PlannedHost, 'name' | 'address'>): string {
  const named = text.replaceAll('${host}', host.name);
  const { address } = host;
  if (address === undefined) return named;
  const inBrackets = address.includes(':')
    ? named.replace(urlAddress, () => `[${address}]`).replace(addressAndPort, () => `[${address}]`)
    : named;
  return inBrackets.replaceAll('${address}', () => address);
}

/** Replaces each `${address.NAME}` by the address of that name; an unknown name stays. */
export function fillAddresses(text: string, addresses: ReadonlyMap<string, string>): string {
  return text.replaceAll(addressPattern, (written, name: string) => addresses.get(name) ?? written);
}
