import { z } from 'zod';
import { DrillError } from '../../core/errors.ts';
import type { FaultContext } from '../../core/fault.ts';
import type { Tool } from './packet-filter.ts';

const error = 'expected vrrp, icmp, tcp, udp, or the number of an IP protocol (1 to 255)';

/** An IP protocol in a scenario file. */
export const ipProtocol = z.union(
  [z.enum(['vrrp', 'icmp', 'tcp', 'udp']), z.int().gt(0, { error }).max(255, { error })],
  { error },
);
export type IpProtocol = z.output<typeof ipProtocol>;

/**
 * IANA's protocol numbers. Rules use numbers, because iptables looks names up in a file (/etc/protocols) that
 * small systems lack.
 */
const numbers = { vrrp: 112, icmp: 1, tcp: 6, udp: 17 } as const;
const icmpOverIpv6 = 58;

/** Numbers of the protocols that firedrill's own connection to a host needs. */
export const ipProtocolNumbers = { tcp: numbers.tcp, icmpOverIpv6 } as const;

/** VRRP, and the authentication header (AH) that keepalived can wrap it in. */
const vrrpNumbers = [numbers.vrrp, 51];

/**
 * Multicast groups of VRRP adverts (RFC 9568, 5.1.1.2 and 5.1.2.2). Routers with configured unicast peers do
 * not use them.
 */
export const vrrpGroups: Readonly<Record<Tool, string>> = { iptables: '224.0.0.18', ip6tables: 'ff02::12' };

/**
 * IPv6 extension headers. ip6tables skips them and matches the protocol that follows (is_exthdr in its
 * sources).
 */
const extensionHeaders = [43, 44, 51, 60];

/**
 * The protocol numbers of the packets that `tool` filters. Throws `fault-failed` for a protocol that `tool`
 * cannot match.
 */
export function protocolNumbers(
  ctx: FaultContext,
  tool: Tool,
  protocols: readonly IpProtocol[],
): ReadonlySet<number> {
  const found = protocols.map((protocol) => {
    if (typeof protocol === 'number') return protocol;
    return protocol === 'icmp' && tool === 'ip6tables' ? icmpOverIpv6 : numbers[protocol];
  });
  const hidden = tool === 'ip6tables' ? found.find((number) => extensionHeaders.includes(number)) : undefined;
  if (hidden === undefined) return new Set(found);
  throw new DrillError(
    'fault-failed',
    `${ctx.host.name}: cannot match protocol ${hidden} over IPv6: it is an extension header`,
    { hint: `Remove the IPv6 addresses from \`peers\`, or remove ${hidden} from \`protocols\`.` },
  );
}

/** True if VRRP adverts use this protocol. */
export function carriesVrrp(number: number): boolean {
  return vrrpNumbers.includes(number);
}
