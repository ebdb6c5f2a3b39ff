import type { Host } from '../core/host.ts';
import type { PlannedHost } from '../core/plan.ts';
import { createDockerHost } from './docker.ts';
import { followCommand } from './follow-command.ts';
import { keepShells } from './kept-shells.ts';
import { createLocalHost } from './local.ts';
import { runCommand } from './run-command.ts';
import { createSshHost } from './ssh.ts';
import type { StrayListener } from './stray-output.ts';

/**
 * The host that a plan names. Touches nothing: what cannot be reached shows at the first command. `onStray` hears, once for
 * each host, that others write around the output of its commands.
 */
export function createHost(planned: PlannedHost, onStray: StrayListener = () => {}): Host {
  const { name, transport } = planned;
  switch (transport.kind) {
    case 'local':
      return createLocalHost(name);
    case 'docker':
      return createDockerHost(name, transport, runCommand, followCommand, keepShells, onStray);
    case 'ssh':
      return createSshHost(name, transport, { run: runCommand, env: process.env }, onStray);
  }
}
