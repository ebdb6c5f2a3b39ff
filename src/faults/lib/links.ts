import { z } from 'zod';
import { DrillError } from '../../core/errors.ts';
import type { FaultContext } from '../../core/fault.ts';
import { ipAddressesJson, type ListedAddress } from '../../core/ip-addresses-json.ts';
import { parseJson } from '../../core/parse-json.ts';
import { printable } from '../../core/printable.ts';
import { runOk, type CommandContext } from './commands.ts';

/** Name of a network interface in a scenario file. */
export const interfaceName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/, { error: 'expected the name of a network interface' });

const linksSchema = z.array(
  z.object({
    ifname: z.string(),
    flags: z.array(z.string()),
    link: z.string().nullish(),
    master: z.string().optional(),
    linkinfo: z.object({ info_kind: z.string().optional() }).optional(),
  }),
);

const routesSchema = z.array(z.object({ dev: z.string().optional() }));

/** A network interface as `ip link` tells it. */
export interface Link {
  readonly name: string;
  /** UP: switched on; LOWER_UP: it has a carrier. */
  readonly flags: readonly string[];
  /** The bridge, bond, team, or VRF that it belongs to. */
  readonly master: string | undefined;
  /** The interface that it is on top of, as a VLAN is; of a veth, the other end. Undefined where that is in another network namespace. */
  readonly parent: string | undefined;
  /** veth, bridge, ...; undefined for hardware. */
  readonly kind: string | undefined;
}

/** The host's interfaces. */
export async function listLinks(ctx: CommandContext): Promise<Link[]> {
  const links = await ipJson(ctx, ['-d', 'link', 'show'], linksSchema);
  return links.map(({ ifname, flags, master, link, linkinfo }) => ({
    name: ifname,
    flags,
    master,
    parent: link ?? undefined,
    kind: linkinfo?.info_kind,
  }));
}

/** The interface of that name; throws `fault-failed` when there is none. */
export async function requireLink(ctx: FaultContext, name: string): Promise<Link> {
  const links = await listLinks(ctx);
  const link = links.find((candidate) => candidate.name === name);
  if (link === undefined) {
    throw new DrillError('fault-failed', `${ctx.host.name}: no network interface ${name}`, {
      mend: `It has ${links.map((other) => other.name).join(', ')}: name one of them as \`interface\`.`,
    });
  }
  return link;
}

/**
 * Of these interfaces, those that lead out of the host: what would fall silent if its cables
 * were pulled. Left out are loopback, parts of a bridge or bond, and bridges that
 * have nothing but containers and virtual machines of the host itself on them.
 */
function outwardLinks(links: readonly Link[]): string[] {
  const inHost = (link: Link): boolean => link.kind === 'veth' || link.kind === 'tun';
  return links
    .filter((link) => {
      if (!link.flags.includes('UP') || link.flags.includes('LOOPBACK') || link.master !== undefined) {
        return false;
      }
      const ports = links.filter((port) => port.master === link.name);
      return link.kind !== 'bridge' || !ports.every(inHost);
    })
    .map((link) => link.name);
}

/** The interfaces named, else all that lead out of the host. Throws `fault-failed` for one that is not there, and when there is none. */
export async function requireOutward(
  ctx: FaultContext,
  named: readonly string[] | undefined,
): Promise<string[]> {
  if (named !== undefined) {
    for (const name of named) await requireLink(ctx, name);
    return [...new Set(named)];
  }
  const outward = outwardLinks(await listLinks(ctx));
  if (outward.length > 0) return outward;
  throw new DrillError('fault-failed', `${ctx.host.name}: no network interface leads out of it`, {
    mend: 'Name those that do as `interfaces`.',
  });
}

/** The addresses of all interfaces. */
export function listAddresses(ctx: CommandContext): Promise<ListedAddress[]> {
  return ipJson(ctx, ['address', 'show'], ipAddressesJson);
}

/** The interface of the IPv4 default route, else eth0. */
export async function defaultInterface(ctx: FaultContext): Promise<string> {
  const routes = await ipJson(ctx, ['-4', 'route', 'show', 'default'], routesSchema);
  return routes.find((route) => route.dev !== undefined)?.dev ?? 'eth0';
}

/** What `ip -j` answers, by its schema. Throws `fault-failed` where the answer is something else. */
export async function ipJson<T>(
  ctx: CommandContext,
  argv: readonly string[],
  schema: z.ZodType<T>,
): Promise<T> {
  const command = ['ip', '-j', ...argv];
  // With nothing to show it may show nothing at all.
  const text = (await runOk(ctx, command)).trim() || '[]';
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new DrillError(
    'fault-failed',
    `${ctx.host.name}: cannot parse the output of \`${command.join(' ')}\`: ${printable(text, 120)}`,
    { mend: 'The fault needs `ip -j` of iproute2 4.14 or later.' },
  );
}
