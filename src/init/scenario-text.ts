import type { Stack } from './stack.ts';
import { yamlText } from './yaml-text.ts';

/** Name of the first scenario, and of its file. */
export function scenarioName({ fault }: Stack): string {
  return fault.kind.replaceAll('.', '-');
}

/** The first scenario of a stack. Its comments say what to change. */
export function scenarioText(stack: Stack, schema: string, target: string): string {
  const { fault, hosts, vip } = stack;
  const [first] = hosts;
  return `# yaml-language-server: $schema=${schema}
# Which fault, on which host, and what must hold. \`firedrill plan\` prints what the drill would do, and changes nothing.
name: ${scenarioName(stack)}
title: ${yamlText(`${fault.kind} on ${vip === undefined ? first?.name : 'the active host'}`)}
target: ${target}

faults:
${commentLines(stack)}  - kind: ${fault.kind}
    ${vip === undefined ? `on: ${yamlText(first?.name ?? '')} # or a role of the target: { role: active }` : 'on: { role: active } # resolved right before the fault'}
${faultLines(stack)
  .map((line) => `    ${line}\n`)
  .join('')}    # for: 30s      # heal this long after the effect; by default, after the recovery
    # jitter: 10s   # start up to this much later, drawn from --seed

recovery:
  probe: service # its failed samples are the outage
  within: 2m

redundancy:
  within: 5m

checks:
  - { kind: rto, max: 60s }
  - { kind: redundancy, max: 5m }
${vip === undefined ? '  # - { kind: role-moved, role: active }' : '  # - { kind: role-moved, role: active }   # if the other host must take over\n  - { kind: ownership, of: vip, side: claimed, state: multiple, max: 5s }'}
`;
}

/** What Docker does about each fault on a container, for a first reader. */
const containerComments: Readonly<Record<string, readonly string[]>> = {
  'process.kill': [
    'A crash: the process is killed in its container. If the container exits with it, the restart policy applies. The heal starts',
    'the container only if it stays down.',
  ],
  'container.kill': [
    'Docker counts `docker kill` as a stop by hand: no restart policy answers. The container stays down until the heal',
    '(`docker start`). For a crash that the restart policy answers, use process.kill.',
  ],
  'container.stop': [
    'Docker counts `docker stop` as a stop by hand: no restart policy answers. The process gets SIGTERM and may end in order. The',
    'container stays down until the heal (`docker start`). For a crash, use process.kill.',
  ],
  'container.restart': [
    'A planned restart: the process gets SIGTERM, and Docker starts the container again.',
  ],
  'container.pause': [
    'A hang: all processes of the container are frozen. The kernel still accepts connections, and no request gets an answer.',
  ],
};

function commentLines({ transport, fault }: Stack): string {
  const lines = transport === 'containers' ? (containerComments[fault.kind] ?? []) : [];
  return lines.map((line) => `  # ${line}\n`).join('');
}

function faultLines({ transport, fault, vip, hosts }: Stack): string[] {
  const { kind, unit, container, process } = fault;
  if (kind === 'network.partition') {
    // A host's own address in its list of peers has no effect, so one list fits each host that may be active.
    const peers = vip === undefined ? hosts.slice(1) : hosts;
    return [`peers: [${peers.map(({ name }) => `'\${address.${name}}'`).join(', ')}]`];
  }
  if (kind.startsWith('service.')) return [`units: [${yamlText(unit ?? '')}]`];
  return [
    ...(process === undefined ? [] : [`process: ${yamlText(process)}`]),
    ...(transport === 'containers' ? ["container: '${host}' # each host has the name of its container"] : []),
    ...(container === undefined ? [] : [`container: ${yamlText(container)}`]),
    ...(kind === 'process.kill' && unit !== undefined ? [`unit: ${yamlText(unit)}`] : []),
  ];
}
