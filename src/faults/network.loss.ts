import { z } from 'zod';
import { address, requireAddresses } from './lib/addresses.ts';
import { filterFault } from './lib/filter-fault.ts';
import { requireOutward } from './lib/links.ts';
import { direction, matchPeer, toolsOn, directionsOf, type FilterRule } from './lib/packet-filter.ts';

const params = z.strictObject({
  peers: z
    .array(address)
    .min(1)
    .optional()
    .describe(
      'Addresses and CIDRs whose packets may be dropped. Default: all packets that enter or leave the host.',
    ),
  percent: z
    .number()
    .min(0.001)
    .max(100)
    .describe('Percentage of packets to drop, from 0.001 to 100. Each packet is drawn independently.'),
  direction,
});
type Params = z.output<typeof params>;

/**
 * Drops packets of the host and of its containers at random, each with the same probability. Loopback is
 * exempt. With `direction: both`, a request and its reply are each drawn once.
 */
export const networkLoss = filterFault<Params>({
  kind: 'network.loss',
  summary: 'Drop a percentage of packets at random.',
  params,
  describe: (p) => ({
    inject: `iptables: drop ${p.percent} % of the packets (${p.direction})${p.peers === undefined ? '' : ` with ${p.peers.join(', ')}`}`,
    heal: 'remove those rules',
    blastRadius: `traffic of the host and its containers with ${p.peers?.join(', ') ?? 'all peers'}`,
  }),

  async filter(p, ctx) {
    const draw = ['-m', 'statistic', '--mode', 'random', '--probability', (p.percent / 100).toFixed(9)];
    const lose = (
      direction: 'in' | 'out',
      tool: FilterRule['tool'],
      match: readonly string[],
    ): FilterRule => ({
      tool,
      direction,
      match: [...match, ...draw],
      target: 'DROP',
    });
    if (p.peers !== undefined) {
      const matches = requireAddresses(ctx, p.peers);
      const rules = directionsOf(p.direction).flatMap((direction) =>
        matches.map((peer) => {
          const { tool, match } = matchPeer(direction, peer);
          return lose(direction, tool, match);
        }),
      );
      return { interfaces: [], rules };
    }
    const interfaces = await requireOutward(ctx, undefined);
    const tools = await toolsOn(ctx, interfaces);
    return {
      interfaces,
      rules: directionsOf(p.direction).flatMap((direction) => tools.map((tool) => lose(direction, tool, []))),
    };
  },
});
