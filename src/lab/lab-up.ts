import { DrillError } from '../core/errors.ts';
import type { Finding } from '../core/finding.ts';
import type { DurationMs } from '../core/time.ts';
import { ensureBaseImage } from './base-image.ts';
import { buildInnerImages, buildVmImages } from './build-images.ts';
import { ensureCompose } from './compose-plugin.ts';
import { ensureEngine } from './engine.ts';
import { saveInnerImages } from './image-archive.ts';
import { type LabContext, StepLog, type StepTiming } from './lab-context.ts';
import { ensureState, type StatePaths, statePaths } from './lab-state.ts';
import { measureSpeed, speedDeps, speedText } from './machine-speed.ts';
import { gatherFacts, judgeMachine, type MachineFacts } from './machine.ts';
import { type Lab, settingsEnvironment } from './manifest.ts';
import { provision, startServices, startVms, waitForBoot } from './virtual-machines.ts';

/** Options of `lab up`. */
export interface LabUpOptions {
  /** Settings of the manifest by name, e.g. `{timings: 'fast'}`; the manifest's defaults for the rest. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Result of `lab up`. */
export interface LabUpResult {
  readonly timings: readonly StepTiming[];
  readonly elapsedMs: DurationMs;
  readonly state: StatePaths;
  /** False if no provision command changed anything: the running stack was not disturbed. */
  readonly changed: boolean;
}

/** The end of a provision command's last line if it changed nothing (compose-lab/images/node/provision-lib.sh). */
const nothingChanged = 'nothing to change';

/**
 * Brings a lab up: engine, Compose, base image, images, certificates, VMs, and the services in them. Level-triggered: a second
 * call checks each step, and changes nothing. Returns when every VM is provisioned; the caller then checks the stack with
 * probes. Throws DrillError: `invalid-input` for a wrong setting, `lab` if the machine cannot run the lab or a step fails.
 */
export async function labUp(context: LabContext, lab: Lab, options: LabUpOptions = {}): Promise<LabUpResult> {
  const chosen = settingsEnvironment(lab.manifest, options.settings ?? {});
  const steps = new StepLog(context.report);
  let changed = true;
  await together(context, async (inner) => {
    const provisioned = await bringUp(inner, lab, steps, { ...lab.manifest.environment, ...chosen });
    changed = !provisioned.every((line) => line.endsWith(nothingChanged));
  });
  return { timings: steps.timings, elapsedMs: steps.elapsedMs(), state: statePaths(lab), changed };
}

/**
 * The part of `labUp` that starts no VM: engine, Compose, base image, and images. Returns the duration in milliseconds. Throws
 * DrillError `lab`.
 */
export async function labBuild(context: LabContext, lab: Lab): Promise<number> {
  const steps = new StepLog(context.report);
  await together(context, async (inner) => {
    await prepareMachine(inner, lab, steps, gatherFacts);
    await Promise.all([buildForVms(inner, lab, steps), buildForInside(inner, lab, steps)]);
  });
  return steps.elapsedMs();
}

/** Runs `work`. If one of its parallel parts fails, the others are aborted. */
async function together(context: LabContext, work: (context: LabContext) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  try {
    await work({ ...context, signal: AbortSignal.any([context.signal, stop.signal]) });
  } catch (error) {
    stop.abort(error);
    context.signal.throwIfAborted();
    throw error;
  }
}

async function prepareMachine(
  context: LabContext,
  lab: Lab,
  steps: StepLog,
  gather: typeof gatherFacts,
): Promise<void> {
  const { manifest } = lab;
  const facts = await steps.step('machine', 'checking the machine', () => gather(context, manifest));
  if (facts.speed !== undefined)
    context.report({ step: 'machine', state: 'info', text: speedText(facts.speed) });
  refuseSlowMachine(facts, judgeMachine(facts, manifest));
  await steps.step('engine', 'Docker engine', () => ensureEngine(context, facts));
  await Promise.all([
    steps.step('compose', 'Docker Compose', () => ensureCompose(context, facts.os, facts.root)),
    steps.step('base', `base image ${manifest.base.tag}`, () =>
      ensureBaseImage(context, manifest.base, facts),
    ),
  ]);
}

/** Gathers the facts, with the speed if the lab does not run yet. A running lab proves that the machine is fast enough. */
async function inspectMachine(context: LabContext, manifest: Lab['manifest']): Promise<MachineFacts> {
  const facts = await gatherFacts(context, manifest);
  return facts.labRunning ? facts : { ...facts, speed: await measureSpeed(speedDeps(context)) };
}

async function buildForVms(context: LabContext, lab: Lab, steps: StepLog): Promise<void> {
  await steps.step('vm images', 'building the VM image', () => buildVmImages(context, lab));
}

async function buildForInside(context: LabContext, lab: Lab, steps: StepLog): Promise<void> {
  await steps.step('inner images', 'building the inner images', () => buildInnerImages(context, lab));
  await steps.step('archive', 'packing the inner images', () => saveInnerImages(context, lab));
}

/** Returns the last line of each VM's provision command. */
async function bringUp(
  context: LabContext,
  lab: Lab,
  steps: StepLog,
  environment: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const { manifest } = lab;
  await prepareMachine(context, lab, steps, inspectMachine);
  // The VMs boot while their inner images are built and packed.
  await Promise.all([
    (async () => {
      await buildForVms(context, lab, steps);
      let fromScratch = false;
      await steps.step('state', 'certificates, keys, passwords', async () => {
        const state = await ensureState(context, lab);
        fromScratch = state.isNew;
        return state.text;
      });
      if (manifest.services.length > 0)
        await steps.step('services', 'starting the services that the VMs need', () =>
          startServices(context, lab, fromScratch),
        );
      await steps.step('start', 'starting the VMs', () => startVms(context, lab, fromScratch));
      await steps.step('boot', 'VMs boot', async () => {
        await Promise.all(manifest.vms.map((vm) => waitForBoot(context, vm)));
        return `${manifest.vms.length} VMs have booted`;
      });
    })(),
    buildForInside(context, lab, steps),
  ]);
  return Promise.all(
    manifest.vms.map((vm) =>
      steps.step(`provision ${vm.name}`, `provisioning ${vm.name}`, () =>
        provision(context, vm, { ...environment, FIREDRILL_ADDRESS: vm.address, FIREDRILL_VM: vm.name }),
      ),
    ),
  );
}

/** Throws one error with all failures, so that the user can fix them together. */
function refuseSlowMachine(facts: MachineFacts, findings: readonly Finding[]): void {
  const failed = findings.filter((finding) => finding.status === 'fail');
  if (failed.length === 0) return;
  throw new DrillError(
    'lab',
    `this machine (${facts.os.prettyName}) cannot run the lab: ${failed.map((f) => `${f.name}: ${f.observed}`).join('; ')}`,
    { hint: failed.map((finding) => finding.hint ?? '').join('\n') },
  );
}
