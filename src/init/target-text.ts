import type { Stack } from './stack.ts';
import { yamlText } from './yaml-text.ts';

/** The target file of a stack, with comments for whoever goes on with it. */
export function targetText(stack: Stack, schema: string): string {
  const names = stack.hosts.map(({ name }) => yamlText(name)).join(', ');
  const health = healthProbe(stack);
  return `# yaml-language-server: $schema=${schema}
# What firedrill needs to know of the stack: its hosts, how it is looked at, and when it is whole. Touches nothing by itself.
# After a change: \`firedrill validate --as target\` and \`firedrill doctor --target\`.
name: ${yamlText(stack.name)}
# production wants --allow-production, and its name typed.
environment: staging

hosts:
${hostLines(stack).join('\n')}

probes:
  # What clients see: the outage is when this fails. Every second, and every 100 ms around the fault: a new connection each time.
  # \`firedrill plan\` prints the load of that. A burst on other probes does not narrow the bounds of the RTO.
  - id: service
    kind: http
    url: ${yamlText(stack.url)}
    burst: 100ms
    # body: ok                   # a regular expression that the body must match
    # connectTo: 10.0.0.11:443   # past the name's own addresses
  # ${health.comment}
  - id: node-health
    kind: ${health.kind}
    on: [${names}]
    interval: 2s
    timeout: 1500ms
    ${health.line}
${
  stack.vip === undefined
    ? ''
    : `  # Which host says that the address is its own.
  - id: vip-claim
    kind: vip-claim
    on: [${names}]
    timeout: 1500ms
    address: ${yamlText(stack.vip)}
`
}
${
  stack.vip === undefined
    ? `# Which host is what at this moment: faults may then say \`on: { role: active }\`.
# roles:
#   active: { probe: node-health, is: active }
`
    : `# Which host is what at this moment.
roles:
  active: { probe: vip-claim, is: 'yes' }

# Things that exactly one host should own: reports show who owned them when.
ownership:
  vip:
    claimed: { probe: vip-claim, is: 'yes' }
`
}
# Full redundancy: what must hold before a drill begins, and again at its end.
steady:
  for: 5s
  within: 2m
  require:
    - { probe: service }
    # Where it is right that the standby does not run it: add \`count: 1\`.
    - { probe: node-health }
${stack.vip === undefined ? '' : "    - { probe: vip-claim, is: 'yes', count: 1 }\n"}${
    stack.hosts.length < 2
      ? ''
      : `
# No fault hits the last host on which this holds, unless the scenario says \`leavesNoHealthyNode: true\`.
healthy: { probe: node-health }
`
  }
# When a drill is cut short and everything healed at once.
limits: { fault: 10m, outage: 10m }
`;
}

function hostLines({ transport, hosts }: Stack): string[] {
  const lines = hosts.map(({ name, address }) => {
    const host = yamlText(name);
    const at = yamlText(address);
    switch (transport) {
      case 'ssh':
        return `  ${host}: { transport: ssh, host: ${at}, address: ${at} }`;
      case 'docker':
        return `  ${host}: { transport: docker, container: ${host}, address: ${at} }`;
      case 'local':
        return `  ${host}: { transport: local, address: ${at} }`;
    }
  });
  return [`  # ${hostComments[transport]}`, ...lines];
}

const hostComments = {
  ssh: 'As `ssh ADDRESS` gets there. For commands as root: `user: root`, or `sudo: true` with NOPASSWD in sudoers.',
  docker: 'Commands run by `docker exec` in the container.',
  local: 'Commands run on this machine.',
} as const;

/** How a host is told to be well: by what the first fault takes away. */
function healthProbe({ fault }: Stack): {
  readonly kind: string;
  readonly line: string;
  readonly comment: string;
} {
  const { container, unit, process } = fault;
  if (container !== undefined) {
    return {
      kind: 'container',
      line: `name: ${yamlText(container)}`,
      comment: 'The container, as the engine of each host tells it.',
    };
  }
  if (unit !== undefined) {
    return {
      kind: 'exec',
      line: `argv: [systemctl, is-active, ${yamlText(unit)}]`,
      comment: 'Whether the unit runs, on each host.',
    };
  }
  if (process !== undefined) {
    return {
      kind: 'exec',
      line: `argv: [pgrep, -x, ${yamlText(process)}]`,
      comment: 'Whether the process is there, on each host.',
    };
  }
  return {
    kind: 'exec',
    line: "argv: ['true']",
    comment: 'Whether commands reach the host at all: say more, such as whether its service runs.',
  };
}
