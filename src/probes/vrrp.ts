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
    .describe('Interface of the `from` host on which adverts are captured. `any`: all interfaces.'),
  virtualRouterId: z.int().min(1).max(255).describe('ID of the virtual router (vrid) whose adverts count.'),
  address: ipv4Address.describe('IPv4 source address of the node’s adverts, such as ${address}.'),
  value: z
    .enum(['state', 'priority'])
    .default('state')
    .describe('`state`: master or silent. `priority`: the priority in the latest advert, or silent.'),
  advertInterval: duration
    .prefault('1s')
    .describe(
      'Advert interval to assume until the first advert arrives. Each advert contains the real interval.',
    ),
});
type Params = z.output<typeof params>;

/**
 * Captures VRRP on a host that the nodes' adverts reach: multicast adverts reach every host of the segment.
 * The nodes get no requests.
 */
export const vrrp: ProbeKind<Params> = {
  kind: 'vrrp',
  summary:
    'VRRP state of a node from its adverts on the wire: master while it advertises, otherwise silent. Captured by tcpdump on `from`.',
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
    const attempt = (): Observation => {
      const state = capture.state();
      if (!state.ok) return { status: 'unknown', message: shorten(state.why) };
      const view = watch.view(state.wallMs);
      if (view.state === 'unknown') return { status: 'unknown', message: view.why };
      const value = view.state === 'master' && p.value === 'priority' ? String(view.priority) : view.state;
      return { status: 'ok', value, marks: watch.takeMarks() };
    };
    return {
      observe: async () => {
        // Lets the event loop read lines that arrived while this thread was busy: its poll phase comes
        // between timers and immediates.
        await new Promise((resolve) => setImmediate(resolve));
        return attempt();
      },
      close: () => capture.close(),
    };
  },
};
