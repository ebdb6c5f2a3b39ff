/**
 * An IP address as a number, so that two spellings of one address are equal. An IPv4-mapped IPv6 address
 * (`::ffff:192.0.2.7`) is the IPv4 address, because its packets carry that one.
 */
export interface IpAddress {
  readonly family: 4 | 6;
  /** 32 or 128 bits, the most significant bit first on the wire. */
  readonly bits: bigint;
  /** The interface of a link-local address, as in `fe80::1%eth0`; undefined without one. */
  readonly zone: string | undefined;
}

/** An address with a prefix length, as in `192.0.2.7/24`. The bits after the prefix are kept. */
export interface IpPrefix {
  readonly address: IpAddress;
  /** 0 to 32 or 128. A plain address has all of its bits. */
  readonly length: number;
}

const widths = { 4: 32, 6: 128 } as const;
const mappedPrefix = 0xffffn;

/**
 * Parses an address; undefined if the text is not one. An IPv4 address has four decimal numbers without
 * leading zeros, because programs disagree about other forms (`010.0.0.1`, `10.1`).
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  const [plain = '', zone, ...rest] = text.split('%');
  if (rest.length > 0 || zone === '') return undefined;
  if (!plain.includes(':')) {
    const bits = zone === undefined ? parseIpv4(plain) : undefined;
    return bits === undefined ? undefined : { family: 4, bits, zone: undefined };
  }
  const bits = parseIpv6(plain);
  if (bits === undefined) return undefined;
  const isMapped = bits >> 32n === mappedPrefix && zone === undefined;
  return isMapped ? { family: 4, bits: bits & 0xffff_ffffn, zone } : { family: 6, bits, zone };
}

/** Parses an address or a CIDR; undefined if the text is neither. */
export function parseIpPrefix(text: string): IpPrefix | undefined {
  const [spelled = '', length, ...rest] = text.split('/');
  const address = parseIpAddress(spelled);
  if (address === undefined || rest.length > 0) return undefined;
  const width = widths[address.family];
  if (length === undefined) return { address, length: width };
  if (!/^(0|[1-9]\d{0,2})$/.test(length)) return undefined;
  // A mapped address is written with 128 bits; its first 96 are not part of the IPv4 address.
  const skipped = address.family === 4 && spelled.includes(':') ? 96 : 0;
  const bits = Number(length) - skipped;
  return bits < 0 || bits > width ? undefined : { address, length: bits };
}

/** Whether both are the same address. An address without a zone is equal to it in every zone. */
export function isSameIpAddress(a: IpAddress, b: IpAddress): boolean {
  return a.family === b.family && a.bits === b.bits && isSameZone(a, b);
}

/** Whether the address is in the prefix. Different families never match. */
export function prefixContains(prefix: IpPrefix, address: IpAddress): boolean {
  const { family } = prefix.address;
  if (family !== address.family || !isSameZone(prefix.address, address)) return false;
  return networkBits(prefix) === networkBits({ address, length: prefix.length });
}

/** Whether the prefix is a single address. */
export function isOneAddress({ address, length }: IpPrefix): boolean {
  return length === widths[address.family];
}

/** The canonical text of an address (IPv6: RFC 5952), with its zone. */
export function formatIpAddress({ family, bits, zone }: IpAddress): string {
  const text = family === 4 ? formatIpv4(bits) : formatIpv6(bits);
  return zone === undefined ? text : `${text}%${zone}`;
}

/** The canonical text of a network: `192.0.2.0/24` for `192.0.2.7/24`. A single address has no length. */
export function formatIpPrefix(prefix: IpPrefix): string {
  const { address, length } = prefix;
  const width = widths[address.family];
  if (length === width) return formatIpAddress(address);
  const bits = networkBits(prefix) << BigInt(width - length);
  return `${formatIpAddress({ ...address, bits })}/${length}`;
}

/** The bits of the prefix only, shifted to the right end. */
function networkBits({ address, length }: IpPrefix): bigint {
  return address.bits >> BigInt(widths[address.family] - length);
}

function isSameZone(a: IpAddress, b: IpAddress): boolean {
  return a.zone === undefined || b.zone === undefined || a.zone === b.zone;
}

function parseIpv4(text: string): bigint | undefined {
  const words = text.split('.');
  if (words.length !== 4) return undefined;
  let bits = 0n;
  for (const word of words) {
    if (!/^(0|[1-9]\d{0,2})$/.test(word) || Number(word) > 255) return undefined;
    bits = (bits << 8n) | BigInt(word);
  }
  return bits;
}

/**
 * Parses eight groups, where `::` stands for one or more zero groups. The last two may be an IPv4 address.
 */
function parseIpv6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half, index) => groupsOf(half, index === halves.length - 1));
  if (head === undefined) return undefined;
  if (halves.length === 1) return head.length === 8 ? joinGroups(head) : undefined;
  if (tail === undefined || head.length + tail.length > 7) return undefined;
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => 0);
  return joinGroups([...head, ...zeros, ...tail]);
}

function groupsOf(text: string, isLast: boolean): number[] | undefined {
  if (text === '') return [];
  const words = text.split(':');
  const groups: number[] = [];
  for (const [index, word] of words.entries()) {
    if (isLast && index === words.length - 1 && word.includes('.')) {
      const bits = parseIpv4(word);
      if (bits === undefined) return undefined;
      groups.push(Number(bits >> 16n), Number(bits & 0xffffn));
    } else if (/^[\da-f]{1,4}$/i.test(word)) {
      groups.push(Number.parseInt(word, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}

function joinGroups(groups: readonly number[]): bigint {
  return groups.reduce((bits, group) => (bits << 16n) | BigInt(group), 0n);
}

function formatIpv4(bits: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 0xffn).join('.');
}

function formatIpv6(bits: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((bits >> BigInt(112 - 16 * index)) & 0xffffn).toString(16),
  );
  const { start, length } = longestZeros(groups);
  if (length < 2) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`;
}

/** The first of the longest runs of zero groups. */
function longestZeros(groups: readonly string[]): { readonly start: number; readonly length: number } {
  let longest = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== '0') start = index + 1;
    else if (index + 1 - start > longest.length) longest = { start, length: index + 1 - start };
  }
  return longest;
}
