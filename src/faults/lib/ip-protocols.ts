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

/** Numbers, not names: names are looked up in a file that a small system has not (IANA's registry of protocol numbers). */
const numbers = { vrrp: 112, icmp: 1, tcp: 6, udp: 17 } as const;
const icmpOverIpv6 = 58;

/** Numbers of the protocols that a connection to a host needs. */
export const ipProtocolNumbers = { tcp: numbers.tcp, icmpOverIpv6 } as const;

/** VRRP, and the authentication header (AH) that keepalived can wrap it in. */
const vrrpNumbers = [numbers.vrrp, 51];

/** Where the adverts of VRRP routers go (RFC 9568, 5.1.1.2 and 5.1.2.2), unless they are set up to send to each other. */
export const vrrpGroups: Readonly<Record<Tool, string>> = { iptables: '224.0.0.18', ip6tables: 'ff02::12' };

/** IPv6 extension headers: ip6tables looks for the protocol behind them (is_exthdr in its sources). */
const extensionHeaders = [43, 44, 51, 60];

/** The protocols' numbers, as the program's packets carry them. Throws `fault-failed` for one that it could not match. */
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
    `${ctx.host.name}: protocol ${hidden} is an extension header over IPv6, by which no packets are told apart`,
    { mend: 'Leave IPv6 peers out, or this protocol.' },
  );
}

/** True for a protocol that VRRP adverts come in. */
export function carriesVrrp(number: number): boolean {
  return vrrpNumbers.includes(number);
}
