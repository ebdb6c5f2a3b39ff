import type { Finding } from '../core/finding.ts';
import type { HostUse } from '../core/host-use.ts';
import type { HostName } from '../core/ids.ts';
import type { HostFacts } from './host-facts.ts';

/** A requirement of a probe or a fault for a host. */
export interface HostRequirement extends HostUse {
  /** What needs it: `fault service.stop`, `probe vip-arp`. */
  readonly by: string;
  /** True if a drill will use it: a missing requirement is then a failure. Otherwise it is only information. */
  readonly sure: boolean;
}

/** Debian packages of programs. */
export const packages: Readonly<Record<string, string>> = {
  arping: 'iputils-arping',
  ping: 'iputils-ping',
  ip: 'iproute2',
  tc: 'iproute2',
  iptables: 'iptables',
  'iptables-restore': 'iptables',
  docker: 'docker.io',
  pkill: 'procps',
  ps: 'procps',
  pgrep: 'procps',
  nsenter: 'util-linux',
  unshare: 'util-linux',
  'systemd-run': 'systemd',
  journalctl: 'systemd',
  tcpdump: 'tcpdump',
};

/** Compares a host's facts with the requirements. Pure. The name of each finding begins with the host's name. */
export function checkHost(
  host: HostName,
  facts: HostFacts,
  requirements: readonly HostRequirement[],
): readonly Finding[] {
  return [
    {
      name: `${host}: commands`,
      status: 'ok',
      observed: `as ${facts.uid === 0 ? 'root' : `user ${facts.uid}`}, kernel ${facts.kernel}`,
    },
    ...toolFindings(host, facts, requirements),
    ...lack(host, 'root', requirements, ({ root }) => root === true, facts.uid === 0, {
      found: 'root',
      missing: 'not root',
      hint: 'Log in as root, or set `sudo: true` (transport ssh) and add NOPASSWD for the user to sudoers.',
    }),
    ...lack(host, 'systemd', requirements, ({ systemd }) => systemd === true, facts.systemd, {
      found: 'the init system',
      missing: 'not the init system',
      hint: 'Use fault kinds that do not need systemd, or another host: without systemd, no timer undoes the fault.',
    }),
    ...lack(
      host,
      'docker engine',
      requirements,
      ({ engine }) => engine === true,
      facts.engine !== undefined,
      {
        found: facts.engine ?? '',
        missing: facts.engineError ?? 'no docker client',
        hint: 'Start the engine (`systemctl start docker`), or give the user access to its socket (root, or the group docker).',
      },
    ),
    ...lack(host, 'CAP_NET_RAW', requirements, ({ rawSockets }) => rawSockets === true, facts.rawSockets, {
      found: 'available',
      missing: 'missing',
      hint: 'Run the commands as root; a container needs `--cap-add NET_RAW`.',
    }),
    ...lack(host, 'sch_netem', requirements, ({ netem }) => netem === true, facts.netem !== false, {
      found:
        facts.netem === true
          ? 'in the kernel'
          : 'unknown: the kernel configuration cannot be read; the fault checks before it is injected',
      missing: 'not in this kernel',
      hint: 'Install the extra modules of the kernel (`linux-modules-extra-$(uname -r)` or `kernel-modules-extra`), or use another fault kind.',
    }),
  ];
}

function toolFindings(host: HostName, facts: HostFacts, requirements: readonly HostRequirement[]): Finding[] {
  const tools = [...new Set(requirements.flatMap(({ tools }) => tools))];
  const there = tools.filter((tool) => facts.tools.has(tool));
  const findings = tools
    .filter((tool) => !facts.tools.has(tool))
    .flatMap((tool) =>
      lack(host, tool, requirements, (requirement) => requirement.tools.includes(tool), false, {
        found: '',
        missing: 'not in PATH',
        hint: `Install ${packages[tool] === undefined ? 'it' : `the package ${packages[tool]}`} on ${host}.`,
      }),
    );
  if (there.length === 0) return findings;
  return [{ name: `${host}: tools`, status: 'ok', observed: there.sort().join(', ') }, ...findings];
}

/** The finding for one requirement. A missing one is a failure if a drill will use it. */
function lack(
  host: HostName,
  thing: string,
  requirements: readonly HostRequirement[],
  requested: (requirement: HostRequirement) => boolean,
  isThere: boolean,
  words: { readonly found: string; readonly missing: string; readonly hint: string },
): Finding[] {
  const by = requirements.filter(requested);
  if (by.length === 0) return [];
  const name = `${host}: ${thing}`;
  if (isThere) return [{ name, status: 'ok', observed: words.found }];
  const sure = by.filter((requirement) => requirement.sure);
  const whose = [...new Set((sure.length > 0 ? sure : by).map((requirement) => requirement.by))].join(', ');
  return [
    sure.length > 0
      ? { name, status: 'fail', observed: `${words.missing}; needed by ${whose}`, hint: words.hint }
      : {
          name,
          status: 'info',
          observed: `${words.missing}, so ${whose} cannot be used on this host`,
          hint: words.hint,
        },
  ];
}
