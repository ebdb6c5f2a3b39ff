import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLane, type Lane } from './prober-lane.ts';
import { createSystemClock } from './system-clock.ts';
import type { PlannedProbe } from '../core/plan.ts';
import type { Sample } from '../core/sample.ts';
import { createNameResolver } from '../resolver/name-resolver.ts';
import { probeKind } from '../probes/catalog.ts';
import { dnsServer } from '../net/testing/dns-server.ts';

let server: Server;
let port: number;
beforeAll(async () => {
  server = createServer((_, response) => response.end('ok'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => void server.close());

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function probe(id: string, kind: string, params: Record<string, unknown>): PlannedProbe {
  const parsed = probeKind(kind)?.params.parse(params) as PlannedProbe['params'];
  return { id, name: id, kind, params: parsed, intervalMs: 200, timeoutMs: 150 };
}

/** Runs the probes with a DNS server that never answers, until each has `count` samples. */
async function run(
  probes: readonly PlannedProbe[],
  count: number,
): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const silent = await dnsServer(() => undefined);
  closing.push(silent.close);
  const samples = new Map<string, Sample[]>(probes.map(({ id }) => [id, []]));
  const enough = Promise.withResolvers<void>();
  const lane: Lane = await openLane({
    lane: 'network',
    probes,
    kindOf: probeKind,
    hostOf: () => undefined,
    clock: createSystemClock(),
    timers: globalThis,
    readText: async () => '',
    env: () => undefined,
    resolveName: createNameResolver({
      servers: [silent.address],
      readHosts: () => '127.0.0.1 known.example',
      readConf: () => '',
      askSystem: async () => [],
    }),
    emit: (events) => {
      for (const event of events) if (event.type === 'sample') samples.get(event.probe)?.push(event);
      if ([...samples.values()].every((list) => list.length >= count)) enough.resolve();
    },
  });
  closing.push(async () => lane.stop());
  lane.start();
  await enough.promise;
  return samples;
}

describe('probes by name, while the DNS server does not answer', () => {
  const swallowed = Array.from({ length: 6 }, (_, i) =>
    probe(`swallowed-${i}`, 'tcp', { address: `swallowed-${i}.example:80` }),
  );

  test('reach a target whose name is in the hosts file, while other names hang', async () => {
    const samples = await run(
      [...swallowed, probe('known', 'http', { url: `http://known.example:${port}/` })],
      8,
    );
    expect(samples.get('known')?.filter(({ status }) => status === 'fail')).toEqual([]);
    expect(samples.get('known')?.some(({ status }) => status === 'ok')).toBe(true);
  });

  test.each([
    ['tcp', { address: 'swallowed.example:80' }],
    ['tcp-session', { address: 'swallowed.example:80', send: 'x', expect: 'y' }],
    ['http', { url: 'http://swallowed.example/' }],
    ['http', { url: 'https://swallowed.example/' }],
    ['http', { url: 'http://swallowed.example/', connection: 'kept-alive' }],
    ['sql', { dsn: 'postgresql://a@swallowed.example:5432/a', query: 'SELECT 1' }],
    ['sql', { dsn: 'postgresql://a@swallowed.example:5432/a', query: 'SELECT 1', connection: 'kept' }],
  ])('report the cause `dns`, not a timeout of the target: %s %j', async (kind, params) => {
    const samples = await run([probe('p', kind, params)], 1);
    // If this machine stalls, a sample is unknown, which is not a failure of the target either.
    const failed = (samples.get('p') ?? []).filter(({ status }) => status === 'fail');
    const reported = failed.map(({ cause, message }) => ({ cause, message }));
    expect(reported).toEqual(
      reported.map(() => ({ cause: 'dns', message: 'DNS: no answer within 150 ms for swallowed.example' })),
    );
  });
});

/** Blocks the four threads of getaddrinfo: each opens a pipe without a writer. Returns a function that unblocks them. */
function holdPool(folder: string): () => Promise<void> {
  const pipes = ['a', 'b', 'c', 'd'].map((name) => join(folder, name));
  execFileSync('mkfifo', pipes);
  const opening = pipes.map((path) => open(path, 'r'));
  return async () => {
    for (const path of pipes) closeSync(openSync(path, constants.O_RDWR));
    for (const handle of await Promise.all(opening)) await handle.close();
  };
}

describe('probes by name, while all threads of getaddrinfo are blocked', () => {
  test.each([
    ['tcp', (port: number) => ({ address: `known.example:${port}` })],
    ['http', (port: number) => ({ url: `http://known.example:${port}/` })],
  ])('reach their target: %s', async (kind, params) => {
    const folder = mkdtempSync(join(tmpdir(), 'pool-'));
    const release = holdPool(folder);
    try {
      const samples = await run([{ ...probe('p', kind, params(port)), timeoutMs: 60_000 }], 1);
      expect(samples.get('p')?.[0]?.status).toBe('ok');
    } finally {
      await release();
      rmSync(folder, { recursive: true });
    }
  });
});
