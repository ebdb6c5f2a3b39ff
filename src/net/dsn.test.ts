import { expect, test } from 'vitest';
import { parseDsn } from './dsn.ts';

test.each([
  ['postgresql://u@db1:5433/app', { host: 'db1', port: 5433, user: 'u', database: 'app' }],
  ['postgres://u@db1', { host: 'db1', port: 5432, user: 'u', database: 'u' }],
  ['postgresql://u@[2001:db8::1]:5432/app', { host: '2001:db8::1' }],
  ['postgresql://u@[fe80::1%25eth0]/app', { host: 'fe80::1%eth0' }],
  ['postgresql://u%40corp@db1/my%20db', { user: 'u@corp', database: 'my db' }],
  ['postgresql://u@DB1.Example/app', { host: 'DB1.Example' }],
  ['postgresql://u@db_1.internal./app', { host: 'db_1.internal.' }],
  ['postgresql://u@bücher.example/app', { host: 'xn--bcher-kva.example' }],
  ['postgresql://u@b%C3%BCcher.example/app', { host: 'xn--bcher-kva.example' }],
  ['postgresql://u@db%2D1/app', { host: 'db-1' }],
  ['postgresql://u@192.0.2.3/app', { host: '192.0.2.3' }],
  ['postgresql://u@db1/a%2Fb', { database: 'a/b' }],
])('reads %s', (text, parts) => {
  expect(parseDsn(text)).toMatchObject(parts);
});

test.each([
  ['postgresql://u@db1,db2/app', /multiple hosts.*write one probe for each host/],
  ['postgresql://u@db1:5432,db2:5432/app', /multiple hosts/],
  ['postgresql://u@db1%2Cdb2/app', /multiple hosts/],
  ['postgresql://u@%2Fvar%2Frun%2Fpostgresql/app', /it names a Unix socket/],
  ['postgresql:///app?host=/var/run/postgresql', /options do not belong in the DSN/],
  ['postgresql://u%ZZ@db1/app', /"u%ZZ" is not percent-encoded/],
  ['postgresql://u@db%ZZ/app', /"db%ZZ" is not percent-encoded/],
  ['postgresql://u@db1/100%', /"100%" is not percent-encoded/],
  ['postgresql://u@192.0.2.300/app', /"192.0.2.300" is not a host name or an IP address/],
  ['postgresql://u@db..1/app', /is not a host name/],
  [`postgresql://u@${'d'.repeat(64)}/app`, /is not a host name/],
  [`postgresql://u@${'db.'.repeat(85)}/app`, /is not a host name/],
  ['postgresql://u%00@db1/app', /"u%00" contains a NUL character \(%00\), which PostgreSQL does not allow/],
  ['postgresql://u@db1/app%00options', /"app%00options" contains a NUL/],
  ['postgresql://u@-db/app', /is not a host name/],
  ['postgresql://u@db1:0/app', /port 0 is not between 1 and 65535/],
  ['postgresql://u@db1:99999/app', /port 99999/],
  ['postgresql://u@db1:5432x/app', /port 5432x/],
  ['postgresql://u@fe80::1/app', /write an IPv6 address in brackets/],
  ['postgresql://u@2001:db8::1:5432/app', /write an IPv6 address in brackets/],
  ['postgresql://u@[db1]/app', /\[db1\] is not an IPv6 address/],
  ['postgresql://u@db1:5432//app', /as %2F/],
  ['postgresql://u@db1 /app', /^expected postgresql/],
  ['host=db1 user=u dbname=app', /^expected postgresql/],
  ['service=prod', /^expected postgresql/],
  ['jdbc:postgresql://db1:5432/app', /only postgresql:\/\/ is supported/],
  ['postgresql+psycopg2://u@db1/app', /only postgresql/],
  ['postgresql://u:p@db1/app', /a password does not belong in the DSN/],
  ['postgresql://u:p@db1,db2/app', /a password does not belong in the DSN/],
  ['postgresql://db1/app', /^expected postgresql/],
])('refuses %s', (text, words) => {
  expect(parseDsn(text)).toMatchObject({ problem: expect.stringMatching(words) });
});
