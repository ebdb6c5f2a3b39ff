import { isIPv6 } from 'node:net';
import { asciiHost } from './host-name.ts';

/** A server's address, and the user and database to log in to. */
export interface Dsn {
  /** A host name in ASCII, or an IP address without brackets. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

const defaultPort = 5432;
const form = 'expected postgresql://user@host:port/database';

/** Why a DSN is invalid. */
class Problem extends Error {}

/** Parses `postgresql://user@host:port/database`. */
export function parseDsn(text: string): Dsn | { readonly problem: string } {
  try {
    return read(text);
  } catch (error) {
    if (error instanceof Problem) return { problem: error.message };
    throw error;
  }
}

function read(text: string): Dsn {
  const [, scheme, rest] = /^([A-Za-z][\w+.:-]*):\/\/(\S*)$/.exec(text) ?? [];
  if (scheme === undefined || rest === undefined) throw new Problem(form);
  if (!/^postgres(ql)?$/i.test(scheme))
    throw new Problem(`no SQL probe for ${scheme}://: only postgresql:// is supported`);
  const [, authority = '', path = '', options = ''] = /^([^/?#]*)(?:\/([^?#]*))?(.*)$/.exec(rest) ?? [];
  const at = authority.lastIndexOf('@');
  const [user, password] = split(authority.slice(0, Math.max(0, at)), ':');
  if (password !== undefined && password !== '')
    throw new Problem('a password does not belong in the DSN: use `password: {file: …}` or `{env: …}`');
  if (options !== '') throw new Problem('options do not belong in the DSN: for TLS, use the field `tls`');
  const place = authority.slice(at + 1);
  if (user === '' || place === '') throw new Problem(form);
  if (path.includes('/')) throw new Problem('write a slash in a database name as %2F');
  return { ...readPlace(place), user: decoded(user), database: decoded(path) || decoded(user) };
}

function split(text: string, separator: string): readonly [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** `host`, `host:port`, `[address]`, `[address]:port`. */
function readPlace(place: string): Pick<Dsn, 'host' | 'port'> {
  if (decoded(place).includes(','))
    throw new Problem(
      'it names multiple hosts, but a sample connects to one: write one probe for each host, or one with `on:` and `${address}`',
    );
  const [, address, name, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(place) ?? [];
  if (address === undefined && place.split(':').length > 2)
    throw new Problem('write an IPv6 address in brackets: [2001:db8::1]:5432');
  const host = address === undefined ? hostName(decoded(name ?? '')) : decoded(address);
  if (address !== undefined && !isIPv6(host)) throw new Problem(`[${address}] is not an IPv6 address`);
  return { host, port: readPort(port) };
}

function readPort(port: string | undefined): number {
  if (port === undefined || port === '') return defaultPort;
  const number = Number(port);
  if (!/^\d+$/.test(port) || number < 1 || number > 65_535)
    throw new Problem(`port ${port} is not between 1 and 65535`);
  return number;
}

/** A host name in ASCII, or an IPv4 address. */
function hostName(host: string): string {
  if (/^[/@]/.test(host))
    throw new Problem(
      'it names a Unix socket, but a probe connects over the network: use an address that the server listens on',
    );
  const ascii = asciiHost(host);
  if (ascii === undefined) throw new Problem(`"${host}" is not a host name or an IP address`);
  return ascii;
}

function decoded(text: string): string {
  const plain = percentDecoded(text);
  // The protocol ends each text at a NUL, so the rest would be read as another field.
  if (plain.includes('\0'))
    throw new Problem(`"${text}" contains a NUL character (%00), which PostgreSQL does not allow`);
  return plain;
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Problem(`"${text}" is not percent-encoded: write a percent sign as %25`);
  }
}
