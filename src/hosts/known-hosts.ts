import { createHash, createHmac } from 'node:crypto';

/** One line of a known_hosts file (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). */
export interface KnownHost {
  readonly marker?: 'revoked' | 'cert-authority';
  /** Names and patterns separated by commas, or one hashed name. */
  readonly hosts: string;
  /** The type that the key itself contains. */
  readonly type: string;
  readonly key: Buffer;
  readonly file: string;
  readonly line: number;
}

/** An invalid line. */
export interface BrokenLine {
  readonly file: string;
  readonly line: number;
  readonly why: string;
}

/** The name that a host is looked up by. */
export interface HostName {
  readonly host: string;
  readonly port: number;
  /** HostKeyAlias: replaces host and port. */
  readonly alias?: string;
}

/** The verdict on a key that a host presents. */
export type KeyVerdict =
  | { readonly kind: 'known'; readonly entry: KnownHost }
  | { readonly kind: 'unknown' }
  /** The known keys of the host are others. */
  | { readonly kind: 'changed'; readonly entry: KnownHost }
  | { readonly kind: 'revoked'; readonly entry: KnownHost }
  /** Only a certificate of that authority would be accepted. */
  | { readonly kind: 'authority-only'; readonly entry: KnownHost };

const defaultPort = 22;

/** Parses a known_hosts file. Invalid lines are returned separately. */
export function parseKnownHosts(
  text: string,
  file: string,
): { readonly entries: readonly KnownHost[]; readonly broken: readonly BrokenLine[] } {
  const entries: KnownHost[] = [];
  const broken: BrokenLine[] = [];
  for (const [index, content] of text.split(/\r?\n/).entries()) {
    const place = { file, line: index + 1 };
    const words = content.trim().split(/[ \t]+/);
    if (words[0] === '' || words[0]?.startsWith('#')) continue;
    const parsed = parseEntry(words);
    if (typeof parsed === 'string') broken.push({ ...place, why: parsed });
    else entries.push({ ...parsed, ...place });
  }
  return { entries, broken };
}

const markers = { '@revoked': 'revoked', '@cert-authority': 'cert-authority' } as const;

function parseEntry(words: readonly string[]): Omit<KnownHost, 'file' | 'line'> | string {
  const [first = ''] = words;
  const marked = first.startsWith('@');
  if (marked && !(first in markers)) return `unknown marker ${first}`;
  const [hosts, type, base64] = marked ? words.slice(1) : words;
  if (hosts === undefined || type === undefined || base64 === undefined) {
    return 'expected: names, key type, key';
  }
  if (/^\d+$/.test(type)) return 'a key of SSH protocol 1';
  if (hosts.startsWith('|') && hashedName.exec(hosts) === null) return 'a hashed name that is cut or damaged';
  const key = Buffer.from(base64, 'base64');
  if (typeOfKey(key) !== type) return `the key is not one of type ${type}`;
  const marker = markers[first as keyof typeof markers];
  return { ...(marked ? { marker } : {}), hosts, type, key };
}

/** The type that a public key contains (RFC 4253, 6.6); undefined if there is none. */
export function typeOfKey(key: Buffer): string | undefined {
  if (key.length < 4) return undefined;
  const end = 4 + key.readUInt32BE(0);
  // A type without key data is not a key.
  return end < key.length ? key.toString('latin1', 4, end) : undefined;
}

/** A key's fingerprint as OpenSSH prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** Types of a host's known keys: a client should request these first. */
export function knownTypes(entries: readonly KnownHost[], name: HostName): readonly string[] {
  const types = lookups(name).flatMap((requested) =>
    entries.filter((e) => e.marker === undefined && isNamed(e, requested)).map((e) => e.type),
  );
  return [...new Set(types)];
}

/**
 * Judges a key as OpenSSH does. A revoked key is always refused. If the host has keys of its own, only these are accepted.
 * A host on another port than 22 is `[host]:port`. If that name is unknown, a key of the host on port 22 is also accepted.
 */
export function judgeHostKey(entries: readonly KnownHost[], name: HostName, key: Buffer): KeyVerdict {
  const [first, onPort22] = lookups(name);
  const verdict = judgeName(entries, first, key);
  if (onPort22 === undefined || !['unknown', 'authority-only'].includes(verdict.kind)) return verdict;
  const elsewhere = judgeName(entries, onPort22, key);
  return elsewhere.kind === 'known' || elsewhere.kind === 'revoked' ? elsewhere : verdict;
}

function judgeName(entries: readonly KnownHost[], requested: string, key: Buffer): KeyVerdict {
  const named = entries.filter((entry) => isNamed(entry, requested));
  const same = (entry: KnownHost): boolean => entry.key.equals(key);
  const revoked = named.find((entry) => entry.marker === 'revoked' && same(entry));
  if (revoked !== undefined) return { kind: 'revoked', entry: revoked };
  const own = named.filter((entry) => entry.marker === undefined);
  const known = own.find(same);
  if (known !== undefined) return { kind: 'known', entry: known };
  const type = typeOfKey(key);
  const other = own.find((entry) => entry.type === type) ?? own[0];
  if (other !== undefined) return { kind: 'changed', entry: other };
  const authority = named.find((entry) => entry.marker === 'cert-authority');
  return authority === undefined ? { kind: 'unknown' } : { kind: 'authority-only', entry: authority };
}

/** The name of a host in known_hosts: `host` on port 22, `[host]:port` on any other. */
export function nameInKnownHosts({ host, port, alias }: HostName): string {
  if (alias !== undefined) return alias;
  const plain = host.toLowerCase();
  return port === defaultPort ? plain : `[${plain}]:${port}`;
}

/** The names to look up, the most specific first. */
function lookups(name: HostName): readonly [string, ...string[]] {
  const first = nameInKnownHosts(name);
  return name.alias !== undefined || name.port === defaultPort ? [first] : [first, name.host.toLowerCase()];
}

/** `|1|salt|hash`: HMAC-SHA1 of the name, keyed with the salt, both of 20 bytes in base64. */
const hashedName = /^\|1\|([A-Za-z0-9+/]{27}=)\|([A-Za-z0-9+/]{27}=)$/;

function isNamed({ hosts }: KnownHost, requested: string): boolean {
  const hashed = hashedName.exec(hosts);
  if (hashed !== null) {
    const [, salt = '', hash] = hashed;
    return createHmac('sha1', Buffer.from(salt, 'base64')).update(requested).digest('base64') === hash;
  }
  const patterns = hosts.toLowerCase().split(',');
  const name = requested.toLowerCase();
  const matches = (pattern: string): boolean => patternOf(pattern).test(name);
  if (patterns.some((pattern) => pattern.startsWith('!') && matches(pattern.slice(1)))) return false;
  return patterns.some((pattern) => !pattern.startsWith('!') && matches(pattern));
}

/** ssh_config(5), PATTERNS: `*` for any text, `?` for any character. */
function patternOf(pattern: string): RegExp {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's');
}
