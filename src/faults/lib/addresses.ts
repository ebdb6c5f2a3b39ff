import { z } from 'zod';
import { DrillError } from '../../core/errors.ts';
import type { FaultContext } from '../../core/fault.ts';
import { formatIpPrefix, parseIpPrefix, type IpPrefix } from '../../core/ip-address.ts';

/**
 * An IP address or CIDR in a scenario file. A placeholder such as `${address.standby}` is checked after it is
 * filled in.
 */
export const address = z.string().refine((text) => text.includes('${') || packetPrefix(text) !== undefined, {
  error: 'expected an IP address or CIDR, such as 192.0.2.7 or 192.0.2.0/24',
});

/**
 * The prefixes of these addresses and CIDRs, without duplicates. Placeholders must be filled in. Throws
 * `fault-failed` for a text that is neither an address nor a CIDR.
 */
export function requireAddresses(ctx: FaultContext, texts: readonly string[]): IpPrefix[] {
  const prefixes = new Map<string, IpPrefix>();
  for (const text of texts) {
    const prefix = packetPrefix(text);
    if (prefix === undefined) {
      throw new DrillError(
        'fault-failed',
        `${ctx.host.name}: cannot build packet rules: "${text}" is not an IP address or CIDR`,
        {
          hint: 'Set the host’s `address` in the target file to an IP address, or write the IP address in the scenario.',
        },
      );
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
