import type { Finding } from '../core/finding.ts';
import type { HostUse } from '../core/host-use.ts';
import type { HostFacts } from './host-facts.ts';

/** Something that a host is wanted for. */
export interface Want extends HostUse {
  /** Who wants it: `fault service.stop`, `probe vip-arp`. */
  readonly by: string;
  /** It will be used for sure: what is missing is a failure. Otherwise it is told which kinds cannot be used here. */
  readonly sure: boolean;
}

/** Packages of Debian that bring a program, where its name does not say so. */
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

/** Judges what a host says of itself by what it is wanted for: pure. A name of a finding begins with that of the host. */
export function judgeHost(host: string, facts: HostFacts, wants: readonly Want[]): readonly Finding[] {
  return [
    {
      name: `${host}: commands`,
      status: 'ok',
      observed: `as ${facts.uid === 0 ? 'root' : `user ${facts.uid}`}, kernel ${facts.kernel}`,
    },
    ...toolFindings(host, facts, wants),
    ...lack(host, 'root', wants, ({ root }) => root === true, facts.uid === 0, {
      found: 'root',
      missing: 'not root',
      mend: 'Log in as root, or say `sudo: true` (transport ssh) and let sudoers ask for no password (NOPASSWD).',
    }),
    ...lack(host, 'systemd', wants, ({ systemd }) => systemd === true, facts.systemd, {
      found: 'the init system',
      missing: 'not the init system',
      mend: 'No timer could undo a fault there: use kinds of faults that need none, or another host.',
    }),
    ...lack(host, 'docker engine', wants, ({ engine }) => engine === true, facts.engine !== undefined, {
      found: facts.engine ?? '',
      missing: facts.engineError ?? 'no docker client',
      mend: 'Start the engine, or let the user reach its socket (root, or the group docker).',
    }),
    ...lack(host, 'CAP_NET_RAW', wants, ({ rawSockets }) => rawSockets === true, facts.rawSockets, {
      found: 'there',
      missing: 'missing',
      mend: 'Run the commands as root; a container needs `--cap-add NET_RAW`.',
    }),
    ...lack(host, 'sch_netem', wants, ({ netem }) => netem === true, facts.netem !== false, {
      found:
        facts.netem === true ? 'in the kernel' : 'the host cannot tell; the fault finds out before it acts',
      missing: 'not in this kernel',
      mend: 'Install the kernel’s extra modules (linux-modules-extra, kernel-modules-extra), or use another fault.',
    }),
  ];
}

function toolFindings(host: string, facts: HostFacts, wants: readonly Want[]): Finding[] {
  const tools = [...new Set(wants.flatMap(({ tools }) => tools))];
  const there = tools.filter((tool) => facts.tools.has(tool));
  const findings = tools
    .filter((tool) => !facts.tools.has(tool))
    .flatMap((tool) =>
      lack(host, tool, wants, (want) => want.tools.includes(tool), false, {
        found: '',
        missing: 'not on the path',
        mend: `Install ${packages[tool] === undefined ? 'it' : `the package ${packages[tool]}`} on ${host}.`,
      }),
    );
  if (there.length === 0) return findings;
  return [{ name: `${host}: tools`, status: 'ok', observed: there.sort().join(', ') }, ...findings];
}

/** One thing that some want: a failure where one of them will use it for sure. */
function lack(
  host: string,
  thing: string,
  wants: readonly Want[],
  wanted: (want: Want) => boolean,
  isThere: boolean,
  words: { readonly found: string; readonly missing: string; readonly mend: string },
): Finding[] {
  const by = wants.filter(wanted);
  if (by.length === 0) return [];
  const name = `${host}: ${thing}`;
  if (isThere) return [{ name, status: 'ok', observed: words.found }];
  const sure = by.filter((want) => want.sure);
  const whose = [...new Set((sure.length > 0 ? sure : by).map((want) => want.by))].join(', ');
  return [
    sure.length > 0
      ? { name, status: 'fail', observed: `${words.missing}; needed by ${whose}`, mend: words.mend }
      : { name, status: 'info', observed: `${words.missing}: no ${whose} there`, mend: words.mend },
  ];
}
