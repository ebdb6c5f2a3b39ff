import { isSameIpAddress, parseIpAddress } from '../../core/ip-address.ts';
import { run, type CommandContext } from './commands.ts';
import type { PacketFilter } from './packet-filter.ts';
import type { SshPeer } from './ssh-peer.ts';

/** A port at which the client's packets may arrive. `any`: a rule translates more than one. */
export type TranslatedPort = number | 'any';

/**
 * The ports, other than the SSH server's own, from which the host's rules translate packets to the server's
 * port (REDIRECT and DNAT of iptables). Empty if the filter does not match packets by port.
 */
export async function arrivalPorts(
  ctx: CommandContext,
  peer: SshPeer,
  { rules }: Pick<PacketFilter, 'rules'>,
): Promise<readonly TranslatedPort[]> {
  if (!rules.some(({ match }) => match.includes('--dport'))) return [];
  const program = peer.client.family === 4 ? 'iptables-save' : 'ip6tables-save';
  // Fails, with empty output, if the kernel has no nat table.
  const { stdout } = await run(ctx, [program, '-t', 'nat']);
  return stdout.split('\n').flatMap((line): TranslatedPort[] => {
    if (!leadsTo(line, peer)) return [];
    const [, port] = /(?<! !) --dport (\d+) /.exec(line) ?? [];
    return [port === undefined ? 'any' : Number(port)];
  });
}

/** Whether a rule sends matching packets to the server's port. */
function leadsTo(line: string, { server, serverPort }: SshPeer): boolean {
  const [, redirected] = / -j REDIRECT --to-ports (\S+)/.exec(line) ?? [];
  if (redirected !== undefined) return isInRange(serverPort, redirected);
  const [, address, plain, ports] =
    / -j DNAT --to-destination (?:\[([^\]]+)\]|([\d.]+))(?:-[\d.]+)?:(\S+)/.exec(line) ?? [];
  const to = parseIpAddress(address ?? plain ?? '');
  return (
    to !== undefined && ports !== undefined && isSameIpAddress(to, server) && isInRange(serverPort, ports)
  );
}

/** Whether the port is in `22` or `22-30`. */
function isInRange(port: number, range: string): boolean {
  const [first = NaN, last = first] = range.split('-').map(Number);
  return port >= first && port <= last;
}
