import { parseIpAddress, type IpAddress } from '../../core/ip-address.ts';
import { run, type CommandContext } from './commands.ts';

/** Both ends of the SSH connection that carries firedrill's commands, as the SSH server sees them. */
export interface SshPeer {
  readonly client: IpAddress;
  readonly clientPort: number;
  /** The host's own end. */
  readonly server: IpAddress;
  readonly serverPort: number;
}

/**
 * Prints SSH_CONNECTION as sshd(8) set it. sudo removes the variable from the command's environment. So the
 * script reads it from the nearest ancestor that still has it, the shell that sshd started.
 */
const script = `pid=$$
while [ "\${pid:-0}" -gt 0 ]; do
  said=$(tr '\\0' '\\n' <"/proc/$pid/environ" | sed -n 's/^SSH_CONNECTION=//p')
  if [ -n "$said" ]; then echo "$said"; exit; fi
  pid=$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$pid/status")
done 2>/dev/null
echo "$SSH_CONNECTION"`;

/**
 * The two ends of the connection. Undefined (unknown) if the SSH server does not set SSH_CONNECTION, or if
 * the output contains more than one.
 */
export async function sshPeer(ctx: CommandContext): Promise<SshPeer | undefined> {
  const { stdout } = await run(ctx, ['/bin/sh', '-c', script]);
  // A login shell may print lines of its own.
  const peers = new Map(stdout.split('\n').flatMap((line) => readPeer(line)));
  const [only, ...others] = peers.values();
  return others.length === 0 ? only : undefined;
}

/** The line and the peer that it describes, or an empty list if the line is not an SSH_CONNECTION. */
function readPeer(line: string): [string, SshPeer][] {
  const text = line.trim();
  const [from = '', fromPort = '', to = '', toPort = '', ...rest] = text.split(' ');
  const [client, server] = [parseIpAddress(from), parseIpAddress(to)];
  const isPort = (word: string): boolean => /^\d{1,5}$/.test(word);
  if (client === undefined || server === undefined || rest.length > 0) return [];
  if (!isPort(fromPort) || !isPort(toPort)) return [];
  return [[text, { client, clientPort: Number(fromPort), server, serverPort: Number(toPort) }]];
}
