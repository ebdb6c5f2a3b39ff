import { isIPv6 } from 'node:net';
import { z } from 'zod';
import { DrillError, messageOf } from '../core/errors.ts';
import { type IpAddress, parseIpAddress } from '../core/ip-address.ts';
import { asciiHost } from './host-name.ts';

/**
 * Checks for text parameters. The planner fills `${host}` and `${address}` in
 * after the schema has run, so a check sees those as an ordinary name.
 */
const filled = (text: string): string => text.replaceAll(/\$\{(?:host|address)\}/g, 'placeholder');

/** An absolute http(s) URL. */
export const httpUrl = z
  .string()
  .refine((text) => isUrl(filled(text), ['http:', 'https:']), {
    error: 'expected an http:// or https:// URL',
  })
  .refine((text) => !hasUser(filled(text)), {
    error: 'a user or password does not belong in a URL: send a header, such as Authorization: { env: … }',
  })
  .describe('URL, http or https.');

/** `host:port`, an IPv6 address in brackets. */
export const hostPort = z.string().refine((text) => parseHostPort(filled(text)) !== undefined, {
  error: 'expected host:port, such as 192.0.2.1:443 or [2001:db8::1]:443',
});

/** Whether a text is an address, or becomes one when the planner fills it in. */
const mayBeAddress = (text: string, family?: 4): boolean => {
  if (text !== filled(text)) return true;
  const address = parseIpAddress(text);
  return address !== undefined && (family === undefined || address.family === family);
};

/** An IPv4 or IPv6 address, without a prefix length. */
export const ipAddress = z.string().refine((text) => mayBeAddress(text), {
  error: 'expected an IP address without a prefix length, such as 192.0.2.1 or 2001:db8::1',
});

/** An IPv4 address, without a prefix length. */
export const ipv4Address = z.string().refine((text) => mayBeAddress(text, 4), {
  error: 'expected an IPv4 address without a prefix length, such as 192.0.2.1',
});

/** A name or an address, as a host's commands take it: names in ASCII, addresses as they are. Undefined for what is neither. */
function hostWord(text: string): string | undefined {
  return parseIpAddress(text) === undefined ? asciiHost(text) : text;
}

/** The name of a host, or an address without a prefix length. */
export const hostOrAddress = z.string().refine((text) => hostWord(filled(text)) !== undefined, {
  error: 'expected an address or a name, such as 192.0.2.1',
});

/** A name or an address of a plan, where it was checked with placeholders only. @throws DrillError `invalid-input` */
export function requireHostOrAddress(field: string, text: string): string {
  const word = hostWord(text);
  if (word === undefined)
    throw new DrillError('invalid-input', `${field}: "${text}" is neither an address nor the name of a host`);
  return word;
}

/** The source of a regular expression. */
export const regex = z.string().refine(
  (text) => {
    try {
      return new RegExp(text) instanceof RegExp;
    } catch {
      return false;
    }
  },
  { error: 'not a valid regular expression' },
);

/** Splits `host:port`; undefined for anything else. */
function parseHostPort(text: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]/\s]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? asciiHost(match?.[2] ?? '');
  const port = Number(match?.[3]);
  if (host === undefined || port < 1 || port > 65_535) return undefined;
  if (match?.[1] !== undefined && !isIPv6(host)) return undefined;
  return { host, port };
}

/** `host:port` of a plan, where it was checked with placeholders only. @throws DrillError `invalid-input` */
export function requireHostPort(text: string): { readonly host: string; readonly port: number } {
  const parsed = parseHostPort(text);
  if (parsed === undefined) throw new DrillError('invalid-input', `"${text}" is not host:port`);
  return parsed;
}

/** A URL of a plan. @throws DrillError `invalid-input` */
export function requireUrl(text: string): URL {
  if (!URL.canParse(text)) throw new DrillError('invalid-input', `"${text}" is not a URL`);
  return new URL(text);
}

/** An address of a plan, where it was checked with placeholders only. @throws DrillError `invalid-input` */
export function requireIpAddress(field: string, text: string, family?: 4): IpAddress {
  const address = parseIpAddress(text);
  if (address !== undefined && (family === undefined || address.family === family)) return address;
  const what = family === undefined ? 'an IP address' : 'an IPv4 address';
  throw new DrillError('invalid-input', `${field}: "${text}" is not ${what}`, {
    mend: 'Write the address without a prefix length, or give the host an `address`.',
  });
}

/** A regular expression of a plan. @throws DrillError `invalid-input` */
export function requireRegex(source: string): RegExp {
  try {
    return new RegExp(source);
  } catch (error) {
    throw new DrillError('invalid-input', messageOf(error), { cause: error });
  }
}

function hasUser(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.username !== '' || url.password !== '');
}

function isUrl(text: string, protocols: readonly string[]): boolean {
  const url = URL.parse(text);
  if (url === null || !protocols.includes(url.protocol)) return false;
  return url.hostname.startsWith('[') || asciiHost(url.hostname) !== undefined;
}
