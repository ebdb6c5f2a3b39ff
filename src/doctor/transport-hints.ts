import type { Finding } from '../core/finding.ts';
import { installHint } from '../core/install-hint.ts';
import type { PlannedHost } from '../core/plan.ts';
import { packages } from './check-host.ts';

/**
 * A finding about what a host lacks, with the hint that fits the host's transport. The general hints are for machines over SSH:
 * nobody logs in to a plain container as root, and no engine belongs into it.
 */
export function fitHint(finding: Finding, host: PlannedHost): Finding {
  if (finding.hint === undefined) return finding;
  const hint = hintFor(host, finding.name.slice(`${host.name}: `.length));
  return hint === undefined ? finding : { ...finding, hint };
}

/** The hint for one lacking thing, by the last part of its finding's name; undefined if the general hint fits. */
function hintFor({ name, transport }: PlannedHost, thing: string): string | undefined {
  switch (transport.kind) {
    case 'ssh':
    case 'extension':
      return undefined;
    case 'local':
      return hereHints[thing] ?? toolHint(thing, { name, isThisMachine: true });
    case 'docker':
      return (
        containerHint(transport.container, thing) ??
        toolHint(thing, { name, container: { name: transport.container } })
      );
  }
}

const hereHints: Readonly<Record<string, string>> = {
  root: 'Run firedrill as root, for example with `sudo`.',
  'docker engine': 'Start the Docker engine, or run firedrill as root or as a user in the group `docker`.',
  docker: 'Install Docker on this machine, or set `on` to the machine that runs the containers.',
  CAP_NET_RAW: 'Run firedrill as root.',
};

function containerHint(container: string, thing: string): string | undefined {
  switch (thing) {
    case 'docker':
    case 'docker engine':
      return `Do not install Docker in ${container}. Set \`on\` to a host with \`transport: local\` (the machine of its engine) and name the container there: \`container: ${container}\` in a fault, \`name: ${container}\` in a probe.`;
    case 'systemd':
    case 'systemctl':
    case 'systemd-run':
      return `A plain container runs no systemd. To stop or crash ${container}, use container.stop, container.kill, container.pause, or process.kill on a host with \`transport: local\`, with \`container: ${container}\`.`;
    case 'root':
      return `Set \`user: root\` for ${container} in its Compose file; or use a fault on a host with \`transport: local\`, with \`container: ${container}\`.`;
    case 'CAP_NET_RAW':
      return `Add \`cap_add: [NET_RAW]\` to ${container} in its Compose file, or set the probe's \`from\` to another host.`;
    default:
      return undefined;
  }
}

/** Things that are no tools, and whose general hint fits each transport. */
const general: ReadonlySet<string> = new Set(['systemd', 'sch_netem', 'auto-revert']);

function toolHint(thing: string, host: Parameters<typeof installHint>[0]): string | undefined {
  return general.has(thing) ? undefined : installHint(host, packages[thing] ?? thing);
}
