import { parseIpPrefix, prefixContains, type IpAddress } from '../../core/ip-address.ts';
import type { FilterRule, PacketFilter } from './packet-filter.ts';

/** A packet of the host, as far as rules look at it. */
export interface FilteredPacket {
  readonly way: 'in' | 'out';
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** IANA's number. */
  readonly protocol: number;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  /** Of packets of ICMP: any of these. */
  readonly icmpTypes?: readonly number[];
}

/**
 * A connection that loses this share of its packets counts as cut: at 0.5 one round trip in four succeeds, and a connection
 * that brings nothing for two seconds is closed.
 */
const lossThatCuts = 0.5;

/** Whether the rules drop such a packet, for good or so often that a connection does not survive. */
export function dropsPacket({ rules }: Pick<PacketFilter, 'rules'>, packet: FilteredPacket): boolean {
  const tool = packet.source.family === 4 ? 'iptables' : 'ip6tables';
  const decisive = rules.find(
    (rule) => rule.tool === tool && rule.way === packet.way && matches(rule, packet),
  );
  return decisive?.target === 'DROP';
}

/** A rule matches where all of its words do. Words that are not known here are taken to match what is dropped, and nothing else. */
function matches({ match, target }: FilterRule, packet: FilteredPacket): boolean {
  for (let at = 0; at < match.length; at += 2) {
    const [flag = '', value = ''] = match.slice(at, at + 2);
    if (!matchesWord(flag, value, packet, target === 'DROP')) return false;
  }
  return true;
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
      return Number(value) === packet.destinationPort;
    case '-m':
      return value === 'statistic' || value === 'icmp6' || otherwise;
    case '--mode':
      return value === 'random' || otherwise;
    case '--icmpv6-type':
      return packet.icmpTypes?.includes(Number(value)) ?? false;
    case '--probability':
      return Number(value) >= lossThatCuts;
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
