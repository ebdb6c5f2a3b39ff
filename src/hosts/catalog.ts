import type { Host } from '../core/host.ts';
import type { PlannedHost } from '../core/plan.ts';
import { createDockerHost } from './docker.ts';
import { createLocalHost } from './local.ts';
import { createSshHost } from './ssh.ts';

/** The host that a plan names. Touches nothing: what cannot be reached shows at the first command. */
export function createHost(planned: PlannedHost): Host {
  const { name, transport } = planned;
  switch (transport.kind) {
    case 'local':
      return createLocalHost(name);
    case 'docker':
      return createDockerHost(name, transport);
    case 'ssh':
      return createSshHost(name, transport);
  }
}
