import { describe, expect, test } from 'vitest';
import { networkLinkDown } from './network.link-down.ts';
import { faultContext } from './testing/fault-context.ts';
import { linuxHost } from './testing/linux-host.ts';

const params = networkLinkDown.params.parse({ interface: 'eth1' });
const routes4 = [
  'default via 198.18.0.1 dev eth0 ',
  '198.18.0.0/24 dev eth0 proto kernel scope link src 198.18.0.11 ',
  '203.0.113.0/24 via 198.18.1.1 dev eth1 proto static metric 100 linkdown ',
  '203.0.113.1 dev eth1 scope link ',
  '192.0.2.0/24 via 198.18.1.9 dev eth1 proto bird metric 32 ',
  'local 198.18.1.11 dev eth1 table local proto kernel scope host src 198.18.1.11 ',
];
const routes6 = [
  'fe80::/64 dev eth1 proto kernel metric 256 pref medium',
  'default via fe80::99 dev eth1 proto ra metric 1024 expires 1700sec pref medium',
];
const kept = [
  '-4 203.0.113.1 dev eth1 scope link',
  '-4 203.0.113.0/24 via 198.18.1.1 dev eth1 proto static metric 100',
];
const before = {
  tag: 'ab12cd34',
  state: {
    interface: 'eth1',
    carrier: true,
    above: [],
    addresses: ['2001:db8::1/64'],
    routes: kept,
    neighbors: ['198.18.1.9 lladdr 02:00:00:00:00:09 dev eth1 nud permanent'],
  },
};
const neighbors = [
  '198.18.0.9 dev eth0 lladdr 02:00:00:00:00:08 PERMANENT ',
  '198.18.1.9 dev eth1 lladdr 02:00:00:00:00:09 PERMANENT ',
];

/** A Linux host with these IPv4 routes. */
const host = (
  routes: readonly string[] = routes4,
  eth1: readonly string[] = ['UP', 'LOWER_UP'],
  known: readonly string[] = neighbors,
) =>
  linuxHost((argv) => {
    const command = argv.join(' ');
    if (command.includes(' neighbor show ')) return { stdout: known.join('\n') };
    if (command.endsWith('-4 route show table all')) return { stdout: routes.join('\n') };
    if (command.endsWith('-6 route show table all')) return { stdout: routes6.join('\n') };
    if (command !== 'ip -j -d link show') return undefined;
    return { stdout: JSON.stringify([{ ifname: 'eth1', flags: eth1 }]) };
  });

describe('network.link-down', () => {
  test('records the entries that neither the kernel nor another program restores', async () => {
    const { state } = await networkLinkDown.before(params, faultContext(host()));
    expect(state).toEqual(before.state);
  });

  test('refuses an interface that is down, and one that does not exist', async () => {
    await expect(networkLinkDown.before(params, faultContext(host(routes4, [])))).rejects.toMatchObject({
      code: 'fault-failed',
      message: 'alpha: cannot switch eth1 off: it is already down',
    });
    const missing = networkLinkDown.params.parse({ interface: 'wlan0' });
    await expect(networkLinkDown.before(missing, faultContext(host()))).rejects.toMatchObject({
      message: 'alpha: no network interface wlan0',
      hint: 'Use one of its interfaces: eth1.',
    });
  });

  test('refuses the interface of its own SSH connection, and no other', async () => {
    const over = (dev: string) => {
      const { container: _, ...host } = linuxHost((argv) => {
        const command = argv.join(' ');
        if (command.includes('SSH_CONNECTION')) return { stdout: '198.18.0.1 50000 198.18.0.11 22\n' };
        return command.startsWith('ip -j route get') ? { stdout: JSON.stringify([{ dev }]) } : undefined;
      });
      return { ...host, transport: 'ssh alpha' };
    };
    await expect(networkLinkDown.before(params, faultContext(over('eth1')))).rejects.toMatchObject({
      code: 'fault-failed',
      message: expect.stringContaining("it would cut firedrill's own connection to the host") as string,
    });
    const { state } = await networkLinkDown.before(params, faultContext(over('eth0')));
    expect(state).toMatchObject({ interface: 'eth1' });
  });

  test('switches the interface off', async () => {
    const linux = host();
    await networkLinkDown.inject(params, before, faultContext(linux));
    expect(linux.commands).toEqual(['ip link set dev eth1 down']);
    await expect(networkLinkDown.effect(params, before, faultContext(host(routes4, [])))).resolves.toBe(true);
    await expect(networkLinkDown.effect(params, before, faultContext(host()))).resolves.toBe(false);
  });

  test('restores the link, its addresses, and its routes, in the order of their dependencies', async () => {
    const down = host(routes4.slice(0, 2), []);
    await expect(networkLinkDown.heal(params, before, faultContext(down))).rejects.toMatchObject({
      code: 'fault-failed',
    });
    expect(down.commands.find((command) => command.startsWith('/bin/sh')))
      .toBe(`/bin/sh -c ip link set dev eth1 up
ip -6 address replace 2001:db8::1/64 dev eth1
ip neighbor replace 198.18.1.9 lladdr 02:00:00:00:00:09 dev eth1 nud permanent
ip -4 route replace 203.0.113.1 dev eth1 scope link
ip -4 route replace 203.0.113.0/24 via 198.18.1.1 dev eth1 proto static metric 100`);
  });

  describe('with a VLAN on top of it', () => {
    const up = ['UP', 'LOWER_UP'];
    const own = '203.0.113.0/24 via 198.18.1.1 dev eth1 proto static ';
    const vlan = (there: readonly string[], flags = up) =>
      linuxHost((argv) => {
        const command = argv.join(' ');
        if (command.endsWith('-4 route show table all')) return { stdout: [own, ...there].join('\n') };
        if (command === 'ip -j address show')
          return {
            stdout: JSON.stringify([
              {
                ifname: 'eth1.5',
                addr_info: [{ family: 'inet6', local: '2001:db8:5::1', prefixlen: 64, scope: 'global' }],
              },
            ]),
          };
        if (command !== 'ip -j -d link show') return undefined;
        return {
          stdout: JSON.stringify([
            { ifname: 'eth1', flags: up },
            { ifname: 'eth1.5', link: 'eth1', flags, linkinfo: { info_kind: 'vlan' } },
            { ifname: 'eth1.6', link: 'eth1', flags: [], linkinfo: { info_kind: 'vlan' } },
          ]),
        };
      });
    const route = 'default via 198.18.5.9 dev eth1.5 proto static ';

    test('restores the VLAN too', async () => {
      const { tag, state } = await networkLinkDown.before(params, faultContext(vlan([route])));
      expect(state).toMatchObject({ above: ['eth1.5'], addresses: ['2001:db8:5::1/64 dev eth1.5'] });
      expect(networkLinkDown.undo?.(params, { tag, state })).toBe(`ip link set dev eth1 up
ip link set dev eth1.5 up
ip -6 address replace 2001:db8:5::1/64 dev eth1.5
ip -4 route replace 203.0.113.0/24 via 198.18.1.1 dev eth1 proto static
ip -4 route replace default via 198.18.5.9 dev eth1.5 proto static`);
      const isHealed = (now: ReturnType<typeof vlan>) =>
        networkLinkDown.healed(params, { tag, state }, faultContext(now));
      await expect(isHealed(vlan([route]))).resolves.toBe(true);
      await expect(isHealed(vlan([]))).resolves.toBe(false);
      await expect(isHealed(vlan([route], []))).resolves.toBe(false);
    });
  });

  test.each([
    [
      'a lifetime',
      '198.18.66.0/24 via 198.18.1.1 dev eth1 metric 1024 expires 9997sec pref medium',
      '-4 198.18.66.0/24 via 198.18.1.1 dev eth1 metric 1024 expires 9997 pref medium',
      '198.18.66.0/24 via 198.18.1.1 dev eth1 metric 1024 expires 9981sec pref medium',
    ],
    [
      'a nexthop object, which the kernel deletes with the link',
      '198.18.66.0/24 nhid 5 via 198.18.1.1 dev eth1 ',
      '-4 198.18.66.0/24 via 198.18.1.1 dev eth1',
      '198.18.66.0/24 via 198.18.1.1 dev eth1 ',
    ],
    [
      'several devices',
      '198.18.66.0/24 \\\tnexthop via 198.18.0.1 dev eth0 weight 1 \\\tnexthop via 198.18.1.1 dev eth1 weight 1 ',
      '-4 198.18.66.0/24 nexthop via 198.18.0.1 dev eth0 weight 1 nexthop via 198.18.1.1 dev eth1 weight 1',
      '198.18.66.0/24 \\\tnexthop via 198.18.0.1 dev eth0 weight 1 \\\tnexthop via 198.18.1.1 dev eth1 weight 1 linkdown ',
    ],
  ])('a route with %s', async (_, line, words, later) => {
    const noted = await networkLinkDown.before(params, faultContext(host([line])));
    expect(noted.state.routes).toEqual([words]);
    await expect(networkLinkDown.healed(params, noted, faultContext(host([later])))).resolves.toBe(true);
    await expect(networkLinkDown.healed(params, noted, faultContext(host([])))).resolves.toBe(false);
  });

  test('can be undone from a record of an older version', async () => {
    const { above: _above, neighbors: _neighbors, ...state } = before.state;
    const older = { ...before, state };
    await expect(networkLinkDown.healed(params, older, faultContext(host()))).resolves.toBe(true);
    expect(networkLinkDown.undo?.(params, older)).toMatch(/^ip link set dev eth1 up\nip -6 address/);
  });

  test('leaves a restored link alone', async () => {
    const whole = host();
    await networkLinkDown.heal(params, before, faultContext(whole));
    expect(whole.commands.some((command) => command.startsWith('/bin/sh'))).toBe(false);
  });

  test.each<[string, readonly string[], readonly string[], boolean, (readonly string[])?]>([
    ['as it was', routes4, ['UP', 'LOWER_UP'], true],
    ['with a route missing', routes4.slice(0, 3), ['UP', 'LOWER_UP'], false],
    ['without a carrier', routes4, ['UP'], false],
    ['down', routes4, [], false],
    ['with a neighbor missing', routes4, ['UP', 'LOWER_UP'], false, []],
  ])('an interface %s', async (_name, routes, flags, healed, known = neighbors) => {
    const now = faultContext(host(routes, flags, known));
    await expect(networkLinkDown.healed(params, before, now)).resolves.toBe(healed);
  });
});
