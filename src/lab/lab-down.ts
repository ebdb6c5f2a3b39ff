import { type LabContext, mustRun } from './lab-context.ts';
import type { Lab } from './manifest.ts';
import { composeArgv } from './virtual-machines.ts';

/**
 * Shuts the VMs down, and removes them and their network. Their volumes (inner images, databases) are kept unless `volumes` is
 * set. Certificates and built images are always kept. Throws DrillError `lab`.
 */
export async function labDown(
  context: LabContext,
  lab: Lab,
  options: { readonly volumes: boolean },
): Promise<void> {
  const startedMs = performance.now();
  context.report({ step: 'down', state: 'start', text: 'shutting the VMs down' });
  await mustRun(
    context,
    [...composeArgv(lab), 'down', '--remove-orphans', ...(options.volumes ? ['--volumes'] : [])],
    { timeoutMs: 180_000 },
  );
  context.report({
    step: 'down',
    state: 'done',
    text: options.volumes ? 'VMs and their volumes are removed' : 'VMs are removed, their volumes are kept',
    elapsedMs: performance.now() - startedMs,
  });
}
