import { expect, test } from 'vitest';
import { parseHosts } from './hosts-file.ts';

test('a hosts file is parsed to addresses by name, in file order', () => {
  const hosts = parseHosts(`# comment
127.0.0.1\tlocalhost
::1 localhost ip6-localhost
198.18.0.10  LB.example.com lb # the balancer
198.18.0.11 lb
not-an-address lb
fe80::1%lo0 link-local
`);
  expect(hosts.get('localhost')).toEqual([
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ]);
  expect(hosts.get('lb.example.com')).toEqual([{ address: '198.18.0.10', family: 4 }]);
  expect(hosts.get('lb')?.map(({ address }) => address)).toEqual(['198.18.0.10', '198.18.0.11']);
  expect(hosts.has('the')).toBe(false);
});
