import { expect, test } from 'vitest';
import type { DrillRecord } from './drill-record.ts';
import { renderTrial, type Trial } from './table.ts';

const machine = {
  startedAt: '2026-03-01T10:00:00.000Z',
  cores: 2,
  cpu: 'Some CPU',
  memoryGib: 24,
  system: 'Debian',
  kernel: '6.1',
  node: '24.0.0',
  loadBefore: 0.5,
};

function drill(condition: string, round: number, more: Partial<DrillRecord> = {}): DrillRecord {
  return {
    part: 'as-is',
    condition,
    round,
    exitCode: 0,
    verdict: 'pass',
    starved: null,
    reasons: [],
    rto: { ms: 4000 + round * 1000, minMs: 3900 + round * 1000, maxMs: 4100 + round * 1000, first: null },
    dilation: { before: { p50: 1, p99: 1.2 }, after: { p50: round, p99: 2 * round } },
    cpuSomePct: { before: 3, after: null },
    othersCpuPct: 10 * round,
    ...more,
  };
}

const overloaded = 'this machine is overloaded';
const nothing = { rto: null, dilation: { before: null, after: null }, othersCpuPct: null };
const trial: Trial = {
  stack: 'wazuh-lb',
  scenario: 'nginx-stop',
  machine,
  speed: '2 CPUs, a process starts in 2.5 ms',
  skipped: new Map([['slow-disk', 'no limit on writes']]),
  drills: [
    drill('quiet', 1),
    drill('quiet', 2),
    drill('quiet', 3),
    drill('neighbour-2', 1, { verdict: 'fail', exitCode: 1, reasons: ['RTO was 12.0 s'] }),
    drill('neighbour-2', 2, {
      ...nothing,
      verdict: 'inconclusive',
      exitCode: 3,
      starved: overloaded,
      reasons: [overloaded],
    }),
    drill('neighbour-2', 3, { ...nothing, verdict: 'inconclusive', exitCode: 3 }),
    drill('neighbour-2', 4, { ...nothing, verdict: null, exitCode: 4 }),
    drill('quiet', 1, { part: 'must-fail', verdict: 'fail', exitCode: 1 }),
    drill('quiet', 2, { part: 'must-fail' }),
  ],
};

test('a trial as Markdown has counts and ranges by condition, and each false verdict', () => {
  const text = renderTrial(trial);
  const rows = text.split('\n').filter((line) => /^\| (quiet|neighbour)/.test(line));
  expect(rows).toEqual([
    '| quiet | 3 | 3 | 0 | 0 | 0 | 0 | 0 | 0 |',
    '| neighbour-2 | 4 | 0 | 1 | 1 | 1 | 1 | 1 | 1 |',
    '| quiet | pass | 3 | 1.0 / 1.0 / 1.0 | 1.2 / 1.2 / 1.2 | 1.0 / 2.0 / 3.0 | 2.0 / 4.0 / 6.0 | 3 / 3 / 3 | - | 10 / 20 / 30 | 5.0 / 6.0 / 7.0 | 4.9 to 7.1 |',
    '| neighbour-2 | inconclusive | 2 | - | - | - | - | 3 / 3 / 3 | - | - | - | - |',
    '| neighbour-2 | fail | 1 | 1.0 / 1.0 / 1.0 | 1.2 / 1.2 / 1.2 | 1.0 / 1.0 / 1.0 | 2.0 / 2.0 / 2.0 | 3 / 3 / 3 | - | 10 / 10 / 10 | 5.0 / 5.0 / 5.0 | 4.9 to 5.1 |',
    '| neighbour-2 | none | 1 | - | - | - | - | 3 / 3 / 3 | - | - | - | - |',
    '| quiet | 2 | 1 | 0 | 0 | 1 | 0 | 0 | 1 |',
    '| quiet | pass | 1 | 1.0 / 1.0 / 1.0 | 1.2 / 1.2 / 1.2 | 2.0 / 2.0 / 2.0 | 4.0 / 4.0 / 4.0 | 3 / 3 / 3 | - | 20 / 20 / 20 | 6.0 / 6.0 / 6.0 | 5.9 to 6.1 |',
    '| quiet | fail | 1 | 1.0 / 1.0 / 1.0 | 1.2 / 1.2 / 1.2 | 1.0 / 1.0 / 1.0 | 2.0 / 2.0 / 2.0 | 3 / 3 / 3 | - | 10 / 10 / 10 | 5.0 / 5.0 / 5.0 | 4.9 to 5.1 |',
  ]);
  expect(text.split('\n').filter((line) => line.startsWith('- '))).toEqual([
    '- slow-disk: no limit on writes',
    '- neighbour-2, as-is 1: false fail (exit code 1): RTO was 12.0 s',
    '- neighbour-2, as-is 3: unexplained (exit code 3): no reason',
    '- neighbour-2, as-is 4: fault left (exit code 4): no reason',
    '- quiet, must-fail 2: false pass (exit code 0): no reason',
  ]);
  expect(text).toContain('Linux 6.1');
  expect(text).toContain('a process starts in 2.5 ms.');
});

test('empty parts and lists are omitted', () => {
  const text = renderTrial({ ...trial, drills: [drill('quiet', 1)], skipped: new Map() });
  expect(text.match(/^## .*/gm)).toEqual(['## False fails', '## Machine']);
});
