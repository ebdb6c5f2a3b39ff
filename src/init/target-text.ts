import { clientProbeLines } from './client-probe.ts';
import type { Stack } from './stack.ts';
import { yamlText } from './yaml-text.ts';

/** The target file of a stack. Its comments say what to change. */
export function targetText(stack: Stack, schema: string): string {
  const names = stack.hosts.map(({ name }) => yamlText(name)).join(', ');
  const health = healthProbe(stack);
  return `# yaml-language-server: $schema=${schema}
# What firedrill needs to know about the stack: its hosts, its probes, and when it has full redundancy. It injects no faults.
# After a change, run \`firedrill validate --as target\` and \`firedrill doctor --target\`.
name: ${yamlText(stack.name)}
# \`production\` requires --allow-production and the target's name typed.
environment: ${stack.transport === 'containers' ? 'test' : 'staging'}

hosts:
${hostLines(stack).join('\n')}

probes:
  # What clients see. While it fails, there is an outage. A new connection each time: every second, and every 100 ms around the fault.
  # \`firedrill plan\` prints the load. The bounds of the RTO come from this probe; a burst on other probes does not narrow them.
  - id: service
${clientProbeLines(stack.url, stack.passwordEnv)
  .map((line) => `    ${line}`)
  .join('\n')}
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
    : `  # Whether a host has the virtual address on one of its interfaces.
  - id: vip-claim
    kind: vip-claim
    on: [${names}]
    timeout: 1500ms
    address: ${yamlText(stack.vip)}
`
}
${roleLines(stack)}
# Full redundancy: what must hold before a drill begins, and again at its end.
steady:
  for: 5s
  within: 2m
  require:
    - { probe: service }
    # If the standby does not run it by design, add \`count: 1\`.
    - { probe: node-health }
${stack.vip === undefined ? '' : "    - { probe: vip-claim, is: 'yes', count: 1 }\n"}${
    stack.hosts.length < 2
      ? ''
      : `
# No fault hits the last host on which this holds, unless the scenario has \`leavesNoHealthyNode: true\`.
healthy: { probe: node-health }
`
  }
# A drill that exceeds a limit is cut short, and everything is healed at once.
limits: { fault: 10m, outage: 10m }
`;
}

function hostLines({ transport, hosts }: Stack): string[] {
  const lines = hosts.map(({ name, address = '' }) => {
    const host = yamlText(name);
    const at = yamlText(address);
    switch (transport) {
      case 'ssh':
        return `  ${host}: { transport: ssh, host: ${at}, address: ${at} }`;
      case 'containers':
        return `  ${host}: { transport: local }`;
      case 'docker':
        return `  ${host}: { transport: docker, container: ${host}, address: ${at} }`;
      case 'local':
        return `  ${host}: { transport: local, address: ${at} }`;
    }
  });
  return [`  # ${hostComments[transport]}`, ...lines];
}

const hostComments = {
  ssh: 'firedrill connects as `ssh ADDRESS` would. For commands as root: `user: root`, or `sudo: true` with NOPASSWD in sudoers.',
  containers:
    'Plain containers: each host has the name of its container. Commands such as `docker kill` run on this machine.',
  docker: 'Commands run in the container, by `docker exec`.',
  local: 'Commands run on this machine.',
} as const;

/** Roles and ownership: by the virtual address if there is one, else as a comment to fill in. */
function roleLines({ transport, vip, hosts }: Stack): string {
  if (vip !== undefined)
    return `# Which host is active at this moment.
roles:
  active: { probe: vip-claim, is: 'yes' }

# Things that exactly one host should own: reports show who owned them when.
ownership:
  vip:
    claimed: { probe: vip-claim, is: 'yes' }
`;
  if (transport === 'containers')
    return `# Which container is active at this moment: a fault may then have \`on: { role: active }\`. The probe depends on the software.
# For PostgreSQL, add this probe and this role:
#  - id: pg-role
#    kind: exec
#    on: [${hosts.map(({ name }) => yamlText(name)).join(', ')}]
#    argv: [docker, exec, '\${host}', psql, -U, postgres, -Atc, SELECT pg_is_in_recovery()]
#    value: ^(t|f)$
# roles:
#   active: { probe: pg-role, is: f }
`;
  return `# Which host is active at this moment: a fault may then have \`on: { role: active }\`.
# roles:
#   active: { probe: node-health, is: active }
`;
}

/** The probe that shows whether a host is well: it looks at what the first fault acts on. */
function healthProbe({ transport, fault }: Stack): {
  readonly kind: string;
  readonly line: string;
  readonly comment: string;
} {
  const { container, unit, process } = fault;
  if (transport === 'containers') {
    return {
      kind: 'container',
      line: "name: '${host}'",
      comment:
        'The state of each container, as the engine reports it: good if running, or healthy where it has a health check.',
    };
  }
  if (container !== undefined) {
    return {
      kind: 'container',
      line: `name: ${yamlText(container)}`,
      comment: 'The state of the container, as the engine of each host reports it.',
    };
  }
  if (unit !== undefined) {
    return {
      kind: 'exec',
      line: `argv: [systemctl, is-active, ${yamlText(unit)}]`,
      comment: 'Whether the unit is active, on each host.',
    };
  }
  if (process !== undefined) {
    return {
      kind: 'exec',
      line: `argv: [pgrep, -x, ${yamlText(process)}]`,
      comment: 'Whether the process runs, on each host.',
    };
  }
  return {
    kind: 'exec',
    line: "argv: ['true']",
    comment: 'Whether commands reach the host. Replace it by a check of the service.',
  };
}
