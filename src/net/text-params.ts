import { isIPv6 } from 'node:net';
import { z } from 'zod';
import { DrillError, messageOf } from '../core/errors.ts';
import { type IpAddress, parseIpAddress } from '../core/ip-address.ts';
import { asciiHost } from './host-name.ts';

/**
 * Checks for text parameters. The planner fills `${host}` and `${address}` in after the schema check, so the
 * check replaces them by an ordinary name.
 */
const filled = (text: string): string => text.replaceAll(/\$\{(?:host|address)\}/g, 'placeholder');

/** An absolute HTTP or HTTPS URL. */
export const httpUrl = z
  .string()
  .refine((text) => isUrl(filled(text), ['http:', 'https:']), {
    error: 'expected an http:// or https:// URL',
  })
  .refine((text) => !hasUser(filled(text)), {
    error: 'a user or password must not be in a URL: send a header, such as Authorization: { env: … }',
  })
  .describe('URL, http or https.');

/** `host:port`, with an IPv6 address in brackets. */
export const hostPort = z.string().refine((text) => parseHostPort(filled(text)) !== undefined, {
  error: 'expected host:port, such as 192.0.2.1:443 or [2001:db8::1]:443',
});

/** Whether a text is an address, or may become one when the planner fills it in. */
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

/**
 * A name or address as commands on a host take it: names in ASCII, addresses unchanged. Undefined for any
 * other text.
 */
function hostWord(text: string): string | undefined {
  return parseIpAddress(text) === undefined ? asciiHost(text) : text;
}

/** A host name, or an address without a prefix length. */
export const hostOrAddress = z.string().refine((text) => hostWord(filled(text)) !== undefined, {
  error: 'expected an address or a host name, such as 192.0.2.1',
});

/**
 * A name or address from a plan, checked again because the schema saw placeholders. @throws DrillError
 * `invalid-input`
 */
export function requireHostOrAddress(field: string, text: string): string {
  const word = hostWord(text);
  if (word === undefined)
    throw new DrillError('invalid-input', `${field}: "${text}" is not a host name or an IP address`);
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

/**
 * `host:port` from a plan, checked again because the schema saw placeholders. @throws DrillError
 * `invalid-input`
 */
export function requireHostPort(text: string): { readonly host: string; readonly port: number } {
  const parsed = parseHostPort(text);
  if (parsed === undefined) throw new DrillError('invalid-input', `"${text}" is not host:port`);
  return parsed;
}

/** A URL from a plan. @throws DrillError `invalid-input` */
export function requireUrl(text: string): URL {
  if (!URL.canParse(text)) throw new DrillError('invalid-input', `"${text}" is not a URL`);
  return new URL(text);
}

/**
 * An address from a plan, checked again because the schema saw placeholders. @throws DrillError
 * `invalid-input`
 */
export function requireIpAddress(field: string, text: string, family?: 4): IpAddress {
  const address = parseIpAddress(text);
  if (address !== undefined && (family === undefined || address.family === family)) return address;
  const what = family === undefined ? 'an IP address' : 'an IPv4 address';
  throw new DrillError('invalid-input', `${field}: "${text}" is not ${what}`, {
    hint: 'Write the address without a prefix length, or set `address` of the host in the target file.',
  });
}

/** A regular expression from a plan. @throws DrillError `invalid-input` */
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
