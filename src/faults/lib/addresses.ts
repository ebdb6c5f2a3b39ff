import { z } from 'zod';
import { DrillError } from '../../core/errors.ts';
import type { FaultContext } from '../../core/fault.ts';
import { formatIpPrefix, parseIpPrefix, type IpPrefix } from '../../core/ip-address.ts';

/** An IP address or CIDR in a scenario file; placeholders such as `${address.standby}` are looked at when they are filled in. */
export const address = z.string().refine((text) => text.includes('${') || packetPrefix(text) !== undefined, {
  error: 'expected an IP address or CIDR, such as 192.0.2.7 or 192.0.2.0/24',
});

/**
 * The prefixes that these addresses and CIDRs spell, each once. Throws `fault-failed` unless all are such now that placeholders
 * are filled in.
 */
export function requireAddresses(ctx: FaultContext, texts: readonly string[]): IpPrefix[] {
  const prefixes = new Map<string, IpPrefix>();
  for (const text of texts) {
    const prefix = packetPrefix(text);
    if (prefix === undefined) {
      throw new DrillError('fault-failed', `${ctx.host.name}: ${text} is no IP address or CIDR`, {
        mend: 'Packet rules take numbers: give the host an IP `address` in the target, or write the number.',
      });
    }
    prefixes.set(formatIpPrefix(prefix), prefix);
  }
  return [...prefixes.values()];
}

/** Packets carry no zone (`%eth0`), so a rule cannot match one. */
function packetPrefix(text: string): IpPrefix | undefined {
  const prefix = parseIpPrefix(text);
  return prefix?.address.zone === undefined ? prefix : undefined;
}
