import { existsSync } from 'node:fs';
import { limitWords } from '../core/format-duration.ts';
import { DrillError } from '../core/errors.ts';
import type { PlannedFault } from '../core/plan.ts';
import { recoveryProbe } from './recovery-probe.ts';
import type { RunState } from './run-state.ts';

const lookEveryMs = 250;

/** What is watched while a drill runs. */
export interface SafetyOptions extends Pick<RunState, 'plan' | 'clock' | 'world' | 'open' | 'hit'> {
  /** A file that stops the drill as soon as it is there; undefined: none does. */
  readonly stopFile: string | undefined;
  /** Cuts the run short; everything is healed then. */
  readonly abort: (reason: DrillError) => void;
}

/**
 * Cuts a run short when the stop file appears, when a fault lasts longer than the target allows, or when the outage does.
 * Ends with the signal.
 */
export async function watchSafety(options: SafetyOptions, signal: AbortSignal): Promise<void> {
  const outage = outageLimit(options);
  while (!signal.aborted) {
    const reason = stopFileIn(options) ?? overdueFault(options) ?? outage();
    if (reason !== undefined) {
      options.abort(new DrillError('stopped', reason));
      return;
    }
    await options.clock.sleep(lookEveryMs, signal).catch(() => undefined);
  }
}

function stopFileIn({ stopFile }: SafetyOptions): string | undefined {
  return stopFile !== undefined && existsSync(stopFile) ? `the stop file ${stopFile} is there` : undefined;
}

function overdueFault({ open, clock, plan: { limits } }: SafetyOptions): string | undefined {
  const overdue = open.find(({ sinceMs }) => clock.nowMs() - sinceMs > limits.faultMs);
  return overdue === undefined
    ? undefined
    : `${overdue.record.faultId} has lasted for ${limitWords(limits.faultMs)}, the longest that the target allows`;
}

/** Says when the recovery probe has been bad without a break for longer than the limit, since a fault has hit. */
function outageLimit({ plan, world, hit }: SafetyOptions): () => string | undefined {
  const { outageMs } = plan.limits;
  let badSinceMs: number | undefined;
  return () => {
    // A preparation may make an outage that belongs to nobody's recovery.
    if (outageMs === undefined || !plan.faults.some(({ id }) => hit.has(id))) return undefined;
    // The outage is that of a host which is not known before its fault acts.
    if (plan.recovery.onFaultHost === true && !hit.has(plan.faults[0]?.id ?? '')) return undefined;
    const id = recoveryProbe({ plan, hit });
    const sample = world.fresh(id);
    if (sample?.status === 'fail') badSinceMs ??= sample.sendMs;
    else if (sample?.status === 'ok') badSinceMs = undefined;
    // Its latest look, not the present: where nothing is seen, nothing is said.
    const badMs = badSinceMs === undefined || sample === undefined ? 0 : sample.finishMs - badSinceMs;
    return badMs > outageMs
      ? `${id} has been bad for ${limitWords(outageMs)}, the longest outage that is allowed: healed at once`
      : undefined;
  };
}

/** A fault that hits the last node which can serve makes an outage that nobody recovers from: refused, unless the scenario means it. */
export function refuseLastHealthyNode(
  { plan, world, open }: Pick<RunState, 'plan' | 'world' | 'open'>,
  fault: PlannedFault,
  host: string,
): void {
  const { healthy, leavesNoHealthyNode } = plan;
  const ids = plan.faults.map(({ id }) => id);
  // Preparations are settings of a stack that has to be well with them.
  if (healthy === undefined || leavesNoHealthyNode === true || !ids.includes(fault.id)) return;
  const faults = open.filter(({ record }) => ids.includes(record.faultId));
  const hit = new Set([host, ...faults.map(({ record }) => record.host.name)]);
  const serving = world.hostsWith(healthy);
  if (!serving.includes(host) || serving.some((name) => !hit.has(name))) return;
  const others = hit.size === 1 ? '' : `, with faults on ${[...hit].join(' and ')}`;
  const what = `${healthy.probe} is ${healthy.is?.join(' or ') ?? 'ok'}`;
  throw new DrillError(
    'refused',
    `a fault on ${host} would leave no healthy node: ${what} on ${serving.join(', ')} only${others}`,
    {
      mend: 'Bring the other node up, or write `leavesNoHealthyNode: true` into the scenario if it is meant.',
    },
  );
}
