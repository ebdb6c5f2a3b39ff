import { roundMs } from '../core/clock.ts';
import type { HostName } from '../core/ids.ts';
import type { KeepalivedModel, PredictionStep } from '../core/plan.ts';
import type { Bounds } from './bounds.ts';
import { checkBounds } from './check.ts';
import type { DurationMs } from '../core/time.ts';

/** The steps that a prediction can name for a keepalived model. */
export const keepalivedSteps = [
  'script-fall',
  'script-rise',
  'master-down',
  'priority-zero',
  'preemption',
] as const satisfies readonly PredictionStep[];

type KeepalivedStep = (typeof keepalivedSteps)[number];

/** The bounds of each step of a chain, or why the model's settings do not give them. */
export type ChainBounds = { readonly bounds: readonly Bounds[] } | { readonly why: string };

type StepBounds = { readonly bounds: Bounds } | { readonly why: string };

/**
 * Priorities of ordinary adverts. 0 announces that the master stops, 255 belongs to the address owner
 * (RFC 5798, 5.2.4).
 */
const lowestPriority = 1;
const highestPriority = 254;

/**
 * Skew_Time of a backup, ms: a higher priority gives a shorter time.
 *
 * VRRPv2 (RFC 3768, 6.1): (256 - Priority) / 256 seconds, whatever the advert interval.
 * VRRPv3 (RFC 5798, 6.1): ((256 - Priority) * Master_Adver_Interval) / 256.
 * keepalived uses the effective priority, after tracking (VRRP_TIMER_SKEW in vrrp.h).
 * Example: priority 90, advert interval 1 s: 166/256 s = 648.438 ms in both.
 */
export function skewMs({ version, advertIntervalMs }: KeepalivedModel, priority: number): DurationMs {
  return roundMs(((256 - priority) * (version === 2 ? 1000 : advertIntervalMs)) / 256);
}

/**
 * Master_Down_Interval, ms: 3 * advert interval + Skew_Time (RFC 3768 and 5798, 6.1). Assumes the default of
 * `down_timer_adverts` in keepalived.conf: 3.
 */
export function masterDownIntervalMs(model: KeepalivedModel, priority: number): DurationMs {
  return roundMs(3 * model.advertIntervalMs + skewMs(model, priority));
}

/**
 * Time from the moment at which the master stops sending adverts, or its priority falls below the backup's, to the
 * backup's first advert as master.
 *
 * The backup's timer runs from the last advert that it accepted. The master sent that advert up to one advert
 * interval before the event: [2 adverts + skew, 3 adverts + skew]. A backup that preempts discards adverts of a
 * lower priority than its own and does not restart its timer (vrrp_state_backup in vrrp.c). It does not act on the
 * first such advert. Example: priority 90, advert interval 1 s: 2.65 s to 3.65 s.
 */
function timerBounds(model: KeepalivedModel, priority: number): Bounds {
  const maxMs = masterDownIntervalMs(model, priority);
  return { minMs: roundMs(maxMs - model.advertIntervalMs), maxMs };
}

/**
 * A host's effective priority, 1 to 254. Tracking adds a positive weight while the script succeeds, a
 * negative one while it fails.
 */
function effectivePriority(model: KeepalivedModel, host: HostName, scriptOk: boolean): number {
  const weight = model.script?.weight ?? 0;
  const added = scriptOk ? Math.max(weight, 0) : Math.min(weight, 0);
  return Math.min(highestPriority, Math.max(lowestPriority, (model.priorities[host] ?? 0) + added));
}

/** Hosts of the model by priority. The first one wins an election among healthy hosts. */
function ranked(model: KeepalivedModel): readonly string[] {
  const priority = (host: HostName): number => model.priorities[host] ?? 0;
  return Object.keys(model.priorities).sort((a, b) => priority(b) - priority(a));
}

/**
 * Why no host takes over from a master whose script failed; undefined if one does. A backup takes over only if its
 * priority is above the master's and it preempts. With `nopreempt` it accepts adverts of any priority.
 */
function heldBy(model: KeepalivedModel, master: string, successor: string): string | undefined {
  const weight = model.script?.weight ?? 0;
  if (weight === 0)
    return `the script has weight 0, so its failure takes ${master} to FAULT, where keepalived sends priority 0: use step priority-zero instead of master-down`;
  const left = effectivePriority(model, master, false);
  const own = effectivePriority(model, successor, true);
  if (own <= left)
    return `weight ${weight} leaves ${master} at priority ${left}, which is not below ${successor} at ${own}: no host takes over`;
  return model.preempt.includes(successor)
    ? undefined
    : `${successor} does not preempt: it accepts adverts of ${master} at any priority`;
}

/** One step of a chain; `after` lists the steps before it. */
function stepOf(
  model: KeepalivedModel,
  step: KeepalivedStep,
  after: readonly KeepalivedStep[],
  lost: string,
): StepBounds {
  const { script } = model;
  const [first = '', second = ''] = ranked(model);
  const successor = lost === first ? second : first;
  const scriptFell = after.includes('script-fall');
  switch (step) {
    case 'script-fall':
    case 'script-rise':
      /*
       * Runs begin every `interval` (default 1 s). A run that is due while the last one is running is skipped
       * (vrrp_script_thread in vrrp_scheduler.c). One run with the opposite result restarts the count
       * (vrrp_script_child_thread; fall and rise are 1 by default). The last run of the count changes the
       * priority, or with weight 0 the state.
       */
      if (script === undefined) return { why: `${step}: the model has no script` };
      return { bounds: checkBounds(script, step === 'script-fall' ? 'fall' : 'rise') };
    case 'master-down': {
      const why = scriptFell ? heldBy(model, lost, successor) : undefined;
      return why === undefined
        ? { bounds: timerBounds(model, effectivePriority(model, successor, true)) }
        : { why };
    }
    case 'priority-zero': {
      // A master that stops or enters FAULT sends priority 0. Backups then wait for their skew only.
      if (scriptFell && script !== undefined && script.weight !== 0)
        return {
          why: `a script of weight ${script.weight} only lowers the priority, and keepalived sends no priority 0: use step master-down instead of priority-zero`,
        };
      const ms = skewMs(model, effectivePriority(model, successor, true));
      return { bounds: { minMs: ms, maxMs: ms } };
    }
    case 'preemption':
      /*
       * From the return of the full priority to master. A keepalived that kept running accepted the other
       * host's last advert up to one advert interval ago. A keepalived that was started, or left FAULT, waits
       * for the whole Master_Down_Interval. In both cases the timer uses the full priority
       * (vrrp_set_effective_priority).
       */
      return model.preempt.includes(first)
        ? { bounds: timerBounds(model, effectivePriority(model, first, true)) }
        : { why: `preemption: ${first} has the highest priority, but does not preempt` };
  }
}

/** The bounds of the chain if host `lost` failed. */
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
 * How long keepalived 2.3 takes for steps in sequence, by its settings.
 *
 * The host that takes over depends on the host that failed, `lost`. undefined: that host is unknown, and the bounds
 * cover all hosts. A `lost` that is not a host of the model gives `why`.
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
  // A chain describes the failure of the usual master, so its `why` is reported.
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
