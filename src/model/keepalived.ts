import { roundMs } from '../core/clock.ts';
import type { Model, PredictionStep } from '../core/plan.ts';

/** How long something should take, ms: where in its cycle the event falls decides where between the two. */
export interface Bounds {
  readonly minMs: number;
  readonly maxMs: number;
}

/** What a model says of a chain of steps, or why they do not come about with its settings. */
export type Predicted = { readonly bounds: Bounds } | { readonly why: string };

type Script = NonNullable<Model['script']>;

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
export function skewMs({ version, advertIntervalMs }: Model, priority: number): number {
  return roundMs(((256 - priority) * (version === 2 ? 1000 : advertIntervalMs)) / 256);
}

/**
 * Master_Down_Interval: 3 * advert interval + Skew_Time (RFC 3768 and 5798, 6.1;
 * `down_timer_adverts` of keepalived.conf is taken to be its default, 3).
 */
export function masterDownIntervalMs(model: Model, priority: number): number {
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
function timerBounds(model: Model, priority: number): Bounds {
  const maxMs = masterDownIntervalMs(model, priority);
  return { minMs: roundMs(maxMs - model.advertIntervalMs), maxMs };
}

/**
 * From the moment at which a health script would first answer otherwise to the end of
 * the run that changes the priority (or the state, with weight 0).
 *
 * Runs begin every `interval` (default 1 s), however long they take; one that is due
 * while the last is still at work is left out (vrrp_script_thread in
 * vrrp_scheduler.c), so that a run that hangs until its time-out, by default the
 * interval, doubles the period. The `fall`th failure, or the `rise`th success, in a row
 * changes the state when its run ends; a single run that says otherwise starts the
 * count anew (vrrp_script_child_thread; both are 1 by default).
 *
 * Soonest, a run that is about to end sees it already; latest, one has just looked.
 * `runtimeMs` is that of a run that fails; one that succeeds takes less than an interval.
 * Example: interval 5 s, fall 2, runs of 200 ms: 5 s to 10.2 s.
 */
function scriptBounds(
  { intervalMs, runtimeMs, ...script }: Script,
  step: 'script-fall' | 'script-rise',
): Bounds {
  const failingMs = (Math.floor(runtimeMs / intervalMs) + 1) * intervalMs;
  if (step === 'script-fall') {
    const minMs = (script.fall - 1) * failingMs;
    return { minMs, maxMs: intervalMs + minMs + runtimeMs };
  }
  const minMs = (script.rise - 1) * intervalMs;
  return { minMs, maxMs: failingMs + minMs + Math.min(runtimeMs, intervalMs) };
}

/** A host's effective priority: tracking adds a positive weight while the script is well, a negative one when it failed, within 1 to 254. */
function effectivePriority(model: Model, host: string, scriptOk: boolean): number {
  const weight = model.script?.weight ?? 0;
  const added = scriptOk ? Math.max(weight, 0) : Math.min(weight, 0);
  return Math.min(highestPriority, Math.max(lowestPriority, (model.priorities[host] ?? 0) + added));
}

/** Hosts of the model, the one that wins an election among healthy ones first. */
function ranked(model: Model): readonly string[] {
  const priority = (host: string): number => model.priorities[host] ?? 0;
  return Object.keys(model.priorities).sort((a, b) => priority(b) - priority(a));
}

/**
 * Why no host takes over from a master whose script failed; undefined if one does.
 * A backup acts on a master's lower priority only if its own is above it, and if it
 * preempts: with `nopreempt` it accepts adverts of any priority.
 */
function heldBy(model: Model, master: string, heir: string): string | undefined {
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
  model: Model,
  step: PredictionStep,
  after: readonly PredictionStep[],
  lost: string,
): Predicted {
  const { script } = model;
  const [first = '', second = ''] = ranked(model);
  const heir = lost === first ? second : first;
  const scriptFell = after.includes('script-fall');
  switch (step) {
    case 'script-fall':
    case 'script-rise':
      if (script === undefined) return { why: `${step}: the model has no script` };
      return { bounds: scriptBounds(script, step) };
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
function chainOf(model: Model, steps: readonly PredictionStep[], lost: string): Predicted {
  let minMs = 0;
  let maxMs = 0;
  for (const [index, step] of steps.entries()) {
    const predicted = stepOf(model, step, steps.slice(0, index), lost);
    if ('why' in predicted) return predicted;
    minMs += predicted.bounds.minMs;
    maxMs += predicted.bounds.maxMs;
  }
  return { bounds: { minMs: roundMs(minMs), maxMs: roundMs(maxMs) } };
}

/**
 * How long keepalived 2.3 takes for steps in a row, by its settings.
 *
 * Which host takes over depends on which one failed: `lost`. Undefined says that it is
 * not known yet, and the bounds are those over all hosts. A `lost` that is none of the
 * model's hosts tells nothing of VRRP: `why`.
 */
export function predict(model: Model, steps: readonly PredictionStep[], lost: string | undefined): Predicted {
  const hosts = ranked(model);
  if (lost !== undefined)
    return hosts.includes(lost)
      ? chainOf(model, steps, lost)
      : { why: `host ${lost} has no priority in the model` };
  const chains = hosts.map((host) => chainOf(model, steps, host));
  const bounds = chains.flatMap((chain) => ('bounds' in chain ? [chain.bounds] : []));
  // The usual master's failure is what a chain is written for.
  const [usual] = chains;
  if (usual === undefined || 'why' in usual) return usual ?? { why: 'the model has no hosts' };
  return {
    bounds: {
      minMs: Math.min(...bounds.map((b) => b.minMs)),
      maxMs: Math.max(...bounds.map((b) => b.maxMs)),
    },
  };
}
