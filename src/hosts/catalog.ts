import type { Host, NoteListener } from '../core/host.ts';
import type { PlannedHost } from '../core/plan.ts';
import { createDockerHost } from './docker.ts';
import { followCommand } from './follow-command.ts';
import { keepShells } from './kept-shells.ts';
import { createLocalHost } from './local.ts';
import { runCommand } from './run-command.ts';
import { createSshHost } from './ssh.ts';

/**
 * The host that a plan names. Touches nothing: what cannot be reached shows at the first command. `onNote` hears
 * what is odd about the way there.
 */
export function createHost(planned: PlannedHost, onNote: NoteListener = () => {}): Host {
  const { name, transport } = planned;
  switch (transport.kind) {
    case 'local':
      return createLocalHost(name);
    case 'docker':
      return createDockerHost(name, transport, runCommand, followCommand, keepShells, onNote);
    case 'ssh':
      return createSshHost(name, transport, { run: runCommand, env: process.env }, onNote);
  }
}
