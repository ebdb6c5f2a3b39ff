// Pushes metrics of drills to a real Pushgateway.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Summary } from '../../src/core/summary.ts';
import { pushgateway } from '../../src/reporters/pushgateway.ts';
import type { FinishedDrill } from '../../src/reporters/reporter.ts';
import { ownLoopback } from '../../src/hosts/testing/own-loopback.ts';
import { exampleDrill, hostileFinished } from '../../src/reporters/testing/drills.ts';
import { received } from '../../src/reporters/testing/received.ts';
import { program } from './lib/readers.ts';

let url: string;
let gateway: ChildProcess;

/** A port of this process’s loopback address. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, ownLoopback, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

beforeAll(async () => {
  const address = `${ownLoopback}:${await freePort()}`;
  url = `http://${address}`;
  gateway = spawn(program('prometheus-pushgateway'), [`--web.listen-address=${address}`], {
    stdio: 'ignore',
  });
  for (let tries = 0; tries < 4000 && gateway.exitCode === null; tries++) {
    const ready = fetch(`${url}/-/ready`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (await ready) return;
    await sleep(50);
  }
  throw new Error(`start the Pushgateway: not ready; exit code ${gateway.exitCode}`);
});
afterAll(async () => {
  if (gateway.exitCode !== null) return;
  gateway.kill();
  await once(gateway, 'exit');
});

/** Sends a drill with the reporter. */
async function push(drill: FinishedDrill): Promise<void> {
  const reporter = pushgateway.create(url, received());
  await reporter.drillEnded?.(drill);
  await reporter.runEnded?.({ drills: [drill], exitCode: 0 });
}

interface Group {
  readonly labels: Readonly<Record<string, string>>;
  readonly last_push_successful: boolean;
  readonly [metric: string]: unknown;
}

async function groups(): Promise<readonly Group[]> {
  const { data } = (await (await fetch(`${url}/api/v1/metrics`)).json()) as { data: readonly Group[] };
  return data;
}

/** A drill's value of a metric without additional labels. */
async function valueOf(name: string, { summary }: FinishedDrill): Promise<number | undefined> {
  const group = (await groups()).find(({ labels }) => labels['scenario'] === summary.scenario.name);
  const metric = group?.[name] as { metrics: readonly { value: string }[] } | undefined;
  const [first] = metric?.metrics ?? [];
  return first === undefined ? undefined : Number(first.value);
}

describe('a Pushgateway', () => {
  const drill = exampleDrill('certlocker');
  const seconds = (ms: number | undefined): number => Math.round((ms ?? NaN) * 1000) / 1e6;

  test('has the figures of each drill, in a group for its scenario and target', async () => {
    const other = exampleDrill('wazuh-lb');
    await push(drill);
    await push(other);
    for (const each of [drill, other]) {
      const { rto, scenario, target } = each.summary;
      expect(await valueOf('firedrill_drill_rto_seconds', each)).toBeCloseTo(seconds(rto?.ms), 6);
      const labels = (await groups()).map((group) => group.labels);
      expect(labels).toContainEqual({ job: 'firedrill', scenario: scenario.name, target });
    }
  });

  test('drops the earlier time if the next drill measured none', async () => {
    const unmeasured: Partial<Summary> = { rto: null, verdict: 'inconclusive' };
    await push(exampleDrill('certlocker', unmeasured));
    expect(await valueOf('firedrill_drill_rto_seconds', drill)).toBeUndefined();
    expect(await valueOf('firedrill_drill_healed', drill)).toBe(1);
  });

  test('accepts hostile texts as labels', async () => {
    const hostile = hostileFinished();
    await push(hostile);
    const taken = (await groups()).filter(({ labels }) => labels['target']?.includes('pwned'));
    expect(taken.map((group) => group.last_push_successful)).toEqual([true]);
  });

  test('refuses a duplicate series', async () => {
    const twice = 'a{b="c"} 1\na{b="c"} 2\n';
    const answer = await fetch(`${url}/metrics/job/x`, { method: 'PUT', body: twice });
    expect([answer.status, await answer.text()]).toEqual([
      400,
      expect.stringContaining('was collected before'),
    ]);
  });
});
