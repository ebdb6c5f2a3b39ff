import { expect, test } from 'vitest';
import { hostKeyCheck, type HostKeyCheck } from './host-key-check.ts';
import type { KnownHost } from './known-hosts.ts';
import type { SshSettings } from './ssh-config.ts';
import { makeKey } from './testing/ssh-server.ts';

const [first, second] = [makeKey(), makeKey()].map((key) => key.parsed.getPublicSSH()) as [Buffer, Buffer];

/** The check of one connection to a host that is taken at its word. */
function check(
  port: number,
  learned: KnownHost[],
  changes: Partial<SshSettings> = {},
): Promise<HostKeyCheck> {
  const settings: SshSettings = {
    asked: 'n1',
    words: 'ssh n1',
    host: 'Node-1.example',
    port,
    user: 'root',
    identityFiles: [],
    identitiesOnly: false,
    knownHostsFiles: [],
    unknownKeys: 'new',
    hostKeyAlgorithms: [],
    family: 0,
    connectTimeoutMs: 1000,
    ...changes,
  };
  return hostKeyCheck(settings, learned);
}

test.each([
  ['on port 22', 22, {}],
  ['on another port', 2222, {}],
  ['by its alias', 22, { hostKeyAlias: 'pair' }],
])(
  'a host that is taken at its word %s must show the same key the next time',
  async (_name, port, changes) => {
    const learned: KnownHost[] = [];
    expect((await check(port, learned, changes)).refuse(first)).toBeUndefined();
    const next = await check(port, learned, changes);
    expect(next.refuse(first)).toBeUndefined();
    expect(next.refuse(second)?.message).toMatch(/is not the one in what this run saw before/);
  },
);

test('two connections that are made at the same time learn one key, not two', async () => {
  const learned: KnownHost[] = [];
  const [one, other] = await Promise.all([check(22, learned), check(22, learned)]);
  expect(one.refuse(first)).toBeUndefined();
  expect(other.refuse(second)?.message).toMatch(/is not the one in what this run saw before/);
  expect(learned).toHaveLength(1);
});
