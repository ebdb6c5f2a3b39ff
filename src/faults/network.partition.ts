import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import type { FaultContext } from '../core/fault.ts';
import { address, requireAddresses } from './lib/addresses.ts';
import { filterFault } from './lib/filter-fault.ts';
import { lease } from './lib/leased-fault.ts';
import { listAddresses } from './lib/links.ts';
import { direction, matchPeer, port, waysOf, type FilterRule } from './lib/packet-filter.ts';

const params = z.strictObject({
  peers: z.array(address).min(1).describe('Addresses and CIDRs that the host loses sight of.'),
  direction,
  ports: z
    .array(port)
    .min(1)
    .optional()
    .describe('Only traffic of services on these ports, at either end; without it, everything.'),
  lease,
});
type Params = z.output<typeof params>;

/**
 * Drops what the host and its containers get from some peers, send to them, or
 * both; everybody else goes on reaching both sides.
 *
 * Ports are those on the wire between host and peer. What a container answers
 * under a published port that is not its own is told by its own port: cut the
 * way in, or both. A local sender over UDP or ICMP is told that its packet was
 * dropped (EPERM), which a broken network would not do; `direction: in` on the
 * other side drops the same packets unseen. Multicast has its own address: it is
 * sent on unless that is a peer, too.
 */
export const networkPartition = filterFault<Params>({
  kind: 'network.partition',
  summary: 'Cut a host off from some peers, both ways or one way, all traffic or some ports.',
  params,
  describe: (p) => ({
    inject: `iptables: drop ${p.ports === undefined ? 'all packets' : `packets of ${p.ports.map(({ port, protocol }) => `${protocol} port ${port}`).join(', ')}`} ${words(p)}`,
    heal: 'remove those rules',
    blastRadius: `traffic of the host and its containers with ${p.peers.join(', ')}`,
  }),

  async filter(p, ctx) {
    const peers = requireAddresses(ctx, p.peers);
    await requireOthers(ctx, peers);
    const rules = waysOf(p.direction).flatMap((way) =>
      peers.flatMap((peer): FilterRule[] => {
        const { tool, match } = matchPeer(way, peer);
        const services = p.ports?.flatMap(({ port, protocol }) =>
          ['--sport', '--dport'].map((end) => ['-p', protocol, end, String(port)]),
        ) ?? [[]];
        return services.map((service) => ({ tool, way, match: [...match, ...service], target: 'DROP' }));
      }),
    );
    return { interfaces: [], rules };
  },
});

function words(p: Params): string {
  const list = p.peers.join(', ');
  return { both: `from and to ${list}`, in: `from ${list}`, out: `to ${list}` }[p.direction];
}

/** A role may turn out to be on the host itself: nothing between the two would be cut. */
async function requireOthers(ctx: FaultContext, peers: readonly string[]): Promise<void> {
  const own = (await listAddresses(ctx)).map((entry) => entry.address);
  const self = peers.find((peer) => own.includes(peer));
  if (self === undefined) return;
  throw new DrillError('fault-failed', `${ctx.host.name}: the peer ${self} is the host itself`, {
    mend: 'Name a peer on another host; a role may have moved here.',
  });
}
