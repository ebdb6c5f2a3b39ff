import { roundMs } from '../core/clock.ts';
import type { KeepalivedModel, PredictionStep } from '../core/plan.ts';
import type { Bounds } from './bounds.ts';
import { checkBounds } from './check.ts';

/** What can be asked of a keepalived model. */
export const keepalivedSteps = [
  'script-fall',
  'script-rise',
  'master-down',
  'priority-zero',
  'preemption',
] as const satisfies readonly PredictionStep[];

type KeepalivedStep = (typeof keepalivedSteps)[number];

/** What a model says of each of a chain of steps, or why they do not come about with its settings. */
export type ChainBounds = { readonly bounds: readonly Bounds[] } | { readonly why: string };

type StepBounds = { readonly bounds: Bounds } | { readonly why: string };

/** Priorities that adverts may have: 0 says goodbye, 255 is the address owner's (RFC 5798, 5.2.4). */
const lowestPriority = 1;
const highestPriority = 254;

/**
 * Skew_Time of a backup: the higher its priority, the sooner it acts.
 *
 * VRRPv2 (RFC 3768, 6.1): (256 - Priority) / 256 seconds, whatever the advert interval.
 * VRRPv3 (RFC 5798, 6.1): ((256 - Priority) * Master_Adver_Interval) / 256.
 * keepalived takes the effective priority, after tracking (VRRP_TIMER_SKEW in vrrp.h).
 * Example: priority 90, advert interval 1 s: 166/256 s = 648.438 ms in both.
 */
export function skewMs({ version, advertIntervalMs }: KeepalivedModel, priority: number): number {
  return roundMs(((256 - priority) * (version === 2 ? 1000 : advertIntervalMs)) / 256);
}

/**
 * Master_Down_Interval: 3 * advert interval + Skew_Time (RFC 3768 and 5798, 6.1;
 * `down_timer_adverts` of keepalived.conf is taken to be its default, 3).
 */
export function masterDownIntervalMs(model: KeepalivedModel, priority: number): number {
  return roundMs(3 * model.advertIntervalMs + skewMs(model, priority));
}

/**
 * From the master's silence, or from its priority falling below the backup's, to the
 * backup's first advert as master.
 *
 * The backup's timer runs from the last advert that it accepted. That one was sent up
 * to an advert interval before the event: [2 adverts + skew, 3 adverts + skew]. A
 * backup that preempts discards adverts of a lower priority than its own and lets the
 * timer run on (vrrp_state_backup in vrrp.c); it does not act on the first of them.
 * Example: priority 90, advert interval 1 s: 2.65 s to 3.65 s.
 */
function timerBounds(model: KeepalivedModel, priority: number): Bounds {
  const maxMs = masterDownIntervalMs(model, priority);
  return { minMs: roundMs(maxMs - model.advertIntervalMs), maxMs };
}

/** A host's effective priority: tracking adds a positive weight while the script is well, a negative one when it failed, within 1 to 254. */
function effectivePriority(model: KeepalivedModel, host: string, scriptOk: boolean): number {
  const weight = model.script?.weight ?? 0;
  const added = scriptOk ? Math.max(weight, 0) : Math.min(weight, 0);
  return Math.min(highestPriority, Math.max(lowestPriority, (model.priorities[host] ?? 0) + added));
}

/** Hosts of the model, the one that wins an election among healthy ones first. */
function ranked(model: KeepalivedModel): readonly string[] {
  const priority = (host: string): number => model.priorities[host] ?? 0;
  return Object.keys(model.priorities).sort((a, b) => priority(b) - priority(a));
}

/**
 * Why no host takes over from a master whose script failed; undefined if one does.
 * A backup acts on a master's lower priority only if its own is above it, and if it
 * preempts: with `nopreempt` it accepts adverts of any priority.
 */
function heldBy(model: KeepalivedModel, master: string, heir: string): string | undefined {
  const weight = model.script?.weight ?? 0;
  if (weight === 0)
    return `a script of weight 0 takes ${master} to FAULT, and keepalived says goodbye then: priority-zero follows, not master-down`;
  const left = effectivePriority(model, master, false);
  const own = effectivePriority(model, heir, true);
  if (own <= left)
    return `weight ${weight} leaves ${master} at ${left}, which is not below ${heir} at ${own}: nobody takes over`;
  return model.preempt.includes(heir)
    ? undefined
    : `${heir} does not preempt: it goes on accepting ${master}, whatever its priority`;
}

/** One step of a chain; `after` are the steps before it. */
function stepOf(
  model: KeepalivedModel,
  step: KeepalivedStep,
  after: readonly KeepalivedStep[],
  lost: string,
): StepBounds {
  const { script } = model;
  const [first = '', second = ''] = ranked(model);
  const heir = lost === first ? second : first;
  const scriptFell = after.includes('script-fall');
  switch (step) {
    case 'script-fall':
    case 'script-rise':
      /*
       * Runs begin every `interval` (default 1 s); one that is due while the last is at
       * work is left out (vrrp_script_thread in vrrp_scheduler.c). A single run that says
       * otherwise starts the count anew (vrrp_script_child_thread; fall and rise are 1 by
       * default). The priority, or with weight 0 the state, changes with the last one.
       */
      if (script === undefined) return { why: `${step}: the model has no script` };
      return { bounds: checkBounds(script, step === 'script-fall' ? 'fall' : 'rise') };
    case 'master-down': {
      const why = scriptFell ? heldBy(model, lost, heir) : undefined;
      return why === undefined
        ? { bounds: timerBounds(model, effectivePriority(model, heir, true)) }
        : { why };
    }
    case 'priority-zero': {
      // On stopping, and on entering FAULT, a master sends priority 0, and backups wait for their skew only.
      if (scriptFell && script !== undefined && script.weight !== 0)
        return {
          why: `a script of weight ${script.weight} only lowers the priority, without a goodbye: master-down follows, not priority-zero`,
        };
      const ms = skewMs(model, effectivePriority(model, heir, true));
      return { bounds: { minMs: ms, maxMs: ms } };
    }
    case 'preemption':
      /*
       * From full priority again to master. Keepalived that was alive all along has
       * accepted the other's last advert up to an advert interval ago; one that was
       * started, or left FAULT, waits for the whole Master_Down_Interval. Either way the
       * timer counts with the full priority (vrrp_set_effective_priority).
       */
      return model.preempt.includes(first)
        ? { bounds: timerBounds(model, effectivePriority(model, first, true)) }
        : { why: `preemption: ${first}, of the highest priority, does not preempt` };
  }
}

/** The chain if `lost` is the host that failed. */
function chainOf(model: KeepalivedModel, steps: readonly KeepalivedStep[], lost: string): ChainBounds {
  const bounds: Bounds[] = [];
  for (const [index, step] of steps.entries()) {
    const answer = stepOf(model, step, steps.slice(0, index), lost);
    if ('why' in answer) return answer;
    bounds.push(answer.bounds);
  }
  return { bounds };
}

/**
 * How long keepalived 2.3 takes for each of steps in a row, by its settings.
 *
 * Which host takes over depends on which one failed: `lost`. Undefined says that it is
 * not known yet, and the bounds are those over all hosts. A `lost` that is none of the
 * model's hosts tells nothing of VRRP: `why`.
 */
export function keepalivedBounds(
  model: KeepalivedModel,
  steps: readonly KeepalivedStep[],
  lost: string | undefined,
): ChainBounds {
  const hosts = ranked(model);
  if (lost !== undefined)
    return hosts.includes(lost)
      ? chainOf(model, steps, lost)
      : { why: `host ${lost} has no priority in the model` };
  const chains = hosts.map((host) => chainOf(model, steps, host));
  // The usual master's failure is what a chain is written for.
  const [usual] = chains;
  if (usual === undefined || 'why' in usual) return usual ?? { why: 'the model has no hosts' };
  const known = chains.flatMap((chain) => ('bounds' in chain ? [chain.bounds] : []));
  return {
    bounds: steps.map((_, i) => ({
      minMs: Math.min(...known.map((bounds) => bounds[i]?.minMs ?? 0)),
      maxMs: Math.max(...known.map((bounds) => bounds[i]?.maxMs ?? 0)),
    })),
  };
}
