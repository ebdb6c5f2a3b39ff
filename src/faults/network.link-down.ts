import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import type { FaultContext } from '../core/fault.ts';
import { runOk } from './lib/commands.ts';
import { scriptedFault } from './lib/scripted-fault.ts';
import { interfaceName, listAddresses, requireLink } from './lib/links.ts';
import { shellCommand } from '../core/shell-quote.ts';

const params = z.strictObject({
  interface: interfaceName.default('eth0').describe('Interface to switch off.'),
});
type Params = z.output<typeof params>;

/** What the kernel forgets of an interface that is switched off. */
type LinkState = {
  readonly interface: string;
  readonly carrier: boolean;
  /** IPv6 addresses with their prefix length. */
  readonly addresses: readonly string[];
  /** Words for `ip route`, its family first. */
  readonly routes: readonly string[];
};

/** Who writes routes down and does not come back to them: `ip route`, configuration, DHCP. */
const fixedProtocols = ['boot', 'static', 'dhcp'];
/** What `ip route` says of a route's state; no part of the route. */
const stateWords = ['linkdown', 'dead', 'offload', 'rt_offload', 'trap', 'rt_trap'];

/**
 * Switches an interface off. The kernel drops its routes and its IPv6 addresses
 * then and does not bring them back: the heal does, except for those that belong
 * to the kernel or to a routing daemon. IPv4 addresses outlast the fault; one that
 * is missing afterwards was taken away by its owner, as keepalived does with a
 * virtual address that has moved, and is not put back.
 */
export const networkLinkDown = scriptedFault<Params, LinkState>({
  kind: 'network.link-down',
  summary: 'Switch a network interface off; the heal brings its routes back, too.',
  params,
  tools: ['ip'],
  describe: (p) => ({
    inject: `ip link set dev ${p.interface} down`,
    heal: `ip link set dev ${p.interface} up, and what is missing of its routes and IPv6 addresses`,
    blastRadius: `all network traffic of the host through ${p.interface}`,
  }),

  async prepare(p, _tag, ctx) {
    const link = await requireLink(ctx, p.interface);
    if (!link.flags.includes('UP')) {
      throw new DrillError('fault-failed', `${ctx.host.name}: ${p.interface} is already down`, {
        mend: `A fault needs something to break: ip link set dev ${p.interface} up`,
      });
    }
    return {
      interface: p.interface,
      carrier: link.flags.includes('LOWER_UP'),
      addresses: await addressesOf(ctx, p.interface),
      routes: await routesOf(ctx, p.interface),
    };
  },

  cut: (p) => ({ kind: 'link', interface: p.interface }),

  async apply({ interface: name }, _tag, ctx) {
    await runOk(ctx, ['ip', 'link', 'set', 'dev', name, 'down']);
  },

  undo: ({ interface: name, addresses, routes }) =>
    [
      ['ip', 'link', 'set', 'dev', name, 'up'],
      ...addresses.map((address) => ['ip', '-6', 'address', 'replace', address, 'dev', name]),
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
    const { flags } = await requireLink(ctx, state.interface);
    if (!flags.includes('UP') || (state.carrier && !flags.includes('LOWER_UP'))) return false;
    const addresses = await addressesOf(ctx, state.interface);
    const routes = await routesOf(ctx, state.interface);
    return (
      state.addresses.every((address) => addresses.includes(address)) &&
      state.routes.every((route) => routes.includes(route))
    );
  },
});

async function addressesOf(ctx: FaultContext, name: string): Promise<string[]> {
  return (await listAddresses(ctx))
    .filter((entry) => entry.interface === name && entry.family === 'inet6' && entry.fixed)
    .map((entry) => `${entry.address}/${entry.prefixLength}`);
}

/** The interface's routes in all tables that the heal has to bring back; those that others need come first. */
async function routesOf(ctx: FaultContext, name: string): Promise<string[]> {
  const routes: string[] = [];
  for (const family of ['-4', '-6']) {
    const said = await runOk(ctx, ['ip', '-o', family, 'route', 'show', 'table', 'all']);
    for (const line of said.split('\n')) {
      const words = line.split(/[\s\\]+/).filter((word) => word !== '' && !stateWords.includes(word));
      const protocol = after(words, 'proto') ?? 'boot';
      if (after(words, 'dev') !== name || !fixedProtocols.includes(protocol)) continue;
      routes.push([family, ...words].join(' '));
    }
  }
  return routes.sort((a, b) => Number(a.includes(' via ')) - Number(b.includes(' via ')));
}

function after(words: readonly string[], word: string): string | undefined {
  const at = words.indexOf(word);
  return at < 0 ? undefined : words[at + 1];
}
