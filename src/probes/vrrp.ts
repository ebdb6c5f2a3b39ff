import { z } from 'zod';
import { duration } from '../core/duration.ts';
import { DrillError } from '../core/errors.ts';
import { formatIpAddress } from '../core/ip-address.ts';
import type { ProbeKind } from '../core/probe.ts';
import type { Observation } from '../core/sample.ts';
import { shorten } from '../core/shorten.ts';
import { ipv4Address, requireIpAddress } from '../net/text-params.ts';
import { pulseProcessesPerSecond } from './lib/pulse.ts';
import { requireTcpdump, useCapture } from './lib/vrrp-capture.ts';
import { VrrpWatch } from './lib/vrrp-watch.ts';

const params = z.strictObject({
  interface: z
    .string()
    .min(1)
    .describe(
      'Interface of the observing host (`from`) on which adverts are captured; `any` for all interfaces.',
    ),
  virtualRouterId: z.int().min(1).max(255).describe('Virtual router (vrid) whose adverts count.'),
  address: ipv4Address.describe('IPv4 address that the node’s adverts come from, such as ${address}.'),
  tell: z
    .enum(['state', 'priority'])
    .default('state')
    .describe('`state`: master or silent. `priority`: that of the latest advert, or silent.'),
  advertInterval: duration
    .prefault('1s')
    .describe('Interval of the adverts for as long as none was heard that tells it; 1s by default.'),
});
type Params = z.output<typeof params>;

/**
 * Watches VRRP from a place in the network that the nodes' adverts reach: multicast ones reach every host of the
 * segment. Nothing is asked of the nodes.
 */
export const vrrp: ProbeKind<Params> = {
  kind: 'vrrp',
  summary:
    'VRRP adverts of a node as they are on the wire: master while it advertises, else silent. Captured by tcpdump on `from`.',
  params,
  uses: () => ({ tools: ['tcpdump'], rawSockets: true }),
  lane: 'host',
  needsHost: true,
  marks: ['became-master', 'fell-silent', 'priority'],
  cost: () => ({
    newConnections: 0,
    commands: 0,
    processes: 0,
    standingProcessesPerSecond: pulseProcessesPerSecond,
  }),
  describe: (p) => `VRRP adverts of ${p.address} for virtual router ${p.virtualRouterId} on ${p.interface}`,
  check: (_p, { host, signal }) => requireTcpdump(host, signal),
  open: async (p, ctx) => {
    const { host, clock } = ctx;
    if (host === undefined) {
      throw new DrillError('invalid-input', 'a probe of kind "vrrp" needs `from:` (or `on:`)');
    }
    const source = requireIpAddress('address', p.address, 4);
    const watch = new VrrpWatch(formatIpAddress(source), p.advertInterval);
    const capture = await useCapture(host, p.interface, clock, {
      listens: (wallMs) => watch.listens(wallMs),
      hears: (advert) => {
        if (advert.virtualRouterId === p.virtualRouterId) watch.hears(advert);
      },
      misses: (packet, line) => watch.misses(packet, shorten(line)),
      breaks: () => watch.breaks(),
    });
    const look = (): Observation => {
      const state = capture.state();
      if (!state.ok) return { status: 'unknown', message: shorten(state.why) };
      const view = watch.view(state.wallMs);
      if (view.state === 'unknown') return { status: 'unknown', message: view.why };
      const value = view.state === 'master' && p.tell === 'priority' ? String(view.priority) : view.state;
      return { status: 'ok', value, marks: watch.takeMarks() };
    };
    return {
      observe: async () => {
        // Lines that arrived while this thread was busy are read first: the poll phase comes between timers and immediates.
        await new Promise((resolve) => setImmediate(resolve));
        return look();
      },
      close: () => capture.close(),
    };
  },
};
