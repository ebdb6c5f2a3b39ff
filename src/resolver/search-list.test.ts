import { expect, test } from 'vitest';
import { searchList } from './search-list.ts';

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
