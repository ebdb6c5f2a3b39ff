import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBench, must } from '../../firedrill.ts';

// A stack without special support in firedrill: Redis with Sentinel in plain containers, described by two YAML files.
const folder = 'test/lab/sentinel-pair';
const compose = ['docker', 'compose', '-f', `${folder}/compose.yaml`] as const;
const bench = createBench();

beforeAll(async () => {
  await must(['docker', 'build', '-q', '-t', 'firedrill-test/redis:1', folder]);
  await must([...compose, 'up', '-d']);
});

afterAll(async () => {
  await must([...compose, 'down', '--volumes', '--timeout', '2']);
  bench.remove();
});

const drill = () => bench.start('run', `${folder}/primary-stop.yaml`, '--out', bench.out);

describe('an unknown stack, described by a target and a scenario', () => {
  test('passes a drill: Sentinel promotes the replica, clients follow, and the old primary comes back', async () => {
    const { exitCode, all } = await bench.drill(`${folder}/primary-stop.yaml`);
    expect(exitCode, all).toBe(0);
    const summary = bench.summary();
    expect(summary.verdict).toBe('pass');
    expect(summary.rto?.ms).toBeGreaterThan(1000);
    expect(summary.roles).toEqual([{ role: 'primary', before: 'redis-1', after: 'redis-2' }]);
    expect(summary.stages.map((stage) => stage.name)).toEqual(['Sentinel promotes', 'clients follow']);
  });

  test('fails the drill when the Sentinels cannot agree', async () => {
    // Pausing two of the three Sentinels prevents a quorum, so no replica is promoted.
    const silenced = ['firedrill-pair-sentinel-2', 'firedrill-pair-sentinel-3'] as const;
    try {
      const run = drill();
      for await (const line of run.iterable({ from: 'stderr' })) {
        if (line.includes('steady: reached')) await must(['docker', 'pause', ...silenced]);
      }
      const { exitCode, all } = await run;
      expect(exitCode, all).toBe(1);
      const summary = bench.summary();
      expect(summary.healed).toBe(true);
      expect(summary.checks.find((check) => check.name.startsWith('RTO'))?.status).toBe('fail');
    } finally {
      await must(['docker', 'unpause', ...silenced]);
    }
  });
});
