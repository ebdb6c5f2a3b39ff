import { DrillError } from '../core/errors.ts';
import type { ProbeId } from '../core/ids.ts';
import type { RunState } from './run-state.ts';

/**
 * The probe instance that measures the outage. @throws DrillError `invalid-input` if the fault's host has no
 * instance
 */
export function recoveryProbe({ plan, hostByFault }: Pick<RunState, 'plan' | 'hostByFault'>): ProbeId {
  const { probe, onFaultHost } = plan.recovery;
  const host = onFaultHost === true ? hostByFault.get(plan.faults[0]?.id ?? '') : undefined;
  const instance = plan.probes.find(
    (candidate) => candidate.name === probe && (host === undefined || candidate.host === host),
  );
  if (instance !== undefined) return instance.id;
  throw new DrillError('invalid-input', `probe ${probe} has no instance on ${host ?? 'any host'}`, {
    hint: `Add ${host ?? 'a host'} to the \`on\` of probe ${probe} in the target file.`,
  });
}
