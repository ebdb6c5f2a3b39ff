import type { Measure } from '../../core/summary.ts';
import type { KeptRun } from '../kept-run.ts';

/** A measure with bounds of 50 ms to both sides. */
export function about(ms: number): Measure {
  return { ms, minMs: ms - 50, maxMs: ms + 50 };
}

/** A stored run of scenario `crash`. Runs with consecutive numbers are a night apart. */
export function keptOf(number: number, rtoMs: number | null, parts: Partial<KeptRun> = {}): KeptRun {
  const startedAt = new Date(Date.UTC(2026, 2, 1) + number * 24 * 3_600_000).toISOString();
  return {
    schemaVersion: 1,
    runId: `run-${number}`,
    scenario: { name: 'crash', title: 'Crash', path: 'crash.yaml', sha256: 'aa', variables: {} },
    target: 'lab',
    startedAt,
    endedAt: startedAt,
    verdict: rtoMs === null ? 'fail' : 'pass',
    healed: true,
    rto: rtoMs === null ? null : { ...about(rtoMs), first: null },
    downtime: null,
    redundancy: null,
    heal: null,
    stages:
      rtoMs === null
        ? []
        : [
            { name: 'notices', startAt: startedAt, endAt: startedAt, ms: 1000, includes: [] },
            { name: 'serves', startAt: startedAt, endAt: startedAt, ms: rtoMs - 1000, includes: [] },
          ],
    checks: [],
    ...parts,
  };
}
