import { limitText } from '../core/format-duration.ts';
import type { Finding } from '../core/finding.ts';
import type { HostName } from '../core/ids.ts';
import type { PlannedFault } from '../core/plan.ts';
import type { Kinds } from '../core/kinds.ts';
import { builtInKinds } from '../extension/kinds.ts';
import type { HostFacts } from './host-facts.ts';

/**
 * Reports what undoes the faults of drills on this host if firedrill is killed or loses its connection. Pure.
 * @param steps the preparations and faults that may hit this host
 */
export function leaseFindings(
  host: HostName,
  facts: Pick<HostFacts, 'systemd' | 'uid'>,
  steps: readonly PlannedFault[],
  isThisMachine = false,
  kinds: Kinds = builtInKinds,
): readonly Finding[] {
  const name = `${host}: auto-revert`;
  const names = (some: readonly PlannedFault[]): string =>
    [...new Set(some.map(({ kind, id }) => `${kind} (${id})`))].join(', ');
  const leased = steps.filter(({ leaseMs }) => leaseMs !== undefined);
  const bare = steps.filter(({ kind, params }) => kinds.fault(kind)?.undoes?.(params) === false);
  const findings: Finding[] = [];
  if (leased.length > 0)
    findings.push({ name, ...timerFinding(facts, leased, names(leased), isThisMachine) });
  if (bare.length > 0)
    findings.push({
      name,
      status: 'warn',
      observed: `${names(bare)}: no \`undo\`, so neither the host nor \`firedrill heal\` undoes it`,
      hint: 'Add `undo` to this fault in the scenario, unless the fault ends by itself.',
    });
  return findings;
}

function timerFinding(
  { systemd, uid }: Pick<HostFacts, 'systemd' | 'uid'>,
  leased: readonly PlannedFault[],
  what: string,
  isThisMachine: boolean,
): Omit<Finding, 'name'> {
  if (!systemd)
    return {
      status: 'warn',
      observed: `no systemd, so nothing on the host undoes ${what} if firedrill is killed`,
      hint: 'If firedrill is killed, run `firedrill heal` at once. To have an auto-revert timer, use a host with systemd.',
    };
  if (uid !== 0 && isThisMachine)
    return {
      status: 'warn',
      observed: `not root, so nothing on this machine undoes ${what} if firedrill is killed`,
      hint: 'If firedrill is killed, run `firedrill heal` at once; or run firedrill as root.',
    };
  if (uid !== 0)
    return {
      status: 'fail',
      observed: `not root, so the systemd timer that undoes ${what} cannot be armed; the drill injects no fault without it`,
      hint: 'Log in as root, or set `sudo: true` (transport ssh) with NOPASSWD in sudoers.',
    };
  const leaseMs = Math.max(...leased.map((step) => step.leaseMs ?? 0));
  return {
    status: 'ok',
    observed: `a systemd timer undoes ${what} if firedrill is silent for ${limitText(leaseMs)}`,
  };
}
