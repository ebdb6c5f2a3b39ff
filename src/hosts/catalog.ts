import { DrillError } from '../core/errors.ts';
import type { Host, NoteListener } from '../core/host.ts';
import type { PlannedHost, Transport } from '../core/plan.ts';
import { loadExtensions } from '../extension/load.ts';
import { createDockerHost, dockerText } from './docker.ts';
import { askForPodman, dockerOnly } from './docker-only.ts';
import { followCommand } from './follow-command.ts';
import { keepShells } from './kept-shells.ts';
import { createLocalHost } from './local.ts';
import { runCommand } from './run-command.ts';
import { createSshHost } from './ssh.ts';

/**
 * The host that a plan names. Opens no connection: an unreachable host fails at its first command. `onNote` receives
 * warnings about the connection.
 */
export function createHost(planned: PlannedHost, onNote: NoteListener = () => {}): Host {
  const { name, transport } = planned;
  switch (transport.kind) {
    case 'local':
      return createLocalHost(name);
    case 'docker':
      return dockerOnly(
        createDockerHost(name, transport, runCommand, followCommand, keepShells, onNote),
        podmanAt(transport),
      );
    case 'ssh':
      return createSshHost(name, transport, { run: runCommand, env: process.env }, onNote);
    case 'extension':
      return createExtensionHost(name, transport, onNote);
  }
}

/** @throws DrillError `invalid-input` if the module can no longer be loaded, or has no such kind any more */
function createExtensionHost(
  name: string,
  { name: kindName, params, module }: Extract<Transport, { kind: 'extension' }>,
  onNote: NoteListener,
): Host {
  const kind = loadExtensions([module]).kinds.transport(kindName);
  if (kind === undefined)
    throw new DrillError(
      'invalid-input',
      `host ${name}: the extension ${module.entry} has no transport ${kindName}`,
      { hint: `Restore that kind in ${module.file}.` },
    );
  return kind.create(params, { name, onNote });
}

/** By Docker context, so that all containers of an engine share one answer. */
const engines = new Map<string, () => Promise<boolean>>();

function podmanAt(transport: Extract<Transport, { kind: 'docker' }>): () => Promise<boolean> {
  const docker = dockerText(transport);
  const key = docker.join(' ');
  const known = engines.get(key) ?? askForPodman(docker, runCommand);
  engines.set(key, known);
  return known;
}
