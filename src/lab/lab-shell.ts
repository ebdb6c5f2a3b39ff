import { execa } from 'execa';
import type { LabContext } from './lab-context.ts';
import { statePaths } from './lab-state.ts';
import { type Lab, vmOf } from './manifest.ts';

/** The ssh command for a VM, with the lab's key. It accepts only the host key that the lab created for the VM. */
export function sshArgv(lab: Lab, vmName: string, command: readonly string[]): string[] {
  const paths = statePaths(lab);
  return [
    'ssh',
    '-F',
    'none',
    '-i',
    paths.sshKey,
    '-o',
    'IdentitiesOnly=yes',
    '-o',
    `UserKnownHostsFile=${paths.knownHosts}`,
    '-o',
    'StrictHostKeyChecking=yes',
    '-o',
    'ConnectTimeout=5',
    '-o',
    'ServerAliveInterval=5',
    `root@${vmOf(lab, vmName).address}`,
    ...(command.length === 0 ? [] : ['--', ...command]),
  ];
}

/**
 * Opens a shell in a VM over ssh, or runs a command in it, on this process's terminal. Returns the exit code. There is no time
 * limit; it ends when the signal aborts.
 */
export function labSsh(
  context: LabContext,
  lab: Lab,
  vmName: string,
  command: readonly string[],
): Promise<number> {
  return onTerminal(context, sshArgv(lab, vmName, command));
}

/**
 * Shows a VM's journal on this process's terminal: the last `lines` lines, and with `follow` new lines until the signal aborts.
 * `unit` selects one systemd unit, `container` one inner container. Returns the exit code.
 */
export function labLogs(
  context: LabContext,
  lab: Lab,
  vmName: string,
  options: {
    readonly lines: number;
    readonly follow: boolean;
    readonly unit?: string;
    readonly container?: string;
  },
): Promise<number> {
  return onTerminal(context, [
    'docker',
    'exec',
    vmOf(lab, vmName).container,
    'journalctl',
    '--no-pager',
    `--lines=${options.lines}`,
    ...(options.follow ? ['--follow'] : []),
    ...(options.unit === undefined ? [] : [`--unit=${options.unit}`]),
    ...(options.container === undefined ? [] : [`CONTAINER_NAME=${options.container}`]),
  ]);
}

async function onTerminal(context: LabContext, argv: readonly string[]): Promise<number> {
  const [file = '', ...args] = argv;
  const result = await execa(file, args, {
    stdio: 'inherit',
    reject: false,
    cancelSignal: context.signal,
    forceKillAfterDelay: 2000,
  });
  return result.exitCode ?? 1;
}
