import { DrillError } from '../../core/errors.ts';
import { limitText } from '../../core/format-duration.ts';
import { formatIpAddress, parseIpAddress, type IpAddress } from '../../core/ip-address.ts';
import { printNetwork, type HostContainer } from '../../core/host.ts';
import type { DurationMs } from '../../core/time.ts';
import { runOk, type CommandContext } from './commands.ts';
import { shareDropped, type FilteredPacket, type WrappingPacket } from './filter-match.ts';
import { ipProtocolNumbers } from './ip-protocols.ts';
import type { PacketFilter } from './packet-filter.ts';
import { sshPeer, type SshPeer } from './ssh-peer.ts';
import { arrivalPorts, type TranslatedPort } from './translated-ports.ts';
import { connectionDevices, type NoDevices, type ConnectionDevices } from './connection-devices.ts';

/** What a network fault does to its host's network. */
export type NetworkCut =
  | { readonly kind: 'link'; readonly interface: string }
  | { readonly kind: 'delay'; readonly interface: string; readonly delayMs: DurationMs }
  | { readonly kind: 'packets'; readonly filter: PacketFilter };

/** firedrill's own connection to a host, as seen by the host's network. */
type OwnConnection =
  /** The connection does not use the host's network. */
  | { readonly kind: 'outside' }
  | { readonly kind: 'network'; readonly peer: SshPeer; readonly through: ConnectionDevices }
  | { readonly kind: 'unknown'; readonly why: string; readonly hint: string };

/** A delay of this size or more counts as a cut, because a login takes about ten round trips. */
const delayThatCutsMs = 1000;

/**
 * A connection that loses this share of its round trips counts as cut. Of 16 logins to an OpenSSH server over a lossy path,
 * 14 succeeded within firedrill's limits at 0.44, 13 at 0.51, and 2 at 0.64.
 */
const lossThatCuts = 0.5;

/**
 * Throws `fault-failed` if the fault would cut firedrill's own connection to the host, or if that cannot be decided. Without the
 * connection the fault cannot be observed, and only its lease would end it. Every fault that changes a host's network calls this
 * before it changes anything.
 */
export async function requireOwnConnection(
  ctx: CommandContext,
  kind: string,
  cut: NetworkCut,
): Promise<void> {
  const direction = await ownConnection(ctx);
  if (direction.kind === 'outside') return;
  const { name, transport } = ctx.host;
  if (direction.kind === 'unknown') {
    throw new DrillError('fault-failed', `${name}: ${kind} refused: ${direction.why}`, {
      hint: direction.hint,
    });
  }
  const { peer, through } = direction;
  const arrivesAt = cut.kind === 'packets' ? await arrivalPorts(ctx, peer, cut.filter) : [];
  if (!cuts(cut, peer, through, arrivesAt)) return;
  const client = formatIpAddress(peer.client);
  const by = through.devices === 'any' ? 'an unknown interface' : [...through.devices].join(', ');
  throw new DrillError(
    'fault-failed',
    `${name}: ${kind} refused: it would cut firedrill's own connection to the host (${transport}: ${client} to ${formatIpAddress(peer.server)} port ${peer.serverPort}, through ${by})`,
    { hint: hintOf(cut, client, through) },
  );
}

async function ownConnection(ctx: CommandContext): Promise<OwnConnection> {
  const { name, transport, container, isThisMachine } = ctx.host;
  if (isThisMachine === true) {
    return unknown(
      `${name} is the machine that runs firedrill: all probes and commands use its network`,
      'Run firedrill on another machine, and reach this host over SSH.',
    );
  }
  if (container !== undefined) {
    if (await isInOwnNetwork(ctx, container)) {
      return unknown(
        `container ${container.name} and firedrill itself are in the same network, which all probes and commands use`,
        'Run firedrill outside the network of that container.',
      );
    }
    if (!(await container.inspect(ctx.signal)).sharesMachineNetwork) return { kind: 'outside' };
    return unknown(
      `container ${container.name} uses the network of its Docker host, through which firedrill reaches the engine and the other hosts`,
      'Use a container with its own network (not `network_mode: host`).',
    );
  }
  const peer = await sshPeer(ctx);
  if (peer === undefined) {
    return unknown(
      `the fault might cut firedrill's own connection: the host has no SSH_CONNECTION (${transport})`,
      `Use an OpenSSH server, which sets SSH_CONNECTION, and log in as root or set \`sudo: true\`, so that /proc can be read. To check: \`tr '\\0' '\\n' </proc/$PPID/environ\` on the host, as root.`,
    );
  }
  const through = await connectionDevices(ctx, peer);
  return typeof through === 'string' ? noDevices(through, peer) : { kind: 'network', peer, through };
}

/** Whether the container is in the network namespace of firedrill's own process: a runner with `network_mode: container:NAME`. */
async function isInOwnNetwork(ctx: CommandContext, { ownNetwork }: HostContainer): Promise<boolean> {
  if (ownNetwork === undefined) return false;
  const network = (await runOk(ctx, ['/bin/sh', '-c', printNetwork])).trim();
  if (/^net:\[\d+\]\n\S+$/.test(network)) return network === ownNetwork.trim();
  throw new DrillError(
    'fault-failed',
    `${ctx.host.name}: cannot read the network namespace of container ${ctx.host.container?.name}: ${network || 'no output'}`,
    { hint: 'Check the output of `readlink /proc/self/ns/net` in the container.' },
  );
}

function noDevices(why: NoDevices, peer: SshPeer): OwnConnection {
  const [client, server] = [formatIpAddress(peer.client), formatIpAddress(peer.server)];
  switch (why) {
    case 'self':
      return unknown(
        `firedrill connects from the host's own address (${client}): the host runs firedrill, or a tunnel ends there`,
        'Reach the host from another machine, by an address of the host.',
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

function unknown(why: string, hint: string): OwnConnection {
  return { kind: 'unknown', why, hint };
}

function cuts(
  cut: NetworkCut,
  peer: SshPeer,
  through: ConnectionDevices,
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
      return (
        isPassed && lossOnConnection(filter, packetsOf(peer, through, arrivesAt), through) >= lossThatCuts
      );
    }
  }
}

/**
 * The share of round trips that the rules break, 0 to 1. Each packet of the connection must pass, and so must
 * the outer packets of a tunnel.
 */
function lossOnConnection(
  filter: PacketFilter,
  connection: readonly FilteredPacket[],
  through: ConnectionDevices,
): number {
  const worst = (direction: 'in' | 'out', packets: readonly (FilteredPacket | WrappingPacket)[]): number =>
    Math.max(
      0,
      ...packets
        .filter((packet) => packet.direction === direction)
        .map((packet) => shareDropped(filter, packet)),
    );
  const passed = [connection, through.areWrapped ? wrapping : []].flatMap((packets) =>
    (['in', 'out'] as const).map((direction) => 1 - worst(direction, packets)),
  );
  return 1 - passed.reduce((all, share) => all * share, 1);
}

const wrapping: readonly WrappingPacket[] = [
  { direction: 'in', wraps: true },
  { direction: 'out', wraps: true },
];

/**
 * The packets that the connection needs: its own, and over IPv6 those of neighbor discovery. (ARP is not IP,
 * so no rule matches it.)
 */
function packetsOf(
  { client, clientPort, server, serverPort }: SshPeer,
  { nextHops }: ConnectionDevices,
  arrivesAt: readonly TranslatedPort[],
): FilteredPacket[] {
  const protocol = ipProtocolNumbers.tcp;
  const answer: FilteredPacket = {
    direction: 'out',
    source: server,
    destination: client,
    protocol,
    sourcePort: serverPort,
    destinationPort: clientPort,
  };
  // The rules see incoming packets before port translation, and outgoing packets before the translation is
  // undone.
  const connection = [
    answer,
    ...[serverPort, ...arrivesAt].map((port): FilteredPacket => ({
      direction: 'in',
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
      { ...icmp, direction: 'in', source: hop, destination: server },
      { ...icmp, direction: 'out', source: server, destination: hop },
      { ...icmp, direction: 'out', source: server, destination: solicitedNode(hop) },
    ]),
  ];
}

/** The multicast address that neighbor solicitations for an address use (RFC 4291, 2.7.1). */
function solicitedNode({ bits }: IpAddress): IpAddress {
  const group = parseIpAddress('ff02::1:ff00:0');
  return { family: 6, bits: (group?.bits ?? 0n) | (bits & 0xff_ffffn), zone: undefined };
}

function hintOf(cut: NetworkCut, client: string, { areWrapped }: ConnectionDevices): string {
  switch (cut.kind) {
    case 'link':
      return 'Name an interface that does not carry this connection, or reach the host over another network.';
    case 'delay':
      return `Delay by less than ${limitText(delayThatCutsMs)}, or name an interface that does not carry this connection.`;
    case 'packets':
      if (areWrapped)
        return 'The connection runs through a tunnel or IPsec with unknown endpoints. Reach the host over another network, or remove the protocols that can carry a tunnel (UDP, GRE, ESP) from the fault.';
      return `Keep ${client} reachable: add it to \`allow\` (network.isolate), or remove it or the SSH port from the fault. Or reach the host over another network.`;
  }
}
