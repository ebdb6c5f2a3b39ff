import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';

/**
 * A host name or IPv4 address in a form that can be looked up; a name in another script is converted to ASCII
 * (IDNA). Undefined for any other text. A numeric last label makes it an address. RFC 952 does not allow
 * underscores in host names, but they are in use.
 */
export function asciiHost(host: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- ASCII text stays unchanged
  const ascii = /^[\u0000-\u007f]*$/.test(host) ? host : domainToASCII(host);
  const isName = /^\w(?:[\w.-]*\w)?\.?$/.test(ascii) && !ascii.includes('..');
  // RFC 1035, 2.3.4; a name of 255 octets on the wire has 253 characters.
  const labels = ascii.replace(/\.$/, '').split('.');
  if (labels.some((label) => label.length > 63) || labels.join('.').length > 253) return undefined;
  const isAddress = isIP(ascii) === 4;
  return isName && (isAddress || !/(?:^|\.)\d+\.?$/.test(ascii)) ? ascii : undefined;
}
