import { describe, expect, test } from 'vitest';
import { networkPartition } from './network.partition.ts';
import { faultContext } from './testing/fault-context.ts';
import { linuxHost } from './testing/linux-host.ts';

const peers = ['198.18.0.12'];
const parse = (fields: object = {}) => networkPartition.params.parse({ peers, ...fields });
type Before = Awaited<ReturnType<typeof networkPartition.before>>;

/** A Linux host on which `iptables -S` prints `rules`. */
const host = (rules = '', script: (command: string) => { exitCode: number } | undefined = () => undefined) =>
  linuxHost((argv) => {
    const command = argv.join(' ');
    if (command === 'iptables -w -t mangle -S') return { stdout: `-P PREROUTING ACCEPT\n${rules}` };
    return script(command);
  });

async function beforeOf(fields: object = {}): Promise<Before> {
  const before = await networkPartition.before(parse(fields), faultContext(host()));
  return { ...before, tag: 'ab12cd34' };
}

/** The rules that an injection adds. */
async function rulesOf(fields: object): Promise<string[]> {
  const linux = host();
  await networkPartition.inject(parse(fields), await beforeOf(fields), faultContext(linux));
  return linux.inputs.flatMap((text) => text.split('\n')).filter((line) => /^-[AI]/.test(line));
}

const policies = '-P PREROUTING ACCEPT\n-P POSTROUTING ACCEPT\n';
const inForce = `${policies}-N firedrill-ab12cd34-in
-N firedrill-ab12cd34-out
-A PREROUTING ! -i lo -m comment --comment "firedrill:ab12cd34" -j firedrill-ab12cd34-in
-A POSTROUTING ! -o lo -m comment --comment "firedrill:ab12cd34" -j firedrill-ab12cd34-out
-A firedrill-ab12cd34-in -s 198.18.0.12/32 -m comment --comment "firedrill:ab12cd34" -j DROP
-A firedrill-ab12cd34-out -d 198.18.0.12/32 -m comment --comment "firedrill:ab12cd34" -j DROP
`;

describe('network.partition', () => {
  test('applies all rules at once', async () => {
    const linux = host();
    await networkPartition.inject(parse(), await beforeOf(), faultContext(linux));
    expect(linux.commands).toEqual(['iptables-restore -w --noflush']);
    expect(linux.inputs).toEqual([
      `*mangle
:firedrill-ab12cd34-in - [0:0]
:firedrill-ab12cd34-out - [0:0]
-A firedrill-ab12cd34-in -s 198.18.0.12 -m comment --comment firedrill:ab12cd34 -j DROP
-A firedrill-ab12cd34-out -d 198.18.0.12 -m comment --comment firedrill:ab12cd34 -j DROP
-I PREROUTING 1 ! -i lo -m comment --comment firedrill:ab12cd34 -j firedrill-ab12cd34-in
-I POSTROUTING 1 ! -o lo -m comment --comment firedrill:ab12cd34 -j firedrill-ab12cd34-out
COMMIT
`,
    ]);
  });

  test('cuts one direction, and ports at either end', async () => {
    const rules = await rulesOf({ direction: 'in', ports: [{ port: 53, protocol: 'udp' }] });
    expect(rules).toEqual([
      '-A firedrill-ab12cd34-in -s 198.18.0.12 -p udp --sport 53 -m comment --comment firedrill:ab12cd34 -j DROP',
      '-A firedrill-ab12cd34-in -s 198.18.0.12 -p udp --dport 53 -m comment --comment firedrill:ab12cd34 -j DROP',
      '-I PREROUTING 1 ! -i lo -m comment --comment firedrill:ab12cd34 -j firedrill-ab12cd34-in',
    ]);
  });

  describe('of IP protocols', () => {
    /** The rules that drop packets, without their common arguments. */
    const dropped = async (fields: object): Promise<string[]> =>
      (await rulesOf(fields)).flatMap(
        (rule) => /^-A firedrill-ab12cd34-(.*) -m comment --comment \S+ -j DROP$/.exec(rule)?.[1] ?? [],
      );

    test('matches them by protocol number', async () => {
      await expect(dropped({ direction: 'in', protocols: ['icmp', 'tcp', 'udp', 47] })).resolves.toEqual([
        'in -s 198.18.0.12 -p 1',
        'in -s 198.18.0.12 -p 6',
        'in -s 198.18.0.12 -p 17',
        'in -s 198.18.0.12 -p 47',
      ]);
      await expect(
        dropped({ direction: 'in', protocols: ['icmp', 'udp'], peers: ['2001:db8::2'] }),
      ).resolves.toEqual(['in -s 2001:db8::2 -p 58', 'in -s 2001:db8::2 -p 17']);
    });

    test('drops VRRP adverts to the peers and to the group, and adverts from the peers', async () => {
      await expect(dropped({ protocols: ['vrrp'] })).resolves.toEqual([
        'in -s 198.18.0.12 -p 112',
        'out -d 198.18.0.12 -p 112',
        'out -d 224.0.0.18 -p 112',
      ]);
    });

    test('passes the host’s own adverts with `direction: in`', async () => {
      await expect(dropped({ protocols: ['vrrp'], direction: 'in' })).resolves.toEqual([
        'in -s 198.18.0.12 -p 112',
      ]);
      await expect(dropped({ protocols: ['vrrp'], direction: 'out' })).resolves.toEqual([
        'out -d 198.18.0.12 -p 112',
        'out -d 224.0.0.18 -p 112',
      ]);
    });

    test('treats the authentication header as VRRP, a number like its name, and no other protocol like either', async () => {
      await expect(
        dropped({
          protocols: ['vrrp', 112, 51, 'icmp'],
          direction: 'out',
          peers: ['198.18.0.12', '198.18.0.13'],
        }),
      ).resolves.toEqual([
        'out -d 198.18.0.12 -p 112',
        'out -d 198.18.0.12 -p 51',
        'out -d 198.18.0.12 -p 1',
        'out -d 198.18.0.13 -p 112',
        'out -d 198.18.0.13 -p 51',
        'out -d 198.18.0.13 -p 1',
        'out -d 224.0.0.18 -p 112',
        'out -d 224.0.0.18 -p 51',
      ]);
    });

    test('drops adverts to the group of each address family with a peer', async () => {
      const both = { protocols: ['vrrp'], direction: 'out', peers: ['198.18.0.12', 'fe80::2'] };
      await expect(dropped(both)).resolves.toEqual([
        'out -d 198.18.0.12 -p 112',
        'out -d 224.0.0.18 -p 112',
        'out -d fe80::2 -p 112',
        'out -d ff02::12 -p 112',
      ]);
    });

    test('refuses a protocol that ip6tables cannot match', async () => {
      const fields = { protocols: [51], peers: ['2001:db8::2'] };
      await expect(networkPartition.before(parse(fields), faultContext(host()))).rejects.toMatchObject({
        code: 'fault-failed',
        message: 'alpha: cannot match protocol 51 over IPv6: it is an extension header',
      });
    });

    test('reports whose adverts it drops', () => {
      expect(networkPartition.describe(parse({ protocols: ['vrrp', 'icmp', 47] }))).toMatchObject({
        inject: expect.stringContaining(
          'drop packets of vrrp, icmp, protocol 47 from and to 198.18.0.12, and to the VRRP group',
        ) as string,
        blastRadius:
          'traffic of the host and its containers with 198.18.0.12; no host receives its VRRP adverts',
      });
      const deaf = networkPartition.describe(parse({ protocols: ['vrrp'], direction: 'in' }));
      expect(deaf.inject).toMatch(/drop packets of vrrp from 198\.18\.0\.12$/);
      expect(deaf.blastRadius).toBe('traffic of the host and its containers with 198.18.0.12');
    });

    test.each([
      [{ protocols: ['vrrp'], ports: [{ port: 53 }] }, ['protocols'], /^cannot be combined with `ports`/],
      [{ protocols: ['vrpp'] }, ['protocols', 0], /^expected vrrp, icmp, tcp, udp, or the number/],
      [{ protocols: [0] }, ['protocols', 0], /^expected vrrp, icmp, tcp, udp, or the number/],
      [{ protocols: [256] }, ['protocols', 0], /^expected vrrp, icmp, tcp, udp, or the number/],
      [{ protocols: [] }, ['protocols'], /^Too small/],
    ])('are refused in %j', (fields, path, message) => {
      const { error } = networkPartition.params.safeParse({ peers, ...fields });
      expect(error?.issues).toMatchObject([{ path, message: expect.stringMatching(message) as string }]);
    });
  });

  test('cuts IPv6 peers with ip6tables, and no other peers', async () => {
    const linux = linuxHost(() => undefined);
    const fields = { peers: ['198.18.0.12', '2001:db8::2'] };
    await networkPartition.inject(parse(fields), await beforeOf(fields), faultContext(linux));
    expect(linux.commands).toEqual(['iptables-restore -w --noflush', 'ip6tables-restore -w --noflush']);
    expect(linux.inputs[0]).not.toContain('2001:db8::2');
    expect(linux.inputs[1]).not.toContain('198.18.0.12');
  });

  test('treats every spelling of an address as the same peer', async () => {
    const fields = { peers: ['2001:DB8:0::2', '2001:db8::2/128', '::ffff:198.18.0.12'], direction: 'in' };
    const rules = (await rulesOf(fields)).filter((rule) => rule.startsWith('-A'));
    expect(rules.map((rule) => rule.split(' ').slice(2, 4).join(' ')).sort()).toEqual([
      '-s 198.18.0.12',
      '-s 2001:db8::2',
    ]);
  });

  test('changes nothing before it is injected', async () => {
    const linux = host();
    await networkPartition.before(parse(), faultContext(linux));
    expect(linux.commands).toEqual([
      'test -d /run/systemd/system',
      'ip -j address show',
      'iptables-restore -w --noflush --test',
      'iptables -w -t mangle -S',
    ]);
  });

  test.each([
    ['no systemd', {}, 'test -d', /^alpha: cannot arm the auto-revert timer: no systemd runs on the host/],
    ['no iptables', {}, 'iptables-restore', /^alpha: `iptables-restore .*` exited 1/],
    ['no mangle table', {}, 'iptables -w', /^alpha: `iptables -w -t mangle -S` exited 1/],
    [
      'a name',
      { peers: ['${address.db}'] },
      '-',
      /^alpha: cannot build packet rules: "\$\{address\.db\}" is not an IP address or CIDR$/,
    ],
    [
      'the host itself',
      { peers: ['198.18.0.11'] },
      '-',
      /^alpha: cannot cut the host off from 198\.18\.0\.11: this is its own address$/,
    ],
    [
      'the host itself as a network',
      { peers: ['198.18.0.11/32'] },
      '-',
      /^alpha: cannot cut the host off from 198\.18\.0\.11: this is its own address$/,
    ],
    [
      'the host itself in another spelling',
      { peers: ['2001:DB8:0::1'] },
      '-',
      /^alpha: cannot cut the host off from 2001:db8::1: this is/,
    ],
  ])('refuses a host or a peer: %s', async (_name, fields, failing, message) => {
    const linux = linuxHost((argv) => (argv.join(' ').startsWith(failing) ? { exitCode: 1 } : undefined));
    await expect(networkPartition.before(parse(fields), faultContext(linux))).rejects.toMatchObject({
      code: 'fault-failed',
      message: expect.stringMatching(message) as string,
    });
  });

  test('refuses a peer that is not an address when it reads the file', () => {
    expect(networkPartition.params.safeParse({ peers: ['node-2'] }).success).toBe(false);
    expect(networkPartition.params.safeParse({ peers: ['198.18.0.0/33'] }).success).toBe(false);
    expect(networkPartition.params.safeParse({ peers: ['fe80::2%eth0'] }).success).toBe(false);
    expect(
      networkPartition.params.safeParse({ peers: ['${address.standby}', '198.18.0.0/24'] }).success,
    ).toBe(true);
  });

  test('is in effect when every rule exists', async () => {
    const before = await beforeOf();
    const record = (rules: string) => networkPartition.effect(parse(), before, faultContext(host(rules)));
    await expect(record(inForce)).resolves.toBe(true);
    await expect(record(inForce.replace(/^-A PREROUTING.*\n/m, ''))).resolves.toBe(false);
    await expect(record(inForce.replaceAll('ab12cd34', 'ffffffff'))).resolves.toBe(false);
  });

  test('heals with the script of its timer', async () => {
    const before = await beforeOf();
    let rules = inForce;
    const linux = linuxHost((argv) => {
      if (argv.includes('-S')) return { stdout: rules };
      if (argv[0] === '/bin/sh') rules = policies;
      return undefined;
    });
    await networkPartition.heal(parse(), before, faultContext(linux));
    const script = networkPartition.undo?.(parse(), before);
    expect(linux.commands.filter((command) => command.startsWith('/bin/sh'))).toEqual([
      `/bin/sh -c ${script}`,
    ]);
    expect(script)
      .toBe(`iptables -w -t mangle -D PREROUTING '!' -i lo -m comment --comment firedrill:ab12cd34 -j firedrill-ab12cd34-in
iptables -w -t mangle -D POSTROUTING '!' -o lo -m comment --comment firedrill:ab12cd34 -j firedrill-ab12cd34-out
iptables -w -t mangle -F firedrill-ab12cd34-in
iptables -w -t mangle -F firedrill-ab12cd34-out
iptables -w -t mangle -X firedrill-ab12cd34-in
iptables -w -t mangle -X firedrill-ab12cd34-out
left=$(iptables -w -t mangle -S) || exit
case $left in *firedrill-ab12cd34-*) exit 1 ;; esac`);
  });

  test('reports rules that its undo does not remove', async () => {
    const linux = host(inForce);
    await expect(networkPartition.heal(parse(), await beforeOf(), faultContext(linux))).rejects.toMatchObject(
      {
        code: 'fault-failed',
        message:
          'alpha: cannot undo network.partition ab12cd34: it is still in effect after its undo script (exit 0)',
      },
    );
  });

  test('ignores rules without its tag', async () => {
    const linux = host(inForce.replaceAll('ab12cd34', 'ffffffff'));
    await networkPartition.heal(parse(), await beforeOf(), faultContext(linux));
    expect(linux.commands.some((command) => command.startsWith('/bin/sh'))).toBe(false);
  });

  test('is healed when no rule is left', async () => {
    const before = await beforeOf();
    await expect(networkPartition.healed(parse(), before, faultContext(host()))).resolves.toBe(true);
    await expect(networkPartition.healed(parse(), before, faultContext(host(inForce)))).resolves.toBe(false);
  });
});
