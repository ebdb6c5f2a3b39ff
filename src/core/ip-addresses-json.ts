import { z } from 'zod';

/** An address of an interface, as `ip -j address show` prints it. */
export interface ListedAddress {
  readonly interface: string;
  readonly family: string;
  readonly address: string;
  readonly prefixLength: number;
  /** Configured by an operator or a daemon: not learned, not created by the kernel, and not deprecated. */
  readonly fixed: boolean;
  /** Another machine has this address. The kernel keeps it in the list without using it (RFC 4862, 5.4.5). */
  readonly dadFailed: boolean;
}

const addressSchema = z.object({
  family: z.string(),
  local: z.string().optional(),
  prefixlen: z.int().optional(),
  scope: z.string().optional(),
  dynamic: z.boolean().optional(),
  temporary: z.boolean().optional(),
  deprecated: z.boolean().optional(),
  dadfailed: z.boolean().optional(),
});

/**
 * Parses the JSON output of `ip -j address show`. Some versions of ip print `{}` for an interface that they
 * omit.
 */
export const ipAddressesJson = z
  .array(
    z
      .object({ ifname: z.string().optional(), addr_info: z.array(addressSchema).default([]) })
      .refine(({ ifname, addr_info }) => ifname !== undefined || addr_info.length === 0),
  )
  .transform((links) =>
    links.flatMap(({ ifname = '', addr_info }) =>
      addr_info.flatMap((a): ListedAddress[] =>
        a.local === undefined
          ? []
          : [
              {
                interface: ifname,
                family: a.family,
                address: a.local,
                prefixLength: a.prefixlen ?? 0,
                fixed:
                  a.scope === 'global' && a.dynamic !== true && a.temporary !== true && a.deprecated !== true,
                dadFailed: a.dadfailed === true,
              },
            ],
      ),
    ),
  );
