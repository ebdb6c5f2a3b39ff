import { describe, expect, test } from 'vitest';
import type { DrillError } from '../../core/errors.ts';
import type { Host } from '../../core/host.ts';
import { faultContext } from '../testing/fault-context.ts';
import { scriptedHost } from '../testing/scripted-host.ts';
import { requireOwnConnection, type NetworkCut } from './own-connection.ts';
import type { FilterRule } from './packet-filter.ts';

const up = ['UP', 'LOWER_UP'];
const ports = { eth0: {}, eth1: {}, wg0: { linkinfo: { info_kind: 'wireguard' } } };

interface Network {
  /** The host's output for SSH_CONNECTION. */
  readonly connection?: string;
  /** Interfaces in addition to lo. */
  readonly links?: Readonly<Record<string, object>>;
  /** Addresses by interface. */
  readonly addresses?: Readonly<Record<string, readonly string[]>>;
  /** Output of `ip route get`, by the arguments after the addresses. */
  readonly routes?: (words: string) => object | undefined;
  readonly rules?: readonly object[];
  /** All routes of the host. */
  readonly paths?: readonly object[];
  /** Output of `ip xfrm policy`. Undefined: the kernel has no IPsec. */
  readonly ipsec?: string;
  /** Output of `iptables-save -t nat`. */
  readonly nat?: string;
}

/** A host that firedrill reaches over SSH from 203.0.113.9 through eth0, unless `network` changes that. */
function sshHost(network: Network = {}): Host {
  const {
    connection = '203.0.113.9 50000 192.0.2.11 22\n',
    links = ports,
    addresses = { eth0: ['192.0.2.11', '2001:db8::11'], eth1: ['198.51.100.11'] },
    routes = () => ({ dev: 'eth0' }),
    rules = [],
    paths = [],
    ipsec,
    nat,
  } = network;
  const host = scriptedHost((argv) => {
    const command = argv.join(' ');
    const found = command.startsWith('ip -j route get') ? routes(command) : undefined;
    if (command.startsWith('ip -j route get'))
      return found === undefined
        ? { exitCode: 2, stderr: 'RTNETLINK answers: Network is unreachable' }
        : { stdout: JSON.stringify([found]) };
    if (command.endsWith('route show table all')) return { stdout: JSON.stringify(paths) };
    if (command === 'ip xfrm policy' && ipsec !== undefined) return { stdout: ipsec };
    if (command === 'iptables-save -t nat' && nat !== undefined) return { stdout: nat };
    if (command.endsWith('rule show')) return { stdout: JSON.stringify(rules) };
    if (command === 'ip -j -d link show') {
      const named = Object.entries(links).map(([ifname, link]) => ({ ifname, flags: up, ...link }));
      return { stdout: JSON.stringify([{ ifname: 'lo', flags: ['LOOPBACK', ...up] }, ...named]) };
    }
    if (command === 'ip -j address show') {
      const of = Object.entries({ lo: ['127.0.0.1', '::1'], ...addresses });
      return {
        stdout: JSON.stringify(
          of.map(([ifname, list]) => ({ ifname, addr_info: list.map((local) => ({ family: '', local })) })),
        ),
      };
    }
    return command.includes('SSH_CONNECTION') ? { stdout: connection } : { exitCode: 127 };
  });
  return { ...host, transport: 'ssh alpha' };
}

const linkDown = (name: string): NetworkCut => ({ kind: 'link', interface: name });
const packets = (rules: readonly FilterRule[], interfaces: readonly string[] = []): NetworkCut => ({
  kind: 'packets',
  filter: { interfaces, rules },
});
const drop = (match: readonly string[], rest: Partial<FilterRule> = {}): FilterRule => ({
  tool: 'iptables',
  direction: 'in',
  match,
  target: 'DROP',
  ...rest,
});

/** iptables arguments that match this share of the packets. */
const lossOf = (share: number): readonly string[] => [
  '-m',
  'statistic',
  '--mode',
  'random',
  '--probability',
  share.toFixed(9),
];

/** `passes`, or the message of the refusal. */
async function ask(host: Host, cut: NetworkCut): Promise<string> {
  try {
    await requireOwnConnection(faultContext(host), 'network.any', cut);
    return 'passes';
  } catch (error) {
    const { code, message, hint } = error as DrillError;
    if (code !== 'fault-failed' || hint === undefined) return `not a refusal with a hint: ${message}`;
    return message.replace('alpha: network.any refused: ', '');
  }
}
const cut = /^it would cut firedrill's own connection to the host/;

describe('an interface', () => {
  test('is refused if the SSH connection uses it, and only then', async () => {
    await expect(ask(sshHost(), linkDown('eth0'))).resolves.toBe(
      "it would cut firedrill's own connection to the host (ssh alpha: 203.0.113.9 to 192.0.2.11 port 22, through eth0)",
    );
    await expect(ask(sshHost(), linkDown('eth1'))).resolves.toBe('passes');
  });

  test.each<[string, string, Network]>([
    [
      'the port of a bridge',
      'eth0',
      {
        links: { eth0: { master: 'br0' }, br0: { linkinfo: { info_kind: 'bridge' } } },
        addresses: { br0: ['192.0.2.11'] },
        routes: () => ({ dev: 'br0' }),
      },
    ],
    [
      'the parent of a VLAN',
      'eth0',
      {
        links: { eth0: {}, 'eth0.7': { link: 'eth0', linkinfo: { info_kind: 'vlan' } } },
        addresses: { 'eth0.7': ['192.0.2.11'] },
        routes: () => ({ dev: 'eth0.7' }),
      },
    ],
    [
      'a member of a bond below a VLAN',
      'eth3',
      {
        links: {
          eth3: { master: 'bond0' },
          bond0: { linkinfo: { info_kind: 'bond' } },
          'bond0.7': { link: 'bond0', linkinfo: { info_kind: 'vlan' } },
        },
        addresses: { 'bond0.7': ['192.0.2.11'] },
        routes: () => ({ dev: 'bond0.7' }),
      },
    ],
    [
      'a member of a team',
      'eth3',
      {
        links: { eth3: { master: 'team0' }, team0: { linkinfo: { info_kind: 'team' } } },
        addresses: { team0: ['192.0.2.11'] },
        routes: () => ({ dev: 'team0' }),
      },
    ],
    [
      'the parent of a macvlan',
      'eth0',
      {
        links: { eth0: {}, mv0: { link: 'eth0', linkinfo: { info_kind: 'macvlan' } } },
        addresses: { mv0: ['192.0.2.11'] },
        routes: () => ({ dev: 'mv0' }),
      },
    ],
    [
      'the target of a routing rule',
      'eth1',
      {
        routes: (words) => ({ dev: words.includes('from 192.0.2.11') ? 'eth1' : 'eth0' }),
      },
    ],
    [
      'the target of a routing rule for ports',
      'eth1',
      {
        routes: (words) => ({ dev: words.includes('ipproto tcp sport 22') ? 'eth1' : 'eth0' }),
      },
    ],
    [
      'the target of a routing rule for a mark',
      'eth1',
      {
        rules: [{ fwmark: '0x7' }],
        routes: (words) => ({ dev: words.includes('mark 0x7') ? 'eth1' : 'eth0' }),
      },
    ],
    [
      'the target of a routing rule for a TOS',
      'eth1',
      {
        rules: [{ tos: '0x08' }],
        routes: (words) => ({ dev: words.includes('tos 0x08') ? 'eth1' : 'eth0' }),
      },
    ],
    [
      'the interface with the address, if replies leave through another one',
      'eth0',
      {
        routes: () => ({ dev: 'eth1' }),
      },
    ],
    [
      'any interface below a tunnel',
      'eth1',
      {
        addresses: { wg0: ['192.0.2.11'] },
        routes: () => ({ dev: 'wg0' }),
      },
    ],
    [
      'another path of a multipath route',
      'eth1',
      { paths: [{ dst: 'default', nexthops: [{ dev: 'eth0' }, { dev: 'eth1' }] }] },
    ],
    [
      'a port behind the other end of a veth',
      'eth1',
      {
        links: {
          eth0: { link: 'p0', linkinfo: { info_kind: 'veth' } },
          p0: { link: 'eth0', master: 'br0', linkinfo: { info_kind: 'veth' } },
          eth1: { master: 'br0' },
          br0: { linkinfo: { info_kind: 'bridge' } },
        },
      },
    ],
    [
      'any interface, for an address on lo',
      'eth1',
      {
        addresses: { lo: ['192.0.2.11'] },
      },
    ],
    [
      'the VRF of the interface with the address',
      'mgmt',
      {
        links: { eth0: { master: 'mgmt' }, mgmt: { linkinfo: { info_kind: 'vrf' } } },
        routes: (words) => (words.includes('vrf mgmt') ? { dev: 'eth0' } : undefined),
      },
    ],
  ])('is refused if it is %s', async (_name, name, network) => {
    await expect(ask(sshHost(network), linkDown(name))).resolves.toMatch(cut);
  });

  test('of a virtual machine on the same bridge does not make the path unknown', async () => {
    const host = sshHost({
      links: {
        eth0: { master: 'br0' },
        eth1: {},
        vnet0: { master: 'br0', linkinfo: { info_kind: 'tun' } },
        br0: { linkinfo: { info_kind: 'bridge' } },
      },
      addresses: { br0: ['192.0.2.11'] },
      routes: () => ({ dev: 'br0' }),
    });
    await expect(ask(host, linkDown('eth1'))).resolves.toBe('passes');
  });

  test('is looked up without ports on a kernel without routing rules for ports', async () => {
    const host = sshHost({ routes: (words) => (words.includes('ipproto') ? undefined : { dev: 'eth0' }) });
    await expect(ask(host, linkDown('eth0'))).resolves.toMatch(cut);
  });

  test.each([
    [999, 'passes'],
    [1000, cut],
  ])('that is delayed by %d ms', async (delayMs, answer) => {
    await expect(ask(sshHost(), { kind: 'delay', interface: 'eth0', delayMs })).resolves.toMatch(answer);
    await expect(ask(sshHost(), { kind: 'delay', interface: 'eth1', delayMs })).resolves.toBe('passes');
  });
});

describe('packets', () => {
  test.each([
    [['-s', '203.0.113.9'], cut],
    [['-s', '203.0.113.0/24'], cut],
    [['-s', '0.0.0.0/0'], cut],
    [['-s', '203.0.113.9', '-p', '6'], cut],
    [['-s', '203.0.113.9', '-p', 'tcp', '--dport', '22'], cut],
    [['-s', '203.0.113.9', '-p', 'tcp', '--sport', '50000'], cut],
    [['-s', '203.0.113.9', '-m', 'statistic', '--mode', 'random', '--probability', '0.500000000'], cut],
    [['-s', '203.0.113.9', '--new-word', 'x'], cut],
    [['-s', '203.0.113.9', '-m', 'statistic', '--mode', 'random', '--probability', '0.300000000'], 'passes'],
    [['-s', '203.0.113.9', '-p', 'tcp', '--dport', '5432'], 'passes'],
    [['-s', '203.0.113.9', '-p', '112'], 'passes'],
    [['-s', '203.0.113.8/31'], cut],
    [['-s', '203.0.113.10/31'], 'passes'],
    [['-s', '198.51.100.0/24'], 'passes'],
  ])('%j', async (match, answer) => {
    await expect(ask(sshHost(), packets([drop(match)]))).resolves.toMatch(answer);
  });

  test.each([
    ['of one rule', [0.49], 'passes'],
    ['of one rule', [0.5], cut],
    ['of both directions, because a round trip passes both', [0.29, 0.29], 'passes'],
    ['of both directions, because a round trip passes both', [0.3, 0.3], cut],
  ])('that are dropped with a probability %s', async (_, shares, answer) => {
    const rules = shares.map((share, n) =>
      drop([n === 0 ? '-s' : '-d', '203.0.113.9', ...lossOf(share)], { direction: n === 0 ? 'in' : 'out' }),
    );
    await expect(ask(sshHost(), packets(rules))).resolves.toMatch(answer);
  });

  test('that pass several random rules are dropped by their combined probability', async () => {
    const rules = ['203.0.113.9', '203.0.113.0/24', '203.0.0.0/16'].map((peer) =>
      drop(['-s', peer, ...lossOf(0.3)]),
    );
    await expect(ask(sshHost(), packets(rules.slice(0, 1)))).resolves.toBe('passes');
    await expect(ask(sshHost(), packets(rules))).resolves.toMatch(cut);
  });

  test.each([
    ['-A PREROUTING -p tcp -m tcp --dport 2222 -j REDIRECT --to-ports 22', cut],
    [
      '-A PREROUTING -d 198.51.100.9/32 -p tcp -m tcp --dport 2222 -j DNAT --to-destination 192.0.2.11:22',
      cut,
    ],
    ['-A PREROUTING -p tcp -m multiport --dports 2222,2223 -j REDIRECT --to-ports 22', cut],
    ['-A PREROUTING -p tcp -m tcp ! --dport 80 -j REDIRECT --to-ports 20-30', cut],
    ['-A PREROUTING -p tcp -m tcp --dport 2223 -j REDIRECT --to-ports 22', 'passes'],
    ['-A PREROUTING -p tcp -m tcp --dport 2222 -j REDIRECT --to-ports 5432', 'passes'],
    ['-A DOCKER ! -i docker0 -p tcp -m tcp --dport 2222 -j DNAT --to-destination 172.17.0.2:22', 'passes'],
    ['', 'passes'],
  ])('that arrive at another port than the server’s: %s', async (rule, answer) => {
    const nat = `*nat\n:PREROUTING ACCEPT [0:0]\n${rule}\nCOMMIT\n`;
    const match = ['-s', '203.0.113.9', '-p', 'tcp', '--dport', '2222'];
    await expect(ask(sshHost({ nat }), packets([drop(match)]))).resolves.toMatch(answer);
  });

  test('of both directions are needed', async () => {
    const out = drop(['-d', '203.0.113.9'], { direction: 'out' });
    await expect(ask(sshHost(), packets([out]))).resolves.toMatch(cut);
    await expect(ask(sshHost(), packets([{ ...out, direction: 'in' }]))).resolves.toBe('passes');
  });

  test('that are allowed before the rest is dropped pass', async () => {
    const isolate = (allowed: string): NetworkCut =>
      packets(
        (['in', 'out'] as const).flatMap((direction) => [
          drop([direction === 'in' ? '-s' : '-d', allowed], { direction, target: 'RETURN' }),
          drop([], { direction }),
        ]),
        ['eth0'],
      );
    await expect(ask(sshHost(), isolate('203.0.113.0/24'))).resolves.toBe('passes');
    await expect(ask(sshHost(), isolate('203.0.113.7'))).resolves.toMatch(cut);
  });

  test('of other interfaces do not matter', async () => {
    await expect(ask(sshHost(), packets([drop([])], ['eth1']))).resolves.toBe('passes');
    await expect(ask(sshHost(), packets([drop([])], ['eth1', 'eth0']))).resolves.toMatch(cut);
  });

  describe('over IPv6', () => {
    const connection = '2001:db8:9::1 50000 2001:db8::11 22\n';
    const host = (gateway?: string): Host =>
      sshHost({ connection, routes: () => ({ dev: 'eth0', ...(gateway === undefined ? {} : { gateway }) }) });
    const drop6 = (match: readonly string[], rest: Partial<FilterRule> = {}): FilterRule =>
      drop(match, { tool: 'ip6tables', ...rest });

    test('are compared as addresses', async () => {
      await expect(ask(host(), packets([drop6(['-s', '2001:DB8:0009:0::1'])]))).resolves.toMatch(cut);
      await expect(ask(host(), packets([drop6(['-s', '2001:db8:8::/47'])]))).resolves.toMatch(cut);
      await expect(ask(host(), packets([drop(['-s', '0.0.0.0/0'])]))).resolves.toBe('passes');
    });

    test('include neighbor discovery of the next hop', async () => {
      for (const match of [
        ['-s', 'fe80::/10'],
        ['-s', 'fe80::1', '-p', '58'],
      ])
        await expect(ask(host('fe80::1'), packets([drop6(match)]))).resolves.toMatch(cut);
      const group = drop6(['-d', 'ff02::/16'], { direction: 'out' });
      await expect(ask(host('fe80::1'), packets([group]))).resolves.toMatch(cut);
      await expect(ask(host('fe80::1'), packets([drop6(['-s', 'fe80::2'])]))).resolves.toBe('passes');
    });
  });

  test('an IPv4 client of a socket for both families is an IPv4 client', async () => {
    const host = sshHost({ connection: '::ffff:203.0.113.9 50000 ::ffff:192.0.2.11 22\n' });
    await expect(ask(host, packets([drop(['-s', '203.0.113.9'])]))).resolves.toMatch(cut);
  });
});

describe('an unknown connection', () => {
  test.each<[string, Network, string]>([
    [
      'the SSH server sets no SSH_CONNECTION',
      { connection: '\n' },
      "the fault might cut firedrill's own connection: the host has no SSH_CONNECTION",
    ],
    [
      'the output contains only noise',
      { connection: 'Welcome to the host\n' },
      "the fault might cut firedrill's own connection",
    ],
    [
      'the output contains two connections',
      { connection: '203.0.113.9 50000 192.0.2.11 22\n198.51.100.9 50000 192.0.2.11 22\n' },
      "the fault might cut firedrill's own connection: the host has no SSH_CONNECTION",
    ],
    [
      'the client is the host itself',
      { connection: '198.51.100.11 50000 192.0.2.11 22\n' },
      "firedrill connects from the host's own address (198.51.100.11)",
    ],
    [
      'a tunnel ends on the host',
      { connection: '127.0.0.1 5 127.0.0.1 22\n' },
      "firedrill connects from the host's own address",
    ],
    [
      'in another namespace',
      { addresses: {} },
      'no interface of the host has the address of its SSH server (192.0.2.11)',
    ],
    ['without an interface', { routes: () => ({}) }, '`ip route get` names no interface for the route'],
  ])('is refused: %s', async (_name, network, message) => {
    await expect(ask(sshHost(network), linkDown('eth1'))).resolves.toContain(message);
  });

  test('noise around SSH_CONNECTION is ignored', async () => {
    const host = sshHost({ connection: 'Welcome\n203.0.113.9 50000 192.0.2.11 22\n' });
    await expect(ask(host, linkDown('eth1'))).resolves.toBe('passes');
  });

  test('is refused if the host cannot run the command', async () => {
    const error = await requireOwnConnection(
      faultContext(sshHost({ routes: () => undefined })),
      'k',
      linkDown('eth1'),
    ).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'fault-failed',
      message: expect.stringContaining('Network is unreachable') as unknown,
    });
  });
});

describe('without SSH', () => {
  const container = (sharesMachineNetwork: boolean, network = 'net:[4026532237]\n0-1'): Host => ({
    ...scriptedHost(() => ({ stdout: `${network}\n` })),
    container: {
      name: 'web',
      ownNetwork: 'net:[4026532000]\n0-1\n',
      inspect: () =>
        Promise.resolve({
          status: 'running',
          startedAt: '',
          finishedAt: '',
          restartPolicy: 'no',
          sharesMachineNetwork,
        }),
    },
  });

  test('a container with its own network may lose it', async () => {
    await expect(ask(container(false), linkDown('eth0'))).resolves.toBe('passes');
  });

  test("a container in its machine's network may not", async () => {
    await expect(ask(container(true), linkDown('eth0'))).resolves.toContain(
      'container web uses the network of its Docker host',
    );
  });

  test("a container in firedrill's own network may not", async () => {
    await expect(ask(container(false, 'net:[4026532000]\n0-1'), linkDown('eth0'))).resolves.toContain(
      'container web and firedrill itself are in the same network',
    );
  });

  test('the same namespace number on another machine is another network', async () => {
    await expect(ask(container(false, 'net:[4026532000]\n0-2'), linkDown('eth0'))).resolves.toBe('passes');
  });

  test.each(['', 'Welcome'])(
    'a container whose network namespace cannot be read may not: %j',
    async (said) => {
      await expect(
        requireOwnConnection(faultContext(container(false, said)), 'k', linkDown('eth0')),
      ).rejects.toThrow('cannot read the network namespace of container web');
    },
  );

  test('the machine that runs firedrill may not', async () => {
    const host = { ...scriptedHost(() => ({})), isThisMachine: true as const };
    await expect(ask(host, packets([drop(['-s', '203.0.113.9'])]))).resolves.toContain(
      'alpha is the machine that runs firedrill',
    );
  });
});

describe('a connection inside a tunnel', () => {
  const tunnel: Network = {
    addresses: { eth0: ['198.51.100.11'], wg0: ['192.0.2.11'] },
    routes: () => ({ dev: 'wg0' }),
  };
  const policy = (selector: string): string =>
    `${selector}\n\tdir out priority 0 ptype main\n\ttmpl src 198.51.100.11 dst 198.51.100.1\n\t\tproto esp reqid 0 mode tunnel\n`;
  const ipsec: Network = {
    ipsec: `${policy('src 10.0.0.0/8 dst 10.0.0.0/8')}${policy('src 192.0.2.0/24 dst 203.0.113.0/24')}`,
  };
  const end = ['-s', '198.51.100.1'];

  test.each([
    ['a tunnel', tunnel],
    [
      'a tunnel that is the port of a bridge',
      {
        ...tunnel,
        links: {
          eth0: {},
          wg0: { linkinfo: { info_kind: 'bridge' } },
          vx: { master: 'wg0', linkinfo: { info_kind: 'vxlan' } },
        },
      },
    ],
    ['IPsec', ipsec],
  ])('%s: its endpoint may be any peer', async (_, network) => {
    for (const match of [end, [...end, '-p', 'udp', '--dport', '53'], [...end, '-p', '50']])
      await expect(ask(sshHost(network), packets([drop(match)]))).resolves.toMatch(cut);
    await expect(ask(sshHost(network), packets([drop(end, { direction: 'out' })]))).resolves.toMatch(cut);
    await expect(ask(sshHost(network), packets([drop([...end, '-p', '112'])]))).resolves.toBe('passes');
    const loss = ['-m', 'statistic', '--mode', 'random', '--probability', '0.1'];
    await expect(ask(sshHost(network), packets([drop([...end, ...loss])]))).resolves.toBe('passes');
    await expect(ask(sshHost(network), linkDown('eth1'))).resolves.toMatch(cut);
  });

  test.each([
    [
      'an address on lo',
      {
        ...tunnel,
        links: { eth0: {}, wg0: { linkinfo: { info_kind: 'dummy' } } },
        routes: () => ({ dev: 'eth0' }),
      },
    ],
    ['IPsec to others', { ipsec: policy('src 192.0.2.0/24 dst 10.0.0.0/8') }],
    [
      'an IPsec policy without a transformation',
      { ipsec: 'src 0.0.0.0/0 dst 0.0.0.0/0\n\tsocket in priority 0 ptype main\n' },
    ],
  ])('%s is not a tunnel', async (_, network) => {
    await expect(ask(sshHost(network), packets([drop(end)]))).resolves.toBe('passes');
  });
});
