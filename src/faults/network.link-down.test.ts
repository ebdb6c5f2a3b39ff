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
  state: { interface: 'eth1', carrier: true, addresses: ['2001:db8::1/64'], routes: kept },
};

/** A Linux host with these IPv4 routes. */
const host = (routes: readonly string[] = routes4, eth1: readonly string[] = ['UP', 'LOWER_UP']) =>
  linuxHost((argv) => {
    const command = argv.join(' ');
    if (command.endsWith('-4 route show table all')) return { stdout: routes.join('\n') };
    if (command.endsWith('-6 route show table all')) return { stdout: routes6.join('\n') };
    if (command !== 'ip -j -d link show') return undefined;
    return { stdout: JSON.stringify([{ ifname: 'eth1', flags: eth1 }]) };
  });

describe('network.link-down', () => {
  test('notes what the kernel would not bring back, and what somebody else would not', async () => {
    const { state } = await networkLinkDown.before(params, faultContext(host()));
    expect(state).toEqual(before.state);
  });

  test('refuses an interface that is down, and one that is not there', async () => {
    await expect(networkLinkDown.before(params, faultContext(host(routes4, [])))).rejects.toMatchObject({
      code: 'fault-failed',
      message: 'alpha: eth1 is already down',
    });
    const missing = networkLinkDown.params.parse({ interface: 'wlan0' });
    await expect(networkLinkDown.before(missing, faultContext(host()))).rejects.toMatchObject({
      message: 'alpha: no network interface wlan0',
      mend: 'It has eth1: name one of them as `interface`.',
    });
  });

  test('refuses the interface by which commands come over SSH, and no other', async () => {
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

  test('switches off', async () => {
    const linux = host();
    await networkLinkDown.inject(params, before, faultContext(linux));
    expect(linux.commands).toEqual(['ip link set dev eth1 down']);
    await expect(networkLinkDown.effect(params, before, faultContext(host(routes4, [])))).resolves.toBe(true);
    await expect(networkLinkDown.effect(params, before, faultContext(host()))).resolves.toBe(false);
  });

  test('brings back the link, its addresses and its routes, those first that others need', async () => {
    const down = host(routes4.slice(0, 2), []);
    await expect(networkLinkDown.heal(params, before, faultContext(down))).rejects.toMatchObject({
      code: 'fault-failed',
    });
    expect(down.commands.find((command) => command.startsWith('/bin/sh')))
      .toBe(`/bin/sh -c ip link set dev eth1 up
ip -6 address replace 2001:db8::1/64 dev eth1
ip -4 route replace 203.0.113.1 dev eth1 scope link
ip -4 route replace 203.0.113.0/24 via 198.18.1.1 dev eth1 proto static metric 100`);
  });

  test('leaves a link alone that is whole again', async () => {
    const whole = host();
    await networkLinkDown.heal(params, before, faultContext(whole));
    expect(whole.commands.some((command) => command.startsWith('/bin/sh'))).toBe(false);
  });

  test.each([
    ['as it was', routes4, ['UP', 'LOWER_UP'], true],
    ['with a route missing', routes4.slice(0, 3), ['UP', 'LOWER_UP'], false],
    ['without a carrier', routes4, ['UP'], false],
    ['down', routes4, [], false],
  ])('an interface %s', async (_name, routes, flags, healed) => {
    await expect(networkLinkDown.healed(params, before, faultContext(host(routes, flags)))).resolves.toBe(
      healed,
    );
  });
});
