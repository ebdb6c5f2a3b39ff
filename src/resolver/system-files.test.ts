import { expect, test } from 'vitest';
import { parseHosts, searchList } from './system-files.ts';

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

const conf = 'nameserver 192.0.2.53\nsearch lab.example. example.org\noptions edns0 ndots:2\n';

test.each([
  ['db', 'nameserver 192.0.2.53', ['db']],
  ['db', conf, ['db.lab.example', 'db.example.org', 'db']],
  ['db.rack', conf, ['db.rack.lab.example', 'db.rack.example.org', 'db.rack']],
  ['db.rack.one', conf, ['db.rack.one', 'db.rack.one.lab.example', 'db.rack.one.example.org']],
  ['db.', conf, ['db']],
  ['db', 'search a\ndomain b', ['db.b', 'db']],
])('%s is queried along the search list', (name, text, names) => {
  expect(searchList(name, text)).toEqual(names);
});
