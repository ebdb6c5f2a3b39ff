import { z } from 'zod';
import { DrillError } from '../../core/errors.ts';
import type { FaultContext } from '../../core/fault.ts';
import { formatIpPrefix, type IpPrefix } from '../../core/ip-address.ts';
import { messageText } from '../../core/message-text.ts';
import { exitedText, run, runOk } from './commands.ts';
import { listAddresses } from './links.ts';
import { shellCommand } from '../../core/shell-quote.ts';

/** `iptables` filters IPv4, and `ip6tables` filters IPv6. */
export type Tool = 'iptables' | 'ip6tables';

/** A rule for packets that enter or leave the host. */
export type FilterRule = {
  readonly tool: Tool;
  readonly direction: 'in' | 'out';
  /** Match arguments for iptables. */
  readonly match: readonly string[];
  /** `RETURN`: the packet passes, and later rules do not apply. */
  readonly target: 'DROP' | 'RETURN';
};

/**
 * Rules in firedrill's own chains of the mangle table. PREROUTING sees incoming packets before Docker
 * translates published ports, and POSTROUTING sees outgoing packets after that. Both see the packets of the
 * host and of its containers, also those of established connections. Docker keeps no rules in this table.
 */
export type PacketFilter = {
  /** Interfaces whose packets are matched. Empty: all except loopback. */
  readonly interfaces: readonly string[];
  /** The first matching rule decides. */
  readonly rules: readonly FilterRule[];
};

/** The `direction` parameter. */
export const direction = z
  .enum(['both', 'in', 'out'])
  .default('both')
  .describe('Packets that the host receives (`in`), packets that it sends (`out`), or `both`.');
export type Direction = z.output<typeof direction>;

/** TCP or UDP port of a service, at either end of the connection. */
export const port = z.strictObject({
  port: z.int().min(1).max(65_535).describe('Port of the service.'),
  protocol: z.enum(['tcp', 'udp']).default('tcp').describe('Protocol of the port.'),
});

const hooks = { in: 'PREROUTING', out: 'POSTROUTING' } as const;
const directions = ['in', 'out'] as const;

/** `in` and `out` for `both`, otherwise the direction itself. */
export function directionsOf(direction: Direction): readonly ('in' | 'out')[] {
  return direction === 'both' ? directions : [direction];
}

/** The tool and the iptables arguments that match packets from (in) or to (out) an address or CIDR. */
export function matchPeer(direction: 'in' | 'out', peer: IpPrefix): { tool: Tool; match: string[] } {
  return {
    tool: peer.address.family === 6 ? 'ip6tables' : 'iptables',
    match: [direction === 'in' ? '-s' : '-d', formatIpPrefix(peer)],
  };
}

/**
 * The tools whose packets pass these interfaces. ip6tables is included only if one of them has an IPv6
 * address.
 */
export async function toolsOn(ctx: FaultContext, interfaces: readonly string[]): Promise<Tool[]> {
  const ipv6 = (await listAddresses(ctx)).some(
    (entry) => entry.family === 'inet6' && interfaces.includes(entry.interface),
  );
  return ipv6 ? ['iptables', 'ip6tables'] : ['iptables'];
}

/** Throws `fault-failed` if the host would not accept the rules. Changes nothing on the host. */
export async function requireFilter(ctx: FaultContext, filter: PacketFilter, tag: string): Promise<void> {
  for (const tool of toolsOf(filter)) {
    const checks = [
      { argv: [`${tool}-restore`, '-w', '--noflush', '--test'], input: program(filter, tag, tool) },
      { argv: [tool, '-w', '-t', 'mangle', '-S'], input: '' },
    ];
    for (const { argv, input } of checks) {
      const result = await run(ctx, argv, { input });
      if (result.exitCode !== 0) {
        throw new DrillError('fault-failed', `${ctx.host.name}: ${exitedText(argv, result)}`, {
          hint: `Log in to ${ctx.host.name} as root (or set \`sudo: true\`), and install ${tool} with its mangle table.`,
        });
      }
    }
  }
}

/**
 * Applies the rules. Each address family is atomic: all of its rules are applied, or none. Throws
 * `fault-failed`.
 */
export async function applyFilter(ctx: FaultContext, filter: PacketFilter, tag: string): Promise<void> {
  for (const tool of toolsOf(filter)) {
    await runOk(ctx, [`${tool}-restore`, '-w', '--noflush'], { input: program(filter, tag, tool) });
  }
}

/**
 * Script for /bin/sh that removes the rules with this tag, and nothing else. It exits non-zero if one is
 * left.
 */
export function undoFilter(filter: PacketFilter, tag: string): string {
  const lines = toolsOf(filter).flatMap((tool) => {
    const command = (...argv: readonly string[]): string =>
      shellCommand([tool, '-w', '-t', 'mangle', ...argv]);
    const used = directionsUsed(filter, tool);
    return [
      ...used.flatMap((direction) =>
        jumps(filter, tag, direction).map((jump) => command('-D', hooks[direction], ...jump)),
      ),
      ...used.map((direction) => command('-F', chain(tag, direction))),
      ...used.map((direction) => command('-X', chain(tag, direction))),
      `left=$(${command('-S')}) || exit`,
      `case $left in *firedrill-${tag}-*) exit 1 ;; esac`,
    ];
  });
  return lines.join('\n');
}

/** True if all rules with this tag exist. */
export async function filterInForce(ctx: FaultContext, filter: PacketFilter, tag: string): Promise<boolean> {
  for (const tool of toolsOf(filter)) {
    const used = directionsUsed(filter, tool);
    const rules = filter.rules.filter((rule) => rule.tool === tool).length;
    const perChain = 1 + Math.max(1, filter.interfaces.length);
    if ((await tagged(ctx, tool, tag)).length !== rules + used.length * perChain) return false;
  }
  return true;
}

/** True if no rule with this tag is left. */
export async function filterGone(ctx: FaultContext, filter: PacketFilter, tag: string): Promise<boolean> {
  for (const tool of toolsOf(filter)) {
    if ((await tagged(ctx, tool, tag)).length > 0) return false;
  }
  return true;
}

/**
 * Chains and rules with this tag, one line each. Throws `host-unreachable` if the output is not a rule table.
 */
async function tagged(ctx: FaultContext, tool: Tool, tag: string): Promise<string[]> {
  const argv = [tool, '-w', '-t', 'mangle', '-S'];
  const lines = (await runOk(ctx, argv)).split('\n');
  // Even an empty table lists its hooks' policies (`-P`).
  if (!lines.some((line) => line.startsWith('-P '))) {
    throw new DrillError(
      'host-unreachable',
      `${ctx.host.name}: cannot parse the output of \`${argv.join(' ')}\`: ${messageText(lines.join(' '), 120)}`,
      { hint: `Check the output of \`${argv.join(' ')}\` on ${ctx.host.name}.` },
    );
  }
  return lines.filter((line) => line.includes(`firedrill:${tag}`) || line.includes(`firedrill-${tag}-`));
}

/** The input of iptables-restore. */
function program(filter: PacketFilter, tag: string, tool: Tool): string {
  const used = directionsUsed(filter, tool);
  const rules = filter.rules.filter((rule) => rule.tool === tool);
  return [
    '*mangle',
    ...used.map((direction) => `:${chain(tag, direction)} - [0:0]`),
    ...rules.map(({ direction, match, target }) =>
      line('-A', chain(tag, direction), ...match, ...comment(tag), '-j', target),
    ),
    ...used.flatMap((direction) =>
      jumps(filter, tag, direction).map((jump) => line('-I', hooks[direction], '1', ...jump)),
    ),
    'COMMIT',
    '',
  ].join('\n');
}

/**
 * One line of that input. iptables-restore has its own quoting rules, so a word that needs quoting is
 * refused.
 */
function line(...words: readonly string[]): string {
  const odd = words.find((word) => !/^[\w!./:,@+-]+$/.test(word));
  if (odd !== undefined)
    throw new DrillError(
      'fault-failed',
      `cannot write the packet rule: ${JSON.stringify(odd)} would need quoting`,
    );
  return words.join(' ');
}

/** The rules that jump to firedrill's chain, without the name of their hook. */
function jumps(filter: PacketFilter, tag: string, direction: 'in' | 'out'): string[][] {
  const flag = direction === 'in' ? '-i' : '-o';
  const through =
    filter.interfaces.length === 0 ? [['!', flag, 'lo']] : filter.interfaces.map((name) => [flag, name]);
  return through.map((match) => [...match, ...comment(tag), '-j', chain(tag, direction)]);
}

function comment(tag: string): string[] {
  return ['-m', 'comment', '--comment', `firedrill:${tag}`];
}

function chain(tag: string, direction: 'in' | 'out'): string {
  return `firedrill-${tag}-${direction}`;
}

function toolsOf(filter: PacketFilter): Tool[] {
  return [...new Set(filter.rules.map((rule) => rule.tool))];
}

function directionsUsed(filter: PacketFilter, tool: Tool): readonly ('in' | 'out')[] {
  return directions.filter((direction) =>
    filter.rules.some((rule) => rule.tool === tool && rule.direction === direction),
  );
}
