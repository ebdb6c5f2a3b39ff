import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import type { FaultContext } from '../core/fault.ts';
import {
  formatIpPrefix,
  isOneAddress,
  isSameIpAddress,
  parseIpAddress,
  type IpPrefix,
} from '../core/ip-address.ts';
import { address, requireAddresses } from './lib/addresses.ts';
import { filterFault } from './lib/filter-fault.ts';
import { carriesVrrp, ipProtocol, protocolNumbers, vrrpGroups } from './lib/ip-protocols.ts';
import { listAddresses } from './lib/links.ts';
import { direction, matchPeer, port, directionsOf, type FilterRule, type Tool } from './lib/packet-filter.ts';

const params = z
  .strictObject({
    peers: z.array(address).min(1).describe('Addresses and CIDRs to cut the host off from.'),
    direction,
    ports: z
      .array(port)
      .min(1)
      .optional()
      .describe(
        'Drop only traffic of services on these ports, at either end of the connection. Default: all traffic.',
      ),
    protocols: z
      .array(ipProtocol)
      .min(1)
      .optional()
      .describe(
        'Drop only packets of these IP protocols. With `vrrp` and `direction` `out` or `both`, also drop what the host sends to the VRRP multicast group. Default: all protocols.',
      ),
  })
  .superRefine(({ ports, protocols }, problems) => {
    if (ports === undefined || protocols === undefined) return;
    problems.addIssue({
      code: 'custom',
      path: ['protocols'],
      message: 'cannot be combined with `ports`, which have their own protocol',
    });
  });
type Params = z.output<typeof params>;

/**
 * Drops packets that the host and its containers receive from some peers, send to them, or both. All other
 * hosts still reach both sides.
 *
 * `ports` match the ports on the wire between host and peer. If a container's published port differs from its
 * own port, its replies carry its own port: use `direction: in` or `both`. With `out`, a local UDP or ICMP
 * sender gets EPERM, which a broken network would not return. `direction: in` on the other side drops the
 * same packets without EPERM. Multicast has its own address: it still passes unless that address is a peer.
 *
 * Containers that are bridged into the network with their own addresses count as part of the host while
 * bridged packets pass its rules. Docker turns this on (net.bridge.bridge-nf-call-iptables = 1).
 *
 * VRRP (`protocols: [vrrp]`) is multicast by default, so `out` and `both` drop the host's adverts to the
 * group, and those to the peers (keepalived's unicast_peer). No host receives its adverts then, and a capture
 * on a third machine shows none. keepalived logs each advert that it could not send. To get two masters whose
 * adverts all other hosts receive, use `direction: in`: on the backup, or on both nodes to cover either
 * master. Peers are the source addresses of adverts: over IPv6, link-local addresses.
 */
export const networkPartition = filterFault<Params>({
  kind: 'network.partition',
  summary:
    'Drop the packets between a host and some peers, in one or both directions: all packets, or those of some ports or IP protocols.',
  params,
  describe: (p) => ({
    inject: `iptables: drop ${what(p)} ${where(p)}`,
    heal: 'remove those rules',
    blastRadius: `traffic of the host and its containers with ${p.peers.join(', ')}${blocksVrrp(p) ? '; no host receives its VRRP adverts' : ''}`,
  }),

  async filter(p, ctx) {
    const peers = requireAddresses(ctx, p.peers);
    await requireOthers(ctx, peers);
    const rules = directionsOf(p.direction).flatMap((direction) => {
      const matches = peers.map((peer) => matchPeer(direction, peer));
      const tools = [...new Set(matches.map(({ tool }) => tool))];
      return [
        ...matches.flatMap(({ tool, match }) =>
          servicesOf(p, tool, ctx).map((service): FilterRule => ({
            tool,
            direction,
            match: [...match, ...service],
            target: 'DROP',
          })),
        ),
        ...(direction === 'out' ? tools.flatMap((tool) => groupRules(p, tool, ctx)) : []),
      ];
    });
    return { interfaces: [], rules };
  },
});

/** iptables arguments that match the traffic to drop, one list per rule. */
function servicesOf(p: Params, tool: Tool, ctx: FaultContext): string[][] {
  if (p.protocols !== undefined) {
    return [...protocolNumbers(ctx, tool, p.protocols)].map((number) => ['-p', String(number)]);
  }
  return (
    p.ports?.flatMap(({ port, protocol }) =>
      ['--sport', '--dport'].map((end) => ['-p', protocol, end, String(port)]),
    ) ?? [[]]
  );
}

/** Rules that drop adverts to the VRRP group, which the peers receive too. */
function groupRules({ protocols = [] }: Params, tool: Tool, ctx: FaultContext): FilterRule[] {
  return [...protocolNumbers(ctx, tool, protocols)].filter(carriesVrrp).map((number) => ({
    tool,
    direction: 'out',
    match: ['-d', vrrpGroups[tool], '-p', String(number)],
    target: 'DROP',
  }));
}

function blocksVrrp({ protocols = [], direction }: Params): boolean {
  return (
    direction !== 'in' && protocols.some((protocol) => protocol === 'vrrp' || carriesVrrp(Number(protocol)))
  );
}

function what({ ports, protocols }: Params): string {
  if (protocols !== undefined) {
    const names = protocols.map((name) => (typeof name === 'number' ? `protocol ${name}` : name));
    return `packets of ${names.join(', ')}`;
  }
  if (ports === undefined) return 'all packets';
  return `packets of ${ports.map(({ port, protocol }) => `${protocol} port ${port}`).join(', ')}`;
}

function where(p: Params): string {
  const list = p.peers.join(', ');
  const peers = { both: `from and to ${list}`, in: `from ${list}`, out: `to ${list}` }[p.direction];
  return blocksVrrp(p) ? `${peers}, and to the VRRP group` : peers;
}

/**
 * Throws `fault-failed` if a peer is one of the host's own addresses, as after a role has moved to it: the
 * rules would cut nothing. A CIDR may contain them, because it also contains other addresses.
 */
async function requireOthers(ctx: FaultContext, peers: readonly IpPrefix[]): Promise<void> {
  const own = (await listAddresses(ctx)).flatMap((entry) => parseIpAddress(entry.address) ?? []);
  const self = peers.find(
    (peer) => isOneAddress(peer) && own.some((address) => isSameIpAddress(address, peer.address)),
  );
  if (self === undefined) return;
  throw new DrillError(
    'fault-failed',
    `${ctx.host.name}: cannot cut the host off from ${formatIpPrefix(self)}: this is its own address`,
    { hint: 'Name a peer on another host. If the peer is a role, the role may have moved to this host.' },
  );
}
