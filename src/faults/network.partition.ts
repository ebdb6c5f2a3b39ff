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
import { direction, matchPeer, port, waysOf, type FilterRule, type Tool } from './lib/packet-filter.ts';

const params = z
  .strictObject({
    peers: z.array(address).min(1).describe('Addresses and CIDRs that the host loses sight of.'),
    direction,
    ports: z
      .array(port)
      .min(1)
      .optional()
      .describe('Only traffic of services on these ports, at either end; without it, everything.'),
    protocols: z
      .array(ipProtocol)
      .min(1)
      .optional()
      .describe(
        'Only traffic of these IP protocols; with vrrp, what the host sends to the VRRP multicast group as well.',
      ),
  })
  .superRefine(({ ports, protocols }, problems) => {
    if (ports === undefined || protocols === undefined) return;
    problems.addIssue({
      code: 'custom',
      path: ['protocols'],
      message: 'cannot stand beside `ports`, which have a protocol of their own',
    });
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
 *
 * Containers that are bridged into the network with addresses of their own are the
 * host's, too, as long as bridged packets pass its rules: Docker has them do so
 * (net.bridge.bridge-nf-call-iptables = 1).
 *
 * VRRP (`protocols: [vrrp]`) is the exception, since it is multicast by default:
 * `out` and `both` drop the host's adverts to the group as well as those to the
 * peers (keepalived's unicast_peer). Nobody hears the host then, a capture on a
 * third machine neither, and keepalived logs each advert that it could not send. Two
 * masters that both advertise, for all but each other to hear, are made with
 * `direction: in`: on the backup, or on both nodes to keep them apart whichever is
 * master. Peers are the addresses that adverts come from: over IPv6 link-local ones.
 */
export const networkPartition = filterFault<Params>({
  kind: 'network.partition',
  summary: 'Cut a host off from some peers, both ways or one way, all traffic, some ports or IP protocols.',
  params,
  describe: (p) => ({
    inject: `iptables: drop ${what(p)} ${where(p)}`,
    heal: 'remove those rules',
    blastRadius: `traffic of the host and its containers with ${p.peers.join(', ')}${mutesVrrp(p) ? '; nobody hears its VRRP adverts' : ''}`,
  }),

  async filter(p, ctx) {
    const peers = requireAddresses(ctx, p.peers);
    await requireOthers(ctx, peers);
    const rules = waysOf(p.direction).flatMap((way) => {
      const matches = peers.map((peer) => matchPeer(way, peer));
      const tools = [...new Set(matches.map(({ tool }) => tool))];
      return [
        ...matches.flatMap(({ tool, match }) =>
          servicesOf(p, tool, ctx).map((service): FilterRule => ({
            tool,
            way,
            match: [...match, ...service],
            target: 'DROP',
          })),
        ),
        ...(way === 'out' ? tools.flatMap((tool) => groupRules(p, tool, ctx)) : []),
      ];
    });
    return { interfaces: [], rules };
  },
});

/** Words that match the traffic meant, one rule each. */
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

/** Adverts to the group are for the peers, too. */
function groupRules({ protocols = [] }: Params, tool: Tool, ctx: FaultContext): FilterRule[] {
  return [...protocolNumbers(ctx, tool, protocols)].filter(carriesVrrp).map((number) => ({
    tool,
    way: 'out',
    match: ['-d', vrrpGroups[tool], '-p', String(number)],
    target: 'DROP',
  }));
}

function mutesVrrp({ protocols = [], direction }: Params): boolean {
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
  return mutesVrrp(p) ? `${peers}, and to the VRRP group` : peers;
}

/** A role may turn out to be on the host itself: nothing between the two would be cut. A network has others in it. */
async function requireOthers(ctx: FaultContext, peers: readonly IpPrefix[]): Promise<void> {
  const own = (await listAddresses(ctx)).flatMap((entry) => parseIpAddress(entry.address) ?? []);
  const self = peers.find(
    (peer) => isOneAddress(peer) && own.some((address) => isSameIpAddress(address, peer.address)),
  );
  if (self === undefined) return;
  throw new DrillError(
    'fault-failed',
    `${ctx.host.name}: the peer ${formatIpPrefix(self)} is the host itself`,
    { mend: 'Name a peer on another host; a role may have moved here.' },
  );
}
