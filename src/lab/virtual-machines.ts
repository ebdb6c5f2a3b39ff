import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import pRetry from 'p-retry';
import { DrillError } from '../core/errors.ts';
import { limitText } from '../core/format-duration.ts';
import { packageRoot } from '../installation.ts';
import { describeFailure } from './command.ts';
import { type LabContext, mustRun, settingsText } from './lab-context.ts';
import type { Lab, LabService, LabVm } from './manifest.ts';

const bootTimeoutMs = 90_000;
const provisionTimeoutMs = 300_000;

/** The argv prefix of Docker Compose for a lab's VMs. */
function composeArgv(lab: Lab): string[] {
  return [
    'docker',
    'compose',
    '--project-directory',
    lab.stackDir,
    '--file',
    `${lab.stackDir}/${lab.manifest.composeFile}`,
  ];
}

/**
 * Creates or starts the VMs that are missing or off. With `fromScratch` it also replaces running VMs (their volumes are kept).
 * Returns a sentence. Throws DrillError `lab`.
 */
export async function startVms(context: LabContext, lab: Lab, fromScratch: boolean): Promise<string> {
  const up = ['up', '--detach', '--remove-orphans', ...(fromScratch ? ['--force-recreate'] : [])];
  await mustRun(context, [...composeArgv(lab), ...up], { timeoutMs: 120_000, env: composeEnvironment(lab) });
  return `${lab.manifest.vms.length} VMs are on`;
}

/**
 * Starts the service containers, and runs their provision commands. With `fromScratch` it also replaces running ones. Returns the last
 * line of the last command. Throws DrillError `lab`.
 */
export async function startServices(context: LabContext, lab: Lab, fromScratch: boolean): Promise<string> {
  const { services } = lab.manifest;
  const names = services.map((service) => service.name);
  const up = ['up', '--detach', ...(fromScratch ? ['--force-recreate'] : []), ...names];
  await mustRun(context, [...composeArgv(lab), ...up], { timeoutMs: 120_000, env: composeEnvironment(lab) });
  let reported = '';
  for (const service of services) reported = await provision(context, service, {});
  return reported;
}

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

/**
 * Variables for compose files: the stack's state folder, and the Node.js for services in TypeScript. The one from the
 * dependencies is preferred, because it needs only libstdc++ from its system.
 */
function composeEnvironment({ stateDir }: Lab): Record<string, string> {
  const pinned = join(packageRoot, 'node_modules/.bin/node');
  return {
    FIREDRILL_LAB_STATE: stateDir,
    FIREDRILL_NODE: realpathSync(existsSync(pinned) ? pinned : process.execPath),
  };
}

/**
 * Waits until systemd in a VM has booted. Failed units are reported, but are not an error: a unit may have failed in a drill,
 * and provisioning shows whether it matters. Throws DrillError `lab` if the VM is gone or does not boot within 90 s.
 */
export async function waitForBoot(context: LabContext, vm: LabVm): Promise<void> {
  let state = 'not asked';
  try {
    await pRetry(
      async () => {
        const result = await context.run(['docker', 'exec', vm.container, 'systemctl', 'is-system-running'], {
          timeoutMs: 10_000,
          signal: context.signal,
        });
        state = result.stdout.trim() || result.stderr.trim();
        if (state !== 'running' && state !== 'degraded') throw new Error(state);
      },
      {
        retries: 1000,
        minTimeout: 200,
        maxTimeout: 200,
        factor: 1,
        maxRetryTime: bootTimeoutMs,
        signal: context.signal,
      },
    );
  } catch (error) {
    context.signal.throwIfAborted();
    throw new DrillError('lab', `${vm.name} did not boot within ${limitText(bootTimeoutMs)}: ${state}`, {
      hint: `Run \`docker logs ${vm.container}\` and \`docker exec ${vm.container} systemctl list-jobs\`.`,
      cause: error,
    });
  }
  if (state === 'degraded') {
    const failed = await context.run(
      ['docker', 'exec', vm.container, 'systemctl', 'list-units', '--failed', '--plain', '--no-legend'],
      { timeoutMs: 10_000, signal: context.signal },
    );
    const units = failed.stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[0]);
    context.report({
      step: 'boot',
      state: 'info',
      text: `${vm.name} runs with failed units: ${units.join(', ')}`,
    });
  }
}

/**
 * Runs the provision command of a VM or a service in its container. Returns the last line of the output. Throws DrillError `lab`
 * with the end of the output.
 */
export async function provision(
  context: LabContext,
  vm: LabVm | LabService,
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  if (vm.provision === undefined) return 'nothing to provision';
  const variables = Object.entries(environment).flatMap(([key, value]) => ['--env', `${key}=${value}`]);
  const result = await context.run(['docker', 'exec', ...variables, vm.container, ...vm.provision], {
    timeoutMs: provisionTimeoutMs,
    signal: context.signal,
    ...settingsText(context, `provision ${vm.name}`),
  });
  if (result.exitCode !== 0) {
    throw new DrillError('lab', `cannot provision ${vm.name}: ${describeFailure(vm.provision, result)}`, {
      hint: `Inspect the container with \`docker exec -it ${vm.container} bash\`.`,
    });
  }
  return result.stdout.trim().split('\n').at(-1) ?? '';
}
