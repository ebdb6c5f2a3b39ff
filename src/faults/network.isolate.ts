import { z } from 'zod';
import { address, requireAddresses } from './lib/addresses.ts';
import { filterFault } from './lib/filter-fault.ts';
import { interfaceName, requireOutward } from './lib/links.ts';
import { matchPeer, toolsOn, directionsOf, type FilterRule } from './lib/packet-filter.ts';

const params = z.strictObject({
  allow: z
    .array(address)
    .default([])
    .describe('Addresses and CIDRs that the host can still exchange packets with.'),
  interfaces: z
    .array(interfaceName)
    .min(1)
    .optional()
    .describe(
      'Interfaces on which all other packets are dropped. Default: all interfaces that lead out of the host.',
    ),
});
type Params = z.output<typeof params>;

/** Neighbor solicitations and advertisements (RFC 4861, 4.3 and 4.4). */
const neighborDiscovery = ['135', '136'].map((type) => ({
  tool: 'ip6tables' as const,
  match: ['-p', '58', '-m', 'icmp6', '--icmpv6-type', type],
}));

/**
 * Drops all IPv4 and IPv6 packets that enter or leave the host, as if its cables were unplugged, except that
 * its links stay up. Loopback traffic and traffic between the host's own containers still pass. ARP is not
 * IP, so the host still answers it. IPv6 neighbor discovery passes only if `allow` contains an IPv6 address,
 * because that address would be unreachable without it.
 */
export const networkIsolate = filterFault<Params>({
  kind: 'network.isolate',
  summary: 'Drop all packets of a host except those of allowed addresses. Its links stay up.',
  params,
  describe: (p) => ({
    inject: `iptables: drop all packets that enter or leave through ${p.interfaces?.join(', ') ?? 'the interfaces that lead out'}${p.allow.length === 0 ? '' : `, except from and to ${p.allow.join(', ')}`}`,
    heal: 'remove those rules',
    blastRadius: 'all network traffic of the host and its containers',
  }),

  async filter(p, ctx) {
    const allow = requireAddresses(ctx, p.allow);
    const interfaces = await requireOutward(ctx, p.interfaces);
    const tools = await toolsOn(ctx, interfaces);
    const rules = directionsOf('both').flatMap((direction): FilterRule[] => {
      const allowed = allow
        .map((peer) => matchPeer(direction, peer))
        .filter(({ tool }) => tools.includes(tool));
      const isIpv6Allowed = allowed.some(({ tool }) => tool === 'ip6tables');
      return [
        ...[...(isIpv6Allowed ? neighborDiscovery : []), ...allowed].map(({ tool, match }) => ({
          tool,
          direction,
          match,
          target: 'RETURN' as const,
        })),
        ...tools.map((tool) => ({ tool, direction, match: [], target: 'DROP' as const })),
      ];
    });
    return { interfaces, rules };
  },
});
