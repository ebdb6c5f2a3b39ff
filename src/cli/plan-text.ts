import { describeCondition } from '../core/condition.ts';
import { formatMs } from '../core/duration.ts';
import type { Plan, PlannedHost } from '../core/plan.ts';
import { faultKind } from '../faults/catalog.ts';
import { probeKind } from '../probes/catalog.ts';

/** The plan in words, command by command, with the blast radius: what `firedrill plan` prints. */
export function planText(plan: Plan): string {
  const lines: string[] = [
    `${plan.scenario.name}: ${plan.scenario.title}`,
    `target ${plan.target.name} (${plan.target.environment}), ${plan.target.path}`,
    '',
    'Hosts',
    ...plan.hosts.map((host) => `  ${host.name.padEnd(12)} ${transportText(host)}`),
    '',
    'Probes',
    ...plan.probes.map((probe) => {
      const burst =
        probe.burstIntervalMs === undefined
          ? ''
          : `, every ${formatMs(probe.burstIntervalMs)} around the fault`;
      return `  ${probe.id.padEnd(24)} every ${formatMs(probe.intervalMs)}${burst}, time-out ${formatMs(probe.timeoutMs)}: ${oneLine(probeKind(probe.kind)?.describe(probe.params) ?? probe.kind)}`;
    }),
    '',
    `1. Steady state: for ${formatMs(plan.steady.forMs)}, within ${formatMs(plan.steady.withinMs)}`,
    ...plan.steady.require.map((condition) => `     ${describeCondition(condition)}`),
  ];
  for (const [i, fault] of plan.faults.entries()) {
    const text = faultKind(fault.kind)?.describe(fault.params);
    const on =
      'host' in fault.on
        ? `host ${fault.on.host}`
        : `the host that is ${fault.on.role} at that moment (${roleText(plan, fault.on.role)})`;
    lines.push(
      `${i + 2}. Fault ${fault.kind} on ${on}${fault.atMs === 0 ? '' : `, ${formatMs(fault.atMs)} after the steady state`}`,
      `     inject        ${text?.inject ?? ''}`,
      `     heal          ${text?.heal ?? ''}`,
      `     blast radius  ${text?.blastRadius ?? ''}`,
    );
  }
  const next = plan.faults.length + 2;
  lines.push(
    `${next}. Recovery: ${plan.recovery.probe} good for ${formatMs(plan.recovery.stableForMs)}, within ${formatMs(plan.recovery.withinMs)}`,
    `${next + 1}. Redundancy restored: for ${formatMs(plan.redundancy.forMs)}, within ${formatMs(plan.redundancy.withinMs)}`,
    ...plan.redundancy.require.map((condition) => `     ${describeCondition(condition)}`),
    '',
    'Checks',
    ...plan.checks.map((item) => `  ${item.name}`),
    '',
    'Every fault is healed in any case, in reverse order, and the heal is proven. Nothing was touched by this command.',
  );
  return `${lines.join('\n')}\n`;
}

function transportText(host: PlannedHost): string {
  switch (host.transport.kind) {
    case 'local':
      return 'this machine';
    case 'docker':
      return `docker exec ${host.transport.container}`;
  }
}

function roleText(plan: Plan, role: string): string {
  const condition = plan.roles[role];
  return condition === undefined
    ? 'unknown role'
    : describeCondition({ ...condition, count: { min: 1, max: 1 } });
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > 140 ? `${line.slice(0, 137)}...` : line;
}
