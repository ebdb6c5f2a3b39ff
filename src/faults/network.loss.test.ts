import { describe, expect, test } from 'vitest';
import { networkLoss } from './network.loss.ts';
import { faultContext } from './testing/fault-context.ts';
import { linuxHost } from './testing/linux-host.ts';

const stateOf = async (fields: object) =>
  (await networkLoss.before(networkLoss.params.parse(fields), faultContext(linuxHost(() => undefined))))
    .state;
const draw = (probability: string) => ['-m', 'statistic', '--mode', 'random', '--probability', probability];

describe('network.loss', () => {
  test('draws each packet of the peers', async () => {
    await expect(stateOf({ peers: ['198.18.0.12'], percent: 2.5, direction: 'out' })).resolves.toEqual({
      interfaces: [],
      rules: [
        {
          tool: 'iptables',
          direction: 'out',
          match: ['-d', '198.18.0.12', ...draw('0.025000000')],
          target: 'DROP',
        },
      ],
    });
  });

  test('without peers, draws all packets that enter or leave the host', async () => {
    const match = draw('1.000000000');
    await expect(stateOf({ percent: 100, direction: 'in' })).resolves.toEqual({
      interfaces: ['eth0', 'eth1'],
      rules: [
        { tool: 'iptables', direction: 'in', match, target: 'DROP' },
        { tool: 'ip6tables', direction: 'in', match, target: 'DROP' },
      ],
    });
  });

  test.each([0, -1, 100.1, 1e-9])('refuses %f percent', (percent) => {
    expect(networkLoss.params.safeParse({ percent }).success).toBe(false);
  });
});
