import type { ContainerReport } from '../../core/host.ts';
import { scriptedHost, type Script, type ScriptedHost } from './scripted-host.ts';

/**
 * A host with systemd, two interfaces that lead out (one of them with IPv6), and a Docker bridge. `script`
 * answers first. The host is a container with its own network, so no fault in it cuts firedrill's connection
 * to it.
 */
export function linuxHost(script: (argv: readonly string[]) => ReturnType<Script> | undefined): ScriptedHost {
  const host = scriptedHost((argv) => script(argv) ?? standard(argv.join(' ')));
  return { ...host, container: { name: 'alpha', inspect: () => Promise.resolve(ownNetwork) } };
}

const ownNetwork: ContainerReport = {
  status: 'running',
  startedAt: '2026-01-01T00:00:00Z',
  finishedAt: '0001-01-01T00:00:00Z',
  restartPolicy: 'no',
  sharesMachineNetwork: false,
};

const up = ['BROADCAST', 'UP', 'LOWER_UP'];
const links = [
  { ifname: 'lo', flags: ['LOOPBACK', 'UP', 'LOWER_UP'] },
  { ifname: 'eth0', flags: up, linkinfo: { info_kind: 'veth' } },
  { ifname: 'eth1', flags: up },
  { ifname: 'eth2', flags: ['BROADCAST'] },
  { ifname: 'docker0', flags: up, linkinfo: { info_kind: 'bridge' } },
  { ifname: 'veth1', flags: up, master: 'docker0', linkinfo: { info_kind: 'veth' } },
];
const addresses = [
  { ifname: 'lo', addr_info: [{ family: 'inet6', local: '::1', prefixlen: 128, scope: 'host' }] },
  { ifname: 'eth0', addr_info: [{ family: 'inet', local: '198.18.0.11', prefixlen: 24, scope: 'global' }] },
  {
    ifname: 'eth1',
    addr_info: [
      { family: 'inet6', local: '2001:db8::1', prefixlen: 64, scope: 'global' },
      { family: 'inet6', local: '2001:db8::77', prefixlen: 64, scope: 'global', dynamic: true },
      { family: 'inet6', local: 'fe80::1', prefixlen: 64, scope: 'link' },
    ],
  },
];

function standard(command: string): ReturnType<Script> {
  switch (command) {
    case 'ip -j -d link show':
      return { stdout: JSON.stringify(links) };
    case 'ip -j address show':
      return { stdout: JSON.stringify(addresses) };
    case 'ip -j -4 route show default':
      return { stdout: JSON.stringify([{ dst: 'default', dev: 'eth0' }]) };
    default:
      return command.startsWith('systemctl show') ? { stdout: 'inactive\n' } : {};
  }
}
