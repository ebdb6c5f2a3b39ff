import { z } from 'zod';
import { address, requireAddresses } from './lib/addresses.ts';
import { filterFault } from './lib/filter-fault.ts';
import { interfaceName, requireOutward } from './lib/links.ts';
import { matchPeer, toolsOn, waysOf, type FilterRule } from './lib/packet-filter.ts';

const params = z.strictObject({
  allow: z.array(address).default([]).describe('Addresses and CIDRs that are still reached.'),
  interfaces: z
    .array(interfaceName)
    .min(1)
    .optional()
    .describe('Interfaces to silence; without it, all that lead out of the host.'),
});
type Params = z.output<typeof params>;

/** Neighbor solicitations and advertisements (RFC 4861, 4.3 and 4.4). */
const neighborDiscovery = ['135', '136'].map((type) => ({
  tool: 'ip6tables' as const,
  match: ['-p', '58', '-m', 'icmp6', '--icmpv6-type', type],
}));

/**
 * Drops everything that enters or leaves the host, IPv4 and IPv6, as if its
 * cables were pulled and nobody could see it: links stay up. Inside, loopback
 * and the host's own containers go on talking to each other. ARP is not IP and
 * goes on being answered; so does neighbor discovery, its part over IPv6, where
 * an IPv6 address is allowed: without it that address could not be reached.
 */
export const networkIsolate = filterFault<Params>({
  kind: 'network.isolate',
  summary: 'Cut a host off from everybody but the addresses allowed; its links stay up.',
  params,
  describe: (p) => ({
    inject: `iptables: drop everything that enters or leaves through ${p.interfaces?.join(', ') ?? 'the interfaces that lead out'}${p.allow.length === 0 ? '' : `, except from and to ${p.allow.join(', ')}`}`,
    heal: 'remove those rules',
    blastRadius: 'all network traffic of the host and its containers',
  }),

  async filter(p, ctx) {
    const allow = requireAddresses(ctx, p.allow);
    const interfaces = await requireOutward(ctx, p.interfaces);
    const tools = await toolsOn(ctx, interfaces);
    const rules = waysOf('both').flatMap((way): FilterRule[] => {
      const allowed = allow.map((peer) => matchPeer(way, peer)).filter(({ tool }) => tools.includes(tool));
      const isIpv6Allowed = allowed.some(({ tool }) => tool === 'ip6tables');
      return [
        ...[...(isIpv6Allowed ? neighborDiscovery : []), ...allowed].map(({ tool, match }) => ({
          tool,
          way,
          match,
          target: 'RETURN' as const,
        })),
        ...tools.map((tool) => ({ tool, way, match: [], target: 'DROP' as const })),
      ];
    });
    return { interfaces, rules };
  },
});
