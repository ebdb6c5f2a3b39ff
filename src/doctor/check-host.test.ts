import { describe, expect, test } from 'vitest';
import { faultKinds } from '../faults/catalog.ts';
import { probeKinds } from '../probes/catalog.ts';
import { readFacts, type HostFacts } from './host-facts.ts';
import { checkHost, type HostRequirement } from './check-host.ts';

const whole: HostFacts = {
  uid: 0,
  kernel: '6.1.0',
  systemd: true,
  rawSockets: true,
  netem: true,
  engine: '20.10.24',
  engineError: undefined,
  tools: new Set(['systemctl', 'tcpdump']),
};

/** Name, status, and observation of the findings for one requirement. */
function judged(requirement: Partial<HostRequirement>, facts: Partial<HostFacts>): string[] {
  const requirements = [{ tools: [], by: 'fault x', sure: true, ...requirement }];
  return checkHost('node-1', { ...whole, ...facts }, requirements)
    .slice(1)
    .map(({ name, status, observed }) => `${status} ${name}: ${observed}`);
}

describe('the facts of a host', () => {
  test('are read line by line', () => {
    const text = `uid 1000
kernel 6.1.0-18-amd64
systemd yes
caps 00000000a80425fb
netem no
engine-error permission denied while trying to connect
tool ip
tool tc
`;
    expect(readFacts(text)).toEqual({
      uid: 1000,
      kernel: '6.1.0-18-amd64',
      systemd: true,
      rawSockets: true,
      netem: false,
      engine: undefined,
      engineError: 'permission denied while trying to connect',
      tools: new Set(['ip', 'tc']),
    });
  });

  test('may be nearly empty', () => {
    expect(readFacts('uid 0\ncaps 0000000000000000\n')).toMatchObject({
      uid: 0,
      rawSockets: false,
      netem: undefined,
      engine: undefined,
      systemd: false,
    });
  });
});

describe('a host', () => {
  test('that has everything has no failures', () => {
    const use = {
      tools: ['systemctl'],
      root: true,
      systemd: true,
      engine: true,
      rawSockets: true,
      netem: true,
    } as const;
    expect(judged(use, {})).toEqual([
      'ok node-1: tools: systemctl',
      'ok node-1: root: root',
      'ok node-1: systemd: the init system',
      'ok node-1: docker engine: 20.10.24',
      'ok node-1: CAP_NET_RAW: available',
      'ok node-1: sch_netem: in the kernel',
    ]);
  });

  test.each<[Partial<HostRequirement>, Partial<HostFacts>, string]>([
    [{ tools: ['arping'] }, {}, 'fail node-1: arping: not in PATH; needed by fault x'],
    [{ root: true }, { uid: 1000 }, 'fail node-1: root: not root; needed by fault x'],
    [{ systemd: true }, { systemd: false }, 'fail node-1: systemd: not the init system; needed by fault x'],
    [
      { engine: true },
      { engine: undefined, engineError: 'permission denied' },
      'fail node-1: docker engine: permission denied; needed by fault x',
    ],
    [{ rawSockets: true }, { rawSockets: false }, 'fail node-1: CAP_NET_RAW: missing; needed by fault x'],
    [{ netem: true }, { netem: false }, 'fail node-1: sch_netem: not in this kernel; needed by fault x'],
    [
      { netem: true },
      { netem: undefined },
      'ok node-1: sch_netem: unknown: the kernel configuration cannot be read; the fault checks before it is injected',
    ],
    [
      { root: true, sure: false, by: 'service.stop' },
      { uid: 1000 },
      'info node-1: root: not root, so service.stop cannot be used on this host',
    ],
  ])('with the requirement %j and the facts %j: %s', (requirement, facts, expected) => {
    expect(judged(requirement, facts)).toEqual([expected]);
  });

  test('has a hint for each missing tool, with the package if it is known', () => {
    const requirements: HostRequirement[] = [
      { tools: ['arping', 'mystack-role'], by: 'probe arp', sure: true },
    ];
    expect(checkHost('node-1', whole, requirements).flatMap(({ hint }) => hint ?? [])).toEqual([
      'Install the package iputils-arping on node-1.',
      'Install it on node-1.',
    ]);
  });
});

describe('every kind', () => {
  test('of fault that runs commands on its host declares what they need', () => {
    const silent = faultKinds.filter((kind) => kind.uses === undefined).map(({ kind }) => kind);
    expect(silent).toEqual(['power.cut', 'server.stop', 'server.reboot']);
  });

  test('of probe that runs commands declares what they need', () => {
    expect(probeKinds.filter((kind) => (kind.uses === undefined) !== (kind.lane === 'network'))).toEqual([]);
  });
});
