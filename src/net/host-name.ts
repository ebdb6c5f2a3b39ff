import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';

/**
 * The name of a host, or an IPv4 address, as it can be looked up: a name of another script in ASCII (IDNA). Undefined for what
 * is neither. A last label of digits makes it an address. Underscores are no part of a host name by RFC 952, but in use.
 */
export function asciiHost(host: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- what is ASCII stays as it was written
  const ascii = /^[\u0000-\u007f]*$/.test(host) ? host : domainToASCII(host);
  const isName = /^\w(?:[\w.-]*\w)?\.?$/.test(ascii) && !ascii.includes('..');
  // RFC 1035, 2.3.4; a name of 255 octets on the wire has 253 characters.
  const labels = ascii.replace(/\.$/, '').split('.');
  if (labels.some((label) => label.length > 63) || labels.join('.').length > 253) return undefined;
  const isAddress = isIP(ascii) === 4;
  return isName && (isAddress || !/(?:^|\.)\d+\.?$/.test(ascii)) ? ascii : undefined;
}
