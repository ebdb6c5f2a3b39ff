import { z } from 'zod';
import { DrillError } from '../core/errors.ts';
import { formatIpAddress } from '../core/ip-address.ts';
import type { ProbeKind } from '../core/probe.ts';
import { shorten } from '../core/shorten.ts';
import { useSegment } from './lib/arp-segment.ts';
import { isVirtualMac } from './lib/arp-table.ts';
import { requireIputils } from './lib/iputils.ts';
import { ipv4Address, requireIpAddress } from '../net/text-params.ts';

const params = z.strictObject({
  interface: z.string().min(1).describe('Interface of the `from` host on which ARP requests are sent.'),
  address: ipv4Address.describe('Shared IPv4 address, such as a VIP.'),
  nodeAddress: ipv4Address.describe(
    'The node’s own address on the same segment, such as ${address}. The MAC that answers for it identifies the node.',
  ),
  mac: z
    .string()
    .regex(/^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$/, { error: 'expected a MAC, such as 02:42:c6:12:02:0b' })
    .refine((mac) => !isVirtualMac(mac), {
      error:
        'a virtual MAC (VRRP, HSRP) belongs to the current master: remove `mac`, and use a probe of kind vrrp or vip-claim',
    })
    .optional()
    .describe(
      'The node’s MAC for the shared address, if it differs from the MAC for its own address. A virtual MAC (00:00:5e:00:01:…) does not identify a node. With keepalived’s `use_vmac`, use kind vrrp or vip-claim.',
    ),
});
type Params = z.output<typeof params>;

/**
 * Sends ARP requests as a client's machine would, and reads all replies, because two nodes may both answer.
 * The nodes get no other requests. The replies refresh the ARP cache of the `from` host. To test a client's
 * stale cache, set `from` to another host than that client.
 */
export const arp: ProbeKind<Params> = {
  kind: 'arp',
  summary:
    'Whether a node answers ARP requests for a shared address: answers or silent. Sent by iputils’ arping on `from`.',
  params,
  uses: () => ({ tools: ['arping'], rawSockets: true }),
  lane: 'host',
  needsHost: true,
  marks: ['stranger'],
  together: true,
  // One shell, and `timeout` with `arping` for each of two addresses.
  cost: () => ({ newConnections: 0, commands: 1, processes: 5 }),
  describe: (p) => `whether ${p.nodeAddress} answers ARP for ${p.address} on ${p.interface}`,
  check: (_p, { host, signal }) => requireIputils(host, 'arping', signal),
  open: async (p, ctx) => {
    const { host } = ctx;
    if (host === undefined) {
      throw new DrillError('invalid-input', 'a probe of kind "arp" needs `from:` (or `on:`)');
    }
    const address = formatIpAddress(requireIpAddress('address', p.address, 4));
    const nodeAddress = formatIpAddress(requireIpAddress('nodeAddress', p.nodeAddress, 4));
    const segment = await useSegment({ host, interface: p.interface, address }, ctx);
    segment.table.addNode(nodeAddress, p.mac);
    return {
      observe: async (signal) => {
        const round = await segment.ask(signal);
        if (!round.ok) return { status: 'unknown', message: round.why };
        const view = segment.table.view(nodeAddress, round.answers);
        if (view.state === 'unknown') return { status: 'unknown', message: shorten(view.why) };
        return { status: 'ok', value: view.state, marks: segment.table.takeMarks() };
      },
      close: async () => segment.close(),
    };
  },
};
