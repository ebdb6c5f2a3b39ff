import { describe, expect, test } from 'vitest';
import { fingerprint, judgeHostKey, knownTypes, parseKnownHosts, type HostName } from './known-hosts.ts';

const first = 'AAAAC3NzaC1lZDI1NTE5AAAAIFZTPepw6B7o3fZesY0rwYRQp8/QZqlTXeweonl86pSO';
const second = 'AAAAC3NzaC1lZDI1NTE5AAAAID4mPsMCF4Lrn1lJ376GQ9F1aGHLIWunREWRqVAmpGRY';
const ecdsa =
  'AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBLeYj3RahcgGQ+Ke/hqJGDed/26P3LSl1bOKwWuTWNeaaIR0et35OnLz74th9ejAl6QCe0ZppUEyMvWVle34F2U=';
/** `node-1` and `[node-1]:2222`, hashed with `ssh-keygen -H`. */
const hashed = '|1|+MrZ4jncPbdqCoYQJIxfIoQRSlM=|jDnwWf8DHC2RdFaIPZr/b1iOVII=';
const hashedPort = '|1|g72Z6gGFPn5SdQqeOk6HKxD6DTA=|96kJl2DPlsZkq5qgABASyn4B5WY=';

const node: HostName = { host: 'node-1', port: 22 };
const otherPort: HostName = { host: 'node-1', port: 2222 };

function judge(lines: readonly string[], name: HostName, key = first): string {
  const { entries, broken } = parseKnownHosts(lines.join('\n'), 'kh');
  expect(broken).toEqual([]);
  return judgeHostKey(entries, name, Buffer.from(key, 'base64')).kind;
}

describe('parseKnownHosts', () => {
  test('parses lines with and without markers, and skips comments and blank lines', () => {
    const text = [
      '# a comment',
      '',
      `node-1,10.0.0.1 ssh-ed25519 ${first} of node 1`,
      `\t@revoked * ssh-ed25519 ${second}\r`,
      `@cert-authority *.example ecdsa-sha2-nistp256\t${ecdsa}`,
    ].join('\n');
    const { entries, broken } = parseKnownHosts(text, '/kh');
    expect(broken).toEqual([]);
    expect(entries.map(({ marker, hosts, type, file, line }) => [marker, hosts, type, file, line])).toEqual([
      [undefined, 'node-1,10.0.0.1', 'ssh-ed25519', '/kh', 3],
      ['revoked', '*', 'ssh-ed25519', '/kh', 4],
      ['cert-authority', '*.example', 'ecdsa-sha2-nistp256', '/kh', 5],
    ]);
  });

  test('returns invalid lines separately, with the reason', () => {
    const text = [
      'node-1',
      `@other node-1 ssh-ed25519 ${first}`,
      'node-1 1024 35 1395',
      `node-1 ssh-rsa ${first}`,
      'node-1 ssh-ed25519 AAAA',
      'node-1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5',
      `|1|short|hash ssh-ed25519 ${first}`,
      `node-1 ssh-ed25519 ${first}`,
    ].join('\n');
    const { entries, broken } = parseKnownHosts(text, 'kh');
    expect(entries.map((entry) => entry.line)).toEqual([8]);
    expect(broken.map(({ line, why }) => `${line}: ${why}`)).toEqual([
      '1: expected: names, key type, key',
      '2: unknown marker @other',
      '3: a key of SSH protocol 1',
      '4: the key is not one of type ssh-rsa',
      '5: the key is not one of type ssh-ed25519',
      '6: the key is not one of type ssh-ed25519',
      '7: a hashed name that is cut or damaged',
    ]);
  });
});

describe('judgeHostKey', () => {
  test('finds a host by name or address, in upper or lower case', () => {
    const lines = [`Node-1,10.0.0.1 ssh-ed25519 ${first}`];
    expect(judge(lines, node)).toBe('known');
    expect(judge(lines, { host: 'NODE-1', port: 22 })).toBe('known');
    expect(judge(lines, { host: '10.0.0.1', port: 22 })).toBe('known');
    expect(judge(lines, { host: '10.0.0.10', port: 22 })).toBe('unknown');
    expect(judge([], node)).toBe('unknown');
  });

  test('finds hashed names, with and without a port', () => {
    expect(judge([`${hashed} ssh-ed25519 ${first}`], node)).toBe('known');
    expect(judge([`${hashed} ssh-ed25519 ${first}`], { host: 'node-2', port: 22 })).toBe('unknown');
    expect(judge([`${hashedPort} ssh-ed25519 ${first}`], otherPort)).toBe('known');
    expect(judge([`${hashedPort} ssh-ed25519 ${first}`], node)).toBe('unknown');
  });

  test('looks up a host on another port as [host]:port', () => {
    expect(judge([`[node-1]:2222 ssh-ed25519 ${first}`], otherPort)).toBe('known');
    expect(judge([`[node-1]:2222 ssh-ed25519 ${first}`], node)).toBe('unknown');
    expect(judge([`[node-1]:22222 ssh-ed25519 ${first}`], otherPort)).toBe('unknown');
  });

  test('accepts the key of port 22 on another port without its own keys', () => {
    const lines = [`node-1 ssh-ed25519 ${first}`];
    expect(judge(lines, otherPort)).toBe('known');
    expect(judge(lines, otherPort, second)).toBe('unknown');
    expect(judge([...lines, `[node-1]:2222 ssh-ed25519 ${second}`], otherPort)).toBe('changed');
  });

  test('matches patterns, unless a negated one of the line matches', () => {
    const lines = [`*.example,!bad.example,node-? ssh-ed25519 ${first}`];
    expect(judge(lines, { host: 'a.example', port: 22 })).toBe('known');
    expect(judge(lines, { host: 'bad.example', port: 22 })).toBe('unknown');
    expect(judge(lines, node)).toBe('known');
    expect(judge(lines, { host: 'node-10', port: 22 })).toBe('unknown');
    expect(judge(lines, { host: 'axexample', port: 22 })).toBe('unknown');
    expect(judge([`* ssh-ed25519 ${first}`], otherPort)).toBe('known');
  });

  test('reports another key as changed, of the same type or not', () => {
    expect(judge([`node-1 ssh-ed25519 ${first}`], node, second)).toBe('changed');
    expect(judge([`node-1 ssh-ed25519 ${first}`], node, ecdsa)).toBe('changed');
    expect(judge([`node-1 ssh-ed25519 ${first}`, `node-1 ssh-ed25519 ${second}`], node, second)).toBe(
      'known',
    );
  });

  test('refuses a revoked key although it is known, for the hosts of the line', () => {
    const known = [`node-1,node-2 ssh-ed25519 ${first}`, `@revoked node-1 ssh-ed25519 ${first}`];
    expect(judge(known, node)).toBe('revoked');
    expect(judge(known, { host: 'node-2', port: 22 })).toBe('known');
    expect(judge([`@revoked * ssh-ed25519 ${first}`], otherPort)).toBe('revoked');
    expect(judge([`@revoked node-1 ssh-ed25519 ${first}`], node, second)).toBe('unknown');
    expect(judge([`@revoked node-1 ssh-ed25519 ${first}`], otherPort)).toBe('revoked');
  });

  test('does not accept a key because of a certificate authority', () => {
    const lines = [`@cert-authority *.example ssh-ed25519 ${first}`];
    expect(judge(lines, { host: 'a.example', port: 22 }, second)).toBe('authority-only');
    expect(judge(lines, { host: 'a.example', port: 22 }, first)).toBe('authority-only');
    expect(judge(lines, node, second)).toBe('unknown');
    expect(
      judge([...lines, `a.example ssh-ed25519 ${second}`], { host: 'a.example', port: 22 }, second),
    ).toBe('known');
  });

  test('uses an alias instead of name and port', () => {
    const lines = [`pair-a ssh-ed25519 ${first}`];
    expect(judge(lines, { ...otherPort, alias: 'pair-a' })).toBe('known');
    expect(judge([`[node-1]:2222 ssh-ed25519 ${first}`], { ...otherPort, alias: 'pair-a' })).toBe('unknown');
  });
});

test('knownTypes returns the types to request from a host', () => {
  const lines = [
    `node-1 ecdsa-sha2-nistp256 ${ecdsa}`,
    `${hashed} ssh-ed25519 ${first}`,
    `@revoked node-1 ssh-ed25519 ${second}`,
    `node-2 ssh-ed25519 ${second}`,
  ];
  const { entries } = parseKnownHosts(lines.join('\n'), 'kh');
  expect(knownTypes(entries, node)).toEqual(['ecdsa-sha2-nistp256', 'ssh-ed25519']);
  expect(knownTypes(entries, { host: 'node-3', port: 22 })).toEqual([]);
});

test('fingerprint has the format of OpenSSH', () => {
  // ssh-keygen -l
  expect(fingerprint(Buffer.from(first, 'base64'))).toBe(
    'SHA256:gKYQ8rZAc8g86qBgUMQgyfQ9ddcR5WZqZlNSTEh1MlU',
  );
});
