import type { Stack } from './stack.ts';
import { yamlText } from './yaml-text.ts';

/** Name of the first scenario, and of its file. */
export function scenarioName({ fault }: Stack): string {
  return fault.kind.replaceAll('.', '-');
}

/** The first scenario of a stack, with comments for whoever goes on with it. */
export function scenarioText(stack: Stack, schema: string, target: string): string {
  const { fault, hosts, vip } = stack;
  const [first] = hosts;
  return `# yaml-language-server: $schema=${schema}
# Which fault, on which host, and what must hold. \`firedrill plan\` says what would be done, and touches nothing.
name: ${scenarioName(stack)}
title: ${yamlText(`${fault.kind} on ${vip === undefined ? first?.name : 'the active host'}`)}
target: ${target}

faults:
  - kind: ${fault.kind}
    ${vip === undefined ? `on: ${yamlText(first?.name ?? '')} # or a role of the target: { role: active }` : 'on: { role: active } # found when the fault is about to happen'}
${faultLines(stack)
  .map((line) => `    ${line}\n`)
  .join('')}    # for: 30s      # heal so long after the effect; after the recovery by default
    # jitter: 10s   # up to so much later, drawn from --seed

recovery:
  probe: service # whose bad looks are the outage
  within: 2m

redundancy:
  within: 5m

checks:
  - { kind: rto, max: 60s }
  - { kind: redundancy, max: 5m }
${vip === undefined ? '  # - { kind: role-moved, role: active }' : '  # - { kind: role-moved, role: active }   # where the other host has to take over\n  - { kind: ownership, of: vip, side: claimed, state: multiple, max: 5s }'}
`;
}

function faultLines({ fault, vip, hosts }: Stack): string[] {
  const { kind, unit, container, process } = fault;
  if (kind === 'network.partition') {
    // Whichever host is hit: its own address on the list does no harm.
    const peers = vip === undefined ? hosts.slice(1) : hosts;
    return [`peers: [${peers.map(({ name }) => `'\${address.${name}}'`).join(', ')}]`];
  }
  if (kind.startsWith('service.')) return [`units: [${yamlText(unit ?? '')}]`];
  return [
    ...(process === undefined ? [] : [`process: ${yamlText(process)}`]),
    ...(container === undefined ? [] : [`container: ${yamlText(container)}`]),
    ...(kind === 'process.kill' && unit !== undefined ? [`unit: ${yamlText(unit)}`] : []),
  ];
}
