import { z } from 'zod';
import { DrillError } from '../../core/errors.ts';
import type { FaultContext } from '../../core/fault.ts';

const literal = z.union([z.ipv4(), z.cidrv4(), z.ipv6(), z.cidrv6()]);

/** An IP address or CIDR in a scenario file; placeholders such as `${address.standby}` are looked at when they are filled in. */
export const address = z.string().refine((text) => text.includes('${') || literal.safeParse(text).success, {
  error: 'expected an IP address or CIDR, such as 192.0.2.7 or 192.0.2.0/24',
});

/** Throws `fault-failed` unless all are IP addresses or CIDRs now that placeholders are filled in. Doubles are dropped. */
export function requireAddresses(ctx: FaultContext, texts: readonly string[]): string[] {
  for (const text of texts) {
    if (!literal.safeParse(text).success) {
      throw new DrillError('fault-failed', `${ctx.host.name}: ${text} is no IP address or CIDR`, {
        mend: 'Packet rules take numbers: give the host an IP `address` in the target, or write the number.',
      });
    }
  }
  return [...new Set(texts)];
}
