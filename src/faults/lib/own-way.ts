import { DrillError } from '../../core/errors.ts';
import { formatMs } from '../../core/duration.ts';
import { formatIpAddress, parseIpAddress, type IpAddress } from '../../core/ip-address.ts';
import type { CommandContext } from './commands.ts';
import { dropsPacket, type FilteredPacket } from './filter-match.ts';
import { ipProtocolNumbers } from './ip-protocols.ts';
import type { PacketFilter } from './packet-filter.ts';
import { sshPeer, type SshPeer } from './ssh-peer.ts';
import { wayDevices, type NoDevices, type WayDevices } from './way-devices.ts';

/** What a network fault does to its host's network. */
export type NetworkCut =
  | { readonly kind: 'link'; readonly interface: string }
  | { readonly kind: 'delay'; readonly interface: string; readonly delayMs: number }
  | { readonly kind: 'packets'; readonly filter: PacketFilter };

/** firedrill's own connection to a host, as seen by the host's network. */
type OwnWay =
  /** No network of the host is part of it. */
  | { readonly kind: 'outside' }
  | { readonly kind: 'network'; readonly peer: SshPeer; readonly through: WayDevices }
  | { readonly kind: 'unknown'; readonly why: string; readonly hint: string };

/** A delay of this size or more counts as a cut, because a login takes about ten round trips. */
const delayThatCutsMs = 1000;

/**
 * Throws `fault-failed` if the fault would cut firedrill's own connection to the host, or if that cannot be decided. Without the
 * connection the fault cannot be observed, and only its lease would end it. Every fault that changes a host's network calls this
 * before it changes anything.
 */
export async function requireOwnWay(ctx: CommandContext, kind: string, cut: NetworkCut): Promise<void> {
  const way = await ownWay(ctx);
  if (way.kind === 'outside') return;
  const { name, transport } = ctx.host;
  if (way.kind === 'unknown') {
    throw new DrillError('fault-failed', `${name}: ${kind} refused: ${way.why}`, { mend: way.hint });
  }
  const { peer, through } = way;
  if (!cuts(cut, peer, through)) return;
  const client = formatIpAddress(peer.client);
  const by = through.devices === 'any' ? 'an unknown interface' : [...through.devices].join(', ');
  throw new DrillError(
    'fault-failed',
    `${name}: ${kind} refused: it would cut firedrill's own connection to the host (${transport}: ${client} to ${formatIpAddress(peer.server)} port ${peer.serverPort}, through ${by})`,
    { mend: hintOf(cut, client) },
  );
}

async function ownWay(ctx: CommandContext): Promise<OwnWay> {
  const { name, transport, container, isThisMachine } = ctx.host;
  if (isThisMachine === true) {
    return unknown(
      `${name} is the machine that runs firedrill: all probes and commands use its network`,
      'Run firedrill on another machine, and reach this host over SSH.',
    );
  }
  if (container !== undefined) {
    if (!(await container.inspect(ctx.signal)).sharesMachineNetwork) return { kind: 'outside' };
    return unknown(
      `container ${container.name} uses the network of its Docker host, through which firedrill reaches the engine and the other hosts`,
      'Use a container with a network of its own (not `network_mode: host`).',
    );
  }
  const peer = await sshPeer(ctx);
  if (peer === undefined) {
    return unknown(
      `the fault might cut firedrill's own connection: the host has no SSH_CONNECTION (${transport})`,
      `Use an OpenSSH server, which sets SSH_CONNECTION, and log in as root or set \`sudo: true\`, so that /proc can be read. To check: \`tr '\\0' '\\n' </proc/$PPID/environ\` on the host, as root.`,
    );
  }
  const through = await wayDevices(ctx, peer);
  return typeof through === 'string' ? noDevices(through, peer) : { kind: 'network', peer, through };
}

function noDevices(why: NoDevices, peer: SshPeer): OwnWay {
  const [client, server] = [formatIpAddress(peer.client), formatIpAddress(peer.server)];
  switch (why) {
    case 'self':
      return unknown(
        `firedrill connects from the host's own address (${client}): the host runs firedrill, or a tunnel ends there`,
        'Reach the host from another machine, by an address of its own.',
      );
    case 'foreign-address':
      return unknown(
        `no interface of the host has the address of its SSH server (${server}): commands run in another network namespace`,
        'Use an SSH server in the network namespace that the fault changes.',
      );
    case 'no-route':
      return unknown(
        `\`ip route get\` names no interface for the route from ${server} to ${client}`,
        `Check \`ip route get ${client} from ${server}\` on the host.`,
      );
  }
}

function unknown(why: string, hint: string): OwnWay {
  return { kind: 'unknown', why, hint };
}

function cuts(cut: NetworkCut, peer: SshPeer, through: WayDevices): boolean {
  const { devices } = through;
  const carries = (name: string): boolean => devices === 'any' || devices.has(name);
  switch (cut.kind) {
    case 'link':
      return carries(cut.interface);
    case 'delay':
      return cut.delayMs >= delayThatCutsMs && carries(cut.interface);
    case 'packets': {
      const { filter } = cut;
      const isPassed = filter.interfaces.length === 0 || filter.interfaces.some(carries);
      return isPassed && packetsOf(peer, through).some((packet) => dropsPacket(filter, packet));
    }
  }
}

/** The packets that the connection needs: its own, and over IPv6 those of neighbor discovery. (ARP is not IP.) */
function packetsOf(
  { client, clientPort, server, serverPort }: SshPeer,
  { nextHops }: WayDevices,
): FilteredPacket[] {
  const protocol = ipProtocolNumbers.tcp;
  const [clientEnd, serverEnd] = [
    { address: client, port: clientPort },
    { address: server, port: serverPort },
  ];
  const connection = [
    { way: 'in' as const, from: clientEnd, to: serverEnd },
    { way: 'out' as const, from: serverEnd, to: clientEnd },
  ].map(({ way, from, to }) => ({
    way,
    source: from.address,
    destination: to.address,
    protocol,
    sourcePort: from.port,
    destinationPort: to.port,
  }));
  if (client.family === 4) return connection;
  // Neighbor solicitations and advertisements.
  const icmp = { protocol: ipProtocolNumbers.icmpOverIpv6, icmpTypes: [135, 136] };
  return [
    ...connection,
    ...(nextHops.length === 0 ? [client] : nextHops).flatMap((hop): FilteredPacket[] => [
      { ...icmp, way: 'in', source: hop, destination: server },
      { ...icmp, way: 'out', source: server, destination: hop },
      { ...icmp, way: 'out', source: server, destination: solicitedNode(hop) },
    ]),
  ];
}

/** Where a host asks who has an address (RFC 4291, 2.7.1). */
function solicitedNode({ bits }: IpAddress): IpAddress {
  const group = parseIpAddress('ff02::1:ff00:0');
  return { family: 6, bits: (group?.bits ?? 0n) | (bits & 0xff_ffffn), zone: undefined };
}

function hintOf(cut: NetworkCut, client: string): string {
  switch (cut.kind) {
    case 'link':
      return 'Name an interface that does not carry this connection, or reach the host over another network.';
    case 'delay':
      return `Delay by less than ${formatMs(delayThatCutsMs)}, or name an interface that does not carry this connection.`;
    case 'packets':
      return `Keep ${client} reachable: add it to \`allow\` (network.isolate), or leave it, or the SSH port, out of the fault. Or reach the host over another network.`;
  }
}
