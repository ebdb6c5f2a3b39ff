import { z } from 'zod';
import {
  formatIpAddress,
  isSameIpAddress,
  parseIpAddress,
  parseIpPrefix,
  prefixContains,
  type IpAddress,
} from '../../core/ip-address.ts';
import { run, type CommandContext } from './commands.ts';
import { ipJson, listAddresses, listLinks, type Link } from './links.ts';
import type { SshPeer } from './ssh-peer.ts';

/** Where the packets of a connection enter and leave their host. */
export interface ConnectionDevices {
  /** Every interface that carries them, down to the hardware. `any`: unknown, so it may be any interface. */
  readonly devices: ReadonlySet<string> | 'any';
  /** Its packets may travel inside other packets (a tunnel, IPsec) with unknown endpoints. */
  readonly areWrapped: boolean;
  /** The routers on the link to the client. Empty if the client itself is on the link. */
  readonly nextHops: readonly IpAddress[];
}

/** Why the devices are unknown. `self`: the client is the host itself. */
export type NoDevices = 'self' | 'foreign-address' | 'no-route';

const routesSchema = z.array(
  z.object({
    type: z.string().optional(),
    dev: z.string().optional(),
    gateway: z.string().optional(),
    via: z.object({ host: z.string() }).optional(),
  }),
);
const pathsSchema = z.array(
  z.object({ nexthops: z.array(z.object({ dev: z.string().optional() })).default([]) }),
);
const rulesSchema = z.array(z.object({ fwmark: z.string().optional(), tos: z.string().optional() }));
type Route = z.output<typeof routesSchema>[number];

/**
 * Kinds of interfaces that pass packets on to their ports, to the interface below, or to a wire, so that the
 * path is known.
 */
const plainKinds = new Set([
  undefined,
  'bond',
  'bridge',
  'ipoib',
  'ipvlan',
  'ipvtap',
  'macvlan',
  'macvtap',
  'team',
  'veth',
  'vlan',
  'vrf',
]);
/** Kinds with a known path if they are a port of a bridge: behind them is a virtual machine, or nothing. */
const portKinds = new Set([...plainKinds, 'dummy', 'tun']);
/** Of the other kinds, those that do not wrap IP packets in IP packets. */
const unwrappedKinds = new Set(['dummy', 'hsr', 'macsec', 'openvswitch']);

/** The interfaces that a connection of the host uses, from its addresses and its routing rules. */
export async function connectionDevices(
  ctx: CommandContext,
  peer: SshPeer,
): Promise<ConnectionDevices | NoDevices> {
  const links = await listLinks(ctx);
  const addresses = (await listAddresses(ctx)).flatMap((entry) => {
    const address = parseIpAddress(entry.address);
    return address === undefined ? [] : [{ name: entry.interface, address }];
  });
  const ownersOf = (address: IpAddress): string[] =>
    addresses.filter((entry) => isSameIpAddress(entry.address, address)).map(({ name }) => name);
  if (isLoopback(peer.client) || ownersOf(peer.client).length > 0) return 'self';
  const owners = ownersOf(peer.server);
  if (owners.length === 0) return 'foreign-address';
  const routes = await routesTo(ctx, peer, vrfOf(owners, links));
  const devices = routes.flatMap(({ dev }) => dev ?? []);
  if (devices.length === 0) return 'no-route';
  if (routes.some(({ type, dev }) => type === 'local' || dev === 'lo')) return 'self';
  const nextHops = routes.flatMap(({ gateway, via }) => parseIpAddress(gateway ?? via?.host ?? '') ?? []);
  const paths = await parallelPaths(ctx, peer, devices);
  const lower = lowerDevices([...devices, ...paths, ...owners], links);
  if (await isInIpsec(ctx, peer)) return { devices: 'any', areWrapped: true, nextHops };
  return { ...lower, nextHops };
}

/** Whether an IPsec policy applies to packets of the connection, in either direction. */
async function isInIpsec(ctx: CommandContext, { client, server }: SshPeer): Promise<boolean> {
  // Fails, with empty output, if the kernel has no IPsec.
  const { stdout } = await run(ctx, ['ip', 'xfrm', 'policy']);
  return stdout.split(/^(?=src )/m).some((policy) => {
    const [, source, destination] = /^src (\S+) dst (\S+)/.exec(policy) ?? [];
    const ends = [source, destination].flatMap((text) => parseIpPrefix(text ?? '') ?? []);
    const [from, to] = ends;
    if (from === undefined || to === undefined || !/^\s+tmpl /m.test(policy)) return false;
    return [
      [client, server],
      [server, client],
    ].some(
      ([a, b]) => a !== undefined && b !== undefined && prefixContains(from, a) && prefixContains(to, b),
    );
  });
}

function isLoopback({ family, bits }: IpAddress): boolean {
  return family === 4 ? bits >> 24n === 127n : bits === 1n;
}

/** The VRF that an interface with the host's address belongs to. A VRF has its own routing table. */
function vrfOf(owners: readonly string[], links: readonly Link[]): string | undefined {
  const masters = links.filter(({ name }) => owners.includes(name)).map(({ master }) => master);
  return links.find(({ name, kind }) => kind === 'vrf' && masters.includes(name))?.name;
}

/**
 * The routes of the replies to the client: by the routing rules alone, and with each mark and TOS that a rule
 * selects.
 */
async function routesTo(ctx: CommandContext, peer: SshPeer, vrf: string | undefined): Promise<Route[]> {
  const { client, server, clientPort, serverPort } = peer;
  const plain = [
    'route',
    'get',
    formatIpAddress({ ...client, zone: undefined }),
    'from',
    formatIpAddress({ ...server, zone: undefined }),
    ...(client.zone === undefined ? [] : ['oif', client.zone]),
    ...(vrf === undefined ? [] : ['vrf', vrf]),
  ];
  const ports = ['ipproto', 'tcp', 'sport', String(serverPort), 'dport', String(clientPort)];
  const readRoute = (words: readonly string[]): Promise<Route[]> => ipJson(ctx, words, routesSchema);
  // Kernels before 4.17 have no routing rules for ports.
  const routes = await readRoute([...plain, ...ports]).catch(() => readRoute(plain));
  const rules = await ipJson(ctx, [client.family === 4 ? '-4' : '-6', 'rule', 'show'], rulesSchema);
  const selectors = rules.flatMap(({ fwmark, tos }) => [
    ...(fwmark === undefined ? [] : [`mark ${fwmark}`]),
    // sshd(8) sets a TOS (IPQoS), and so may a packet filter.
    ...(tos === undefined ? [] : [`tos ${tos}`]),
  ]);
  for (const selector of new Set(selectors)) {
    // If there is no route for the selector, the connection does not use it.
    routes.push(...(await readRoute([...plain, ...selector.split(' ')]).catch(() => [])));
  }
  return routes;
}

/** The other devices of multipath routes: another connection may take another path. */
async function parallelPaths(
  ctx: CommandContext,
  { client }: SshPeer,
  devices: readonly string[],
): Promise<string[]> {
  const family = client.family === 4 ? '-4' : '-6';
  const routes = await ipJson(ctx, [family, 'route', 'show', 'table', 'all'], pathsSchema);
  return routes
    .map(({ nexthops }) => nexthops.flatMap(({ dev }) => dev ?? []))
    .filter((names) => names.some((name) => devices.includes(name)))
    .flat();
}

/** The devices and all interfaces below them. `any` if those are unknown, as below a tunnel. */
function lowerDevices(
  names: readonly string[],
  links: readonly Link[],
): Pick<ConnectionDevices, 'devices' | 'areWrapped'> {
  const seen = new Set<string>();
  let isSeen = true;
  let areWrapped = false;
  const left = names.map((name) => ({ name, isPort: false }));
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { name, isPort } = next;
    const link = links.find((candidate) => candidate.name === name);
    // An address on lo or on a dummy belongs to the whole host: its packets may arrive on any interface.
    const isLo = link?.flags.includes('LOOPBACK') === true;
    if (link === undefined || isLo || !(isPort ? portKinds : plainKinds).has(link.kind)) {
      isSeen = false;
      areWrapped ||= !isLo && !unwrappedKinds.has(link?.kind ?? '');
      continue;
    }
    if (seen.has(name)) continue;
    seen.add(name);
    if (link.parent !== undefined) left.push({ name: link.parent, isPort: false });
    // If the veth's peer is a port of a bridge, packets also pass the bridge.
    const behind =
      link.kind === 'veth' ? links.find(({ name: end }) => end === link.parent)?.master : undefined;
    if (behind !== undefined) left.push({ name: behind, isPort: false });
    if (link.kind === 'vrf') continue;
    for (const port of links) if (port.master === name) left.push({ name: port.name, isPort: true });
  }
  const masters = links.flatMap(({ name, master }) => (names.includes(name) ? (master ?? []) : []));
  return { devices: isSeen ? new Set([...seen, ...masters]) : 'any', areWrapped };
}
