import { parseIpPrefix, prefixContains, type IpAddress } from '../../core/ip-address.ts';
import type { FilterRule, PacketFilter } from './packet-filter.ts';

/** The fields of a packet that rules can match. */
export interface FilteredPacket {
  readonly direction: 'in' | 'out';
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** IANA's protocol number. */
  readonly protocol: number;
  readonly sourcePort?: number;
  /** `any`: unknown. */
  readonly destinationPort?: number | 'any';
  /** For ICMP: the packet has one of these types. */
  readonly icmpTypes?: readonly number[];
}

/** An outer packet of a tunnel. Its addresses and its port are unknown. */
export interface WrappingPacket {
  readonly direction: 'in' | 'out';
  readonly wraps: true;
}

/**
 * Protocols that can carry other packets: IP in IP, TCP and UDP (by a program), IPv6 in IP, GRE, IPsec (ESP
 * and AH), and L2TP.
 */
const wrappingProtocols = [4, 6, 17, 41, 47, 50, 51, 115];

/** The share of such packets that the rules drop, 0 to 1. Rules with a probability draw independently. */
export function shareDropped(
  { rules }: Pick<PacketFilter, 'rules'>,
  packet: FilteredPacket | WrappingPacket,
): number {
  const own = rules.filter((rule) => rule.direction === packet.direction);
  if ('wraps' in packet) {
    const share = (rule: FilterRule): number => (rule.target === 'DROP' && mayWrap(rule) ? drawOf(rule) : 0);
    return 1 - passedBy(own.map(share));
  }
  const tool = packet.source.family === 4 ? 'iptables' : 'ip6tables';
  const matching = own.filter((rule) => rule.tool === tool && matches(rule, packet));
  const end = matching.findIndex(({ target }) => target === 'RETURN');
  return 1 - passedBy((end < 0 ? matching : matching.slice(0, end)).map(drawOf));
}

/** The share of packets that passes a sequence of rules, from the share that each rule drops. */
function passedBy(shares: readonly number[]): number {
  return shares.reduce((passed, share) => passed * (1 - share), 1);
}

/**
 * The share of its matching packets to which a rule applies its target. Without a valid probability, the rule
 * applies it to all.
 */
function drawOf({ match }: FilterRule): number {
  const share = Number(wordAfter(match, '--probability') ?? 1);
  return share >= 0 && share <= 1 ? share : 1;
}

function wordAfter(match: readonly string[], flag: string): string | undefined {
  const at = match.indexOf(flag);
  return at < 0 ? undefined : match[at + 1];
}

/**
 * Whether all arguments of a rule match. An unknown argument counts as a match for DROP and as no match for
 * RETURN, so that the dropped share is never underestimated.
 */
function matches({ match, target }: FilterRule, packet: FilteredPacket): boolean {
  for (let at = 0; at < match.length; at += 2) {
    const [flag = '', value = ''] = match.slice(at, at + 2);
    if (!matchesWord(flag, value, packet, target === 'DROP')) return false;
  }
  return true;
}

/** Whether a rule may match the outer packet of a tunnel. */
function mayWrap({ match }: FilterRule): boolean {
  const protocol = wordAfter(match, '-p');
  return protocol === undefined || wrappingProtocols.includes(protocolOf(protocol));
}

function matchesWord(flag: string, value: string, packet: FilteredPacket, otherwise: boolean): boolean {
  switch (flag) {
    case '-s':
      return isWithin(value, packet.source, otherwise);
    case '-d':
      return isWithin(value, packet.destination, otherwise);
    case '-p':
      return protocolOf(value) === packet.protocol;
    case '--sport':
      return Number(value) === packet.sourcePort;
    case '--dport':
      if (packet.destinationPort === 'any') return otherwise;
      return Number(value) === packet.destinationPort;
    case '-m':
      return value === 'statistic' || value === 'icmp6' || otherwise;
    case '--mode':
      return value === 'random' || otherwise;
    case '--icmpv6-type':
      return packet.icmpTypes?.includes(Number(value)) ?? false;
    case '--probability':
      return true;
    default:
      return otherwise;
  }
}

function isWithin(text: string, address: IpAddress, otherwise: boolean): boolean {
  const prefix = parseIpPrefix(text);
  return prefix === undefined ? otherwise : prefixContains(prefix, address);
}

function protocolOf(word: string): number {
  const names = new Map([
    ['tcp', 6],
    ['udp', 17],
  ]);
  return names.get(word) ?? Number(word);
}
