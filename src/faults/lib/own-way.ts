import { DrillError } from '../../core/errors.ts';
import { formatMs } from '../../core/duration.ts';
import { formatIpAddress, parseIpAddress, type IpAddress } from '../../core/ip-address.ts';
import type { CommandContext } from './commands.ts';
import { shareDropped, type FilteredPacket, type WrappingPacket } from './filter-match.ts';
import { ipProtocolNumbers } from './ip-protocols.ts';
import type { PacketFilter } from './packet-filter.ts';
import { sshPeer, type SshPeer } from './ssh-peer.ts';
import { arrivalPorts, type TranslatedPort } from './translated-ports.ts';
import { wayDevices, type NoDevices, type WayDevices } from './way-devices.ts';

/** What a network fault does to its host's network. */
export type NetworkCut =
  | { readonly kind: 'link'; readonly interface: string }
  | { readonly kind: 'delay'; readonly interface: string; readonly delayMs: number }
  | { readonly kind: 'packets'; readonly filter: PacketFilter };

/** firedrill's way to a host, as far as the host's network is concerned. */
type OwnWay =
  /** No network of the host is part of it. */
  | { readonly kind: 'outside' }
  | { readonly kind: 'network'; readonly peer: SshPeer; readonly through: WayDevices }
  | { readonly kind: 'unknown'; readonly why: string; readonly hint: string };

/** From this delay on a connection is no way to its host: a login takes about ten round trips. */
const delayThatCutsMs = 1000;

/**
 * From this share of lost round trips on a connection is no way to its host. Of 16 logins to an OpenSSH server over a path that
 * loses packets, 14 succeeded within firedrill's limits with 0.44, 13 with 0.51, and 2 with 0.64.
 */
const lossThatCuts = 0.5;

/**
 * Throws `fault-failed` where the fault would cut firedrill's own way to the host, and where that is not known. Without the way
 * nobody sees the fault, and only its lease would end it. Every fault that changes a host's network asks here, before it changes
 * anything.
 */
export async function requireOwnWay(ctx: CommandContext, kind: string, cut: NetworkCut): Promise<void> {
  const way = await ownWay(ctx);
  if (way.kind === 'outside') return;
  const { name, transport } = ctx.host;
  if (way.kind === 'unknown') {
    throw new DrillError('fault-failed', `${name}: ${kind} is refused: ${way.why}`, { mend: way.hint });
  }
  const { peer, through } = way;
  if (!cuts(cut, peer, through, await arrivalPorts(ctx, peer, cut))) return;
  const client = formatIpAddress(peer.client);
  const by = through.devices === 'any' ? 'an interface that cannot be told' : [...through.devices].join(', ');
  throw new DrillError(
    'fault-failed',
    `${name}: ${kind} is refused: it would cut firedrill's own way to the host (${transport}: ${client} to ${formatIpAddress(peer.server)} port ${peer.serverPort}, by ${by})`,
    { mend: hintOf(cut, client, through) },
  );
}

async function ownWay(ctx: CommandContext): Promise<OwnWay> {
  const { name, transport, container, isThisMachine } = ctx.host;
  if (isThisMachine === true) {
    return unknown(
      `${name} is the machine that firedrill runs on, whose network all probes and commands use`,
      'Run firedrill on another machine, and reach the host over SSH or through its engine.',
    );
  }
  if (container !== undefined) {
    if (!(await container.inspect(ctx.signal)).sharesMachineNetwork) return { kind: 'outside' };
    return unknown(
      `container ${container.name} has the network of its engine's machine, by which firedrill reaches the engine or the other hosts`,
      'Use a container with a network of its own (not `network_mode: host`).',
    );
  }
  const peer = await sshPeer(ctx);
  if (peer === undefined) {
    return unknown(
      `where firedrill's commands come from is not known: the host did not tell SSH_CONNECTION (${transport})`,
      `See what \`tr '\\0' '\\n' </proc/$PPID/environ\` prints over that way as root: the SSH server has to set SSH_CONNECTION, and /proc has to be readable.`,
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
        `firedrill's commands come from the host itself (${client}): it is firedrill's own machine, or a tunnel ends there`,
        'Reach the host from another machine, by an address of its own.',
      );
    case 'foreign-address':
      return unknown(
        `the host has no interface with ${server}, where its SSH server answers: commands run in another network namespace`,
        'Reach the host by an SSH server that runs in the network that the fault is about.',
      );
    case 'no-route':
      return unknown(
        `\`ip route get\` names no interface on the way from ${server} to ${client}`,
        `See what \`ip route get ${client} from ${server}\` prints on the host.`,
      );
  }
}

function unknown(why: string, hint: string): OwnWay {
  return { kind: 'unknown', why, hint };
}

function cuts(
  cut: NetworkCut,
  peer: SshPeer,
  through: WayDevices,
  arrivesAt: readonly TranslatedPort[],
): boolean {
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
      return isPassed && lossOnWay(filter, packetsOf(peer, through, arrivesAt), through) >= lossThatCuts;
    }
  }
}

/** The share of round trips that the rules break, 0 to 1: each packet that is needed has to pass, and what carries it. */
function lossOnWay(filter: PacketFilter, connection: readonly FilteredPacket[], through: WayDevices): number {
  const worst = (way: 'in' | 'out', packets: readonly (FilteredPacket | WrappingPacket)[]): number =>
    Math.max(
      0,
      ...packets.filter((packet) => packet.way === way).map((packet) => shareDropped(filter, packet)),
    );
  const passed = [connection, through.areWrapped ? wrapping : []].flatMap((packets) =>
    (['in', 'out'] as const).map((way) => 1 - worst(way, packets)),
  );
  return 1 - passed.reduce((all, share) => all * share, 1);
}

const wrapping: readonly WrappingPacket[] = [
  { way: 'in', wraps: true },
  { way: 'out', wraps: true },
];

/** The packets that the way needs: those of the connection, and over IPv6 those that find the next hop. (ARP is not IP.) */
function packetsOf(
  { client, clientPort, server, serverPort }: SshPeer,
  { nextHops }: WayDevices,
  arrivesAt: readonly TranslatedPort[],
): FilteredPacket[] {
  const protocol = ipProtocolNumbers.tcp;
  const answer: FilteredPacket = {
    way: 'out',
    source: server,
    destination: client,
    protocol,
    sourcePort: serverPort,
    destinationPort: clientPort,
  };
  // The rules see what arrives before its port is translated, and what leaves before that is undone.
  const connection = [
    answer,
    ...[serverPort, ...arrivesAt].map((port): FilteredPacket => ({
      way: 'in',
      source: client,
      destination: server,
      protocol,
      sourcePort: clientPort,
      destinationPort: port,
    })),
  ];
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

function hintOf(cut: NetworkCut, client: string, { areWrapped }: WayDevices): string {
  switch (cut.kind) {
    case 'link':
      return 'Name an interface that is not part of that way, or reach the host by another network.';
    case 'delay':
      return `Delay by less than ${formatMs(delayThatCutsMs)}, or name an interface that is not part of that way.`;
    case 'packets':
      if (areWrapped)
        return 'Its packets travel inside those of a tunnel or of IPsec, whose ends firedrill does not know. Reach the host by a network without such, or leave out all protocols that carry others.';
      return `Leave ${client} out: in \`allow\` (network.isolate), not among the \`peers\`, or not on its port. Or reach the host by another network.`;
  }
}
