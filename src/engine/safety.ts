import { existsSync } from 'node:fs';
import { limitText } from '../core/format-duration.ts';
import { DrillError } from '../core/errors.ts';
import type { FaultId, HostName } from '../core/ids.ts';
import type { PlannedFault } from '../core/plan.ts';
import { recoveryProbe } from './recovery-probe.ts';
import type { RunState } from './run-state.ts';
import type { RunMs } from '../core/time.ts';

const checkEveryMs = 250;

/** Inputs of the safety watch. */
export interface SafetyOptions extends Pick<
  RunState,
  'plan' | 'clock' | 'observer' | 'activeFaults' | 'hostByFault'
> {
  /** The drill stops when this file exists; undefined: no stop file. */
  readonly stopFile: string | undefined;
  /** Stops the run; then everything is healed. */
  readonly abort: (reason: DrillError) => void;
}

/**
 * Stops a run when the stop file exists, or when a fault or the outage lasts longer than its limit. Ends with
 * the signal.
 */
export async function watchSafety(options: SafetyOptions, signal: AbortSignal): Promise<void> {
  const outage = outageLimit(options);
  while (!signal.aborted) {
    const reason = stopFileIn(options) ?? overdueFault(options) ?? outage();
    if (reason !== undefined) {
      options.abort(new DrillError('stopped', reason));
      return;
    }
    await options.clock.sleep(checkEveryMs, signal).catch(() => undefined);
  }
}

function stopFileIn({ stopFile }: SafetyOptions): string | undefined {
  return stopFile !== undefined && existsSync(stopFile) ? `a stop file exists: ${stopFile}` : undefined;
}

function overdueFault({ activeFaults: open, clock, plan: { limits } }: SafetyOptions): FaultId | undefined {
  const overdue = open.find(({ sinceMs }) => clock.nowMs() - sinceMs > limits.faultMs);
  return overdue === undefined
    ? undefined
    : `${overdue.record.faultId} lasted longer than its limit of ${limitText(limits.faultMs)} (\`limits.fault\`)`;
}

/**
 * Returns a check of whether the recovery probe, since the first fault, has failed without interruption for
 * longer than the limit.
 */
function outageLimit({ plan, observer, hostByFault }: SafetyOptions): () => string | undefined {
  const { outageMs } = plan.limits;
  let badSinceMs: RunMs | undefined;
  return () => {
    // An outage during a preparation does not belong to a fault's recovery.
    if (outageMs === undefined || !plan.faults.some(({ id }) => hostByFault.has(id))) return undefined;
    // The probe instance is that of the fault's host, which is unknown before the fault acts.
    if (plan.recovery.onFaultHost === true && !hostByFault.has(plan.faults[0]?.id ?? '')) return undefined;
    const id = recoveryProbe({ plan, hostByFault });
    const sample = observer.latest(id);
    if (sample?.status === 'fail') badSinceMs ??= sample.sendMs;
    else if (sample?.status === 'ok') badSinceMs = undefined;
    // Measured up to the latest sample, not to the present: without a sample, the state is unknown.
    const badMs = badSinceMs === undefined || sample === undefined ? 0 : sample.finishMs - badSinceMs;
    return badMs > outageMs
      ? `${id} failed for longer than the limit of ${limitText(outageMs)} (\`limits.outage\`)`
      : undefined;
  };
}

/**
 * Refuses a fault on the last healthy node, because the stack could not recover from it, unless the scenario
 * allows it.
 */
export function refuseLastHealthyNode(
  { plan, observer, activeFaults: open }: Pick<RunState, 'plan' | 'observer' | 'activeFaults'>,
  fault: PlannedFault,
  host: HostName,
): void {
  const { healthy, leavesNoHealthyNode } = plan;
  const ids = plan.faults.map(({ id }) => id);
  // Preparations change settings of a stack that stays healthy.
  if (healthy === undefined || leavesNoHealthyNode === true || !ids.includes(fault.id)) return;
  const faults = open.filter(({ record }) => ids.includes(record.faultId));
  const hostByFault = new Set([host, ...faults.map(({ record }) => record.host.name)]);
  const serving = observer.hostsWith(healthy);
  if (!serving.includes(host) || serving.some((name) => !hostByFault.has(name))) return;
  const others = hostByFault.size === 1 ? '' : `, with faults on ${[...hostByFault].join(' and ')}`;
  const what = `${healthy.probe} is ${healthy.is?.join(' or ') ?? 'ok'}`;
  throw new DrillError(
    'refused',
    `a fault on ${host} would leave no healthy node: ${what} on ${serving.join(', ')} only${others}`,
    {
      hint: 'Start the other node, or set `leavesNoHealthyNode: true` in the scenario if this is intended.',
    },
  );
}
