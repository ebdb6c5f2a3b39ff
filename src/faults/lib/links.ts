import { z } from 'zod';
import { DrillError } from '../../core/errors.ts';
import type { FaultContext } from '../../core/fault.ts';
import { ipAddressesJson, type ListedAddress } from '../../core/ip-addresses-json.ts';
import { parseJson } from '../../core/parse-json.ts';
import { messageText } from '../../core/message-text.ts';
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

/** A network interface as `ip link` reports it. */
export interface Link {
  readonly name: string;
  /** `UP`: switched on. `LOWER_UP`: it has a carrier. */
  readonly flags: readonly string[];
  /** The bridge, bond, team, or VRF that it belongs to. */
  readonly master: string | undefined;
  /**
   * The interface below it, such as the parent of a VLAN. For a veth: its peer. Undefined if that interface
   * is in another network namespace.
   */
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

/** The interface with this name. Throws `fault-failed` if there is none. */
export async function requireLink(ctx: FaultContext, name: string): Promise<Link> {
  const links = await listLinks(ctx);
  const link = links.find((candidate) => candidate.name === name);
  if (link === undefined) {
    throw new DrillError('fault-failed', `${ctx.host.name}: no network interface ${name}`, {
      hint: `Use one of its interfaces: ${links.map((other) => other.name).join(', ')}.`,
    });
  }
  return link;
}

/**
 * The interfaces among these that lead out of the host: they would carry nothing if its cables were
 * unplugged. Excluded are loopback, ports of a bridge or bond, and bridges that connect only the host's own
 * containers and virtual machines.
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

/**
 * The named interfaces, or all interfaces that lead out of the host. Throws `fault-failed` if a named one
 * does not exist, or if none leads out.
 */
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
  throw new DrillError(
    'fault-failed',
    `${ctx.host.name}: cannot find an interface that leads out of the host: all are down, loopback, or internal bridges`,
    {
      hint: 'List the interfaces in `interfaces` (network.isolate), or set `peers` (network.loss).',
    },
  );
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

/** The output of `ip -j`, parsed by the schema. Throws `fault-failed` if the output does not match it. */
export async function ipJson<T>(
  ctx: CommandContext,
  argv: readonly string[],
  schema: z.ZodType<T>,
): Promise<T> {
  const command = ['ip', '-j', ...argv];
  // `ip -j` may print nothing if it has nothing to list.
  const text = (await runOk(ctx, command)).trim() || '[]';
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new DrillError(
    'fault-failed',
    `${ctx.host.name}: cannot parse the output of \`${command.join(' ')}\`: ${messageText(text, 120)}`,
    { hint: `Install iproute2 4.14 or later on ${ctx.host.name}: the fault needs \`ip -j\`.` },
  );
}
