import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import type { FaultContext } from '../core/fault.ts';
import { runOk } from './lib/commands.ts';
import { scriptedFault } from './lib/scripted-fault.ts';
import { interfaceName, listAddresses, listLinks, requireLink, type Link } from './lib/links.ts';
import { shellCommand } from '../core/shell-quote.ts';

const params = z.strictObject({
  interface: interfaceName.default('eth0').describe('Interface to switch off.'),
});
type Params = z.output<typeof params>;

/** State that the kernel drops when the interface is switched off. */
type LinkState = {
  readonly interface: string;
  readonly carrier: boolean;
  /**
   * IPv6 addresses with their prefix length. An address of another interface ends with the interface's name:
   * `2001:db8::1/64 dev eth0.5`.
   */
  readonly addresses: readonly string[];
  /** Arguments for `ip route`, after the address family (`-4` or `-6`). */
  readonly routes: readonly string[];
  /**
   * Interfaces on top of it that were up: a VLAN goes down and up with its parent. Absent in undo records of
   * older versions.
   */
  readonly above?: readonly string[];
  /**
   * Permanent entries of the neighbor tables, as arguments for `ip neighbor`. Absent in undo records of older
   * versions.
   */
  readonly neighbors?: readonly string[];
};

/**
 * Origins (`proto`) whose routes are not restored by themselves: `ip route`, network configuration, and DHCP.
 */
const fixedProtocols = ['boot', 'static', 'dhcp'];
/** Words that `ip route` prints for a route's state. They are not part of the route. */
const stateText = ['linkdown', 'dead', 'offload', 'rt_offload', 'trap', 'rt_trap'];

/**
 * Switches an interface off. The kernel then drops its routes, permanent neighbors, and IPv6 addresses, and
 * those of the VLANs on top of it, and does not restore them. The heal restores them, except for entries of
 * the kernel or of a routing daemon. IPv4 addresses survive the fault. If one is missing afterwards, its
 * owner removed it (as keepalived removes a VIP that has moved), so the heal does not restore it.
 */
export const networkLinkDown = scriptedFault<Params, LinkState>({
  kind: 'network.link-down',
  summary: 'Switch a network interface off. The heal also restores its routes.',
  params,
  tools: ['ip'],
  describe: (p) => ({
    inject: `ip link set dev ${p.interface} down`,
    heal: `ip link set dev ${p.interface} up, then restore missing routes, permanent neighbors, and IPv6 addresses`,
    blastRadius: `all network traffic of the host through ${p.interface}`,
  }),

  async prepare(p, _tag, ctx) {
    const link = await requireLink(ctx, p.interface);
    if (!link.flags.includes('UP')) {
      throw new DrillError(
        'fault-failed',
        `${ctx.host.name}: cannot switch ${p.interface} off: it is already down`,
        {
          hint: `Switch it on first: ip link set dev ${p.interface} up`,
        },
      );
    }
    const above = stackedOn(await listLinks(ctx), p.interface);
    return {
      interface: p.interface,
      carrier: link.flags.includes('LOWER_UP'),
      above,
      ...(await found(ctx, p.interface, above)),
    };
  },

  cut: (p) => ({ kind: 'link', interface: p.interface }),

  async apply({ interface: name }, _tag, ctx) {
    await runOk(ctx, ['ip', 'link', 'set', 'dev', name, 'down']);
  },

  undo: ({ interface: name, addresses, routes, above = [], neighbors = [] }) =>
    [
      ...[name, ...above].map((link) => ['ip', 'link', 'set', 'dev', link, 'up']),
      ...addresses.map((entry) => {
        const [address = '', ...dev] = entry.split(' ');
        return ['ip', '-6', 'address', 'replace', address, ...(dev.length === 0 ? ['dev', name] : dev)];
      }),
      ...neighbors.map((entry) => ['ip', 'neighbor', 'replace', ...entry.split(' ')]),
      ...routes.map((route) => {
        const [family = '', ...words] = route.split(' ');
        return ['ip', family, 'route', 'replace', ...words];
      }),
    ]
      .map(shellCommand)
      .join('\n'),

  async inForce({ interface: name }, _tag, ctx) {
    return !(await requireLink(ctx, name)).flags.includes('UP');
  },

  async gone(state, _tag, ctx) {
    const { interface: name, above = [], neighbors = [] } = state;
    const { flags } = await requireLink(ctx, name);
    if (!flags.includes('UP') || (state.carrier && !flags.includes('LOWER_UP'))) return false;
    for (const link of above) if (!(await requireLink(ctx, link)).flags.includes('UP')) return false;
    const now = await found(ctx, name, above);
    const routes = now.routes.map(withoutLifetime);
    return (
      state.addresses.every((address) => now.addresses.includes(address)) &&
      state.routes.every((route) => routes.includes(withoutLifetime(route))) &&
      neighbors.every((entry) => now.neighbors.includes(entry))
    );
  },
});

/**
 * The interfaces on top of this one that are up, at any depth. A veth has a peer and no parent, so it does
 * not count.
 */
function stackedOn(links: readonly Link[], name: string): string[] {
  const above = links.filter(
    ({ parent, kind, flags }) => parent === name && kind !== 'veth' && flags.includes('UP'),
  );
  return above.flatMap((link) => [link.name, ...stackedOn(links, link.name)]);
}

/** The present addresses, routes, and neighbors of the kinds that the heal restores. */
async function found(
  ctx: FaultContext,
  name: string,
  above: readonly string[],
): Promise<{ addresses: string[]; routes: string[]; neighbors: string[] }> {
  const names = [name, ...above];
  return {
    addresses: await addressesOf(ctx, names),
    routes: await routesOf(ctx, names),
    neighbors: await neighborsOf(ctx, names),
  };
}

async function addressesOf(ctx: FaultContext, names: readonly string[]): Promise<string[]> {
  return (await listAddresses(ctx))
    .filter((entry) => names.includes(entry.interface) && entry.family === 'inet6' && entry.fixed)
    .map(({ address, prefixLength, interface: name }) =>
      [`${address}/${prefixLength}`, ...(name === names[0] ? [] : ['dev', name])].join(' '),
    );
}

/**
 * Routes of the interfaces, in all tables, that the heal restores. Routes without a gateway come first,
 * because the others need them.
 */
async function routesOf(ctx: FaultContext, names: readonly string[]): Promise<string[]> {
  const routes: string[] = [];
  for (const family of ['-4', '-6']) {
    const said = await runOk(ctx, ['ip', '-o', family, 'route', 'show', 'table', 'all']);
    for (const line of said.split('\n')) {
      const words = routeText(line);
      const protocol = after(words, 'proto') ?? 'boot';
      // A multipath route has several devices.
      const isOwn = words.some((word, at) => words[at - 1] === 'dev' && names.includes(word));
      if (isOwn && fixedProtocols.includes(protocol)) routes.push([family, ...words].join(' '));
    }
  }
  return routes.sort((a, b) => Number(a.includes(' via ')) - Number(b.includes(' via ')));
}

/**
 * A route as arguments for `ip route replace`: without its state, with its lifetime in plain seconds, and
 * without its nexthop object's ID. The kernel deletes the nexthop objects of an interface that is switched
 * off; the route itself repeats their content.
 */
function routeText(line: string): string[] {
  return line
    .replace(/\bnhid \d+/, '')
    .replace(/\b(expires \d+)sec\b/, '$1')
    .split(/[\s\\]+/)
    .filter((word) => word !== '' && !stateText.includes(word));
}

/** The route without its lifetime, which counts down during the fault and is therefore not compared. */
function withoutLifetime(route: string): string {
  return route.replace(/ expires \d+\b/, '');
}

async function neighborsOf(ctx: FaultContext, names: readonly string[]): Promise<string[]> {
  const said = await runOk(ctx, ['ip', '-o', 'neighbor', 'show', 'nud', 'permanent']);
  return said.split('\n').flatMap((line) => {
    const [, address, dev, hardware] = /^(\S+) dev (\S+) lladdr (\S+)/.exec(line) ?? [];
    if (address === undefined || dev === undefined || hardware === undefined || !names.includes(dev))
      return [];
    return [`${address} lladdr ${hardware} dev ${dev} nud permanent`];
  });
}

function after(words: readonly string[], word: string): string | undefined {
  const at = words.indexOf(word);
  return at < 0 ? undefined : words[at + 1];
}
