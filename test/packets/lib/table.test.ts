import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type DrillRow, renderTable } from './table.ts';
import type { EdgeTruth } from './window-truth.ts';

function edge(byPacketsMs: number, byFiredrillMs: number, isWithin = true): EdgeTruth {
  return {
    byPacketsMs,
    byFiredrillMs,
    loMs: byPacketsMs - 50,
    hiMs: byPacketsMs + 50,
    intervalMs: 100,
    sharpnessMs: 100,
    isNear: true,
    isWithin,
  };
}

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

function drill(round: number, more: Partial<DrillRow>): DrillRow {
  const windows = [{ start: edge(1000, 1040.4), end: edge(4000, 3970), recovery: true }];
  const rto = { byPacketsMs: 3100, byFiredrillMs: 3070, minMs: 3000, maxMs: 3200 };
  return {
    scenario: 'nginx-stop',
    round,
    verdict: 'pass',
    probe: 'dashboard',
    windows,
    rto,
    faults: [],
    ...more,
  };
}

test('the table counts agreeing drills, and shows each window from both sources', () => {
  const bad = [{ start: edge(1000, 900), end: edge(4000, 3970, false), recovery: true }];
  const text = renderTable({
    conditions: machine,
    planned: 4,
    drills: [
      drill(1, {}),
      drill(2, { windows: bad, faults: ['window from 1.000 s: wrong'] }),
      drill(3, { windows: [], rto: null }),
    ],
  });
  expect(text).toContain('**1 of 4 drills agree**');
  expect(text).toContain(
    'Starts differ by −100 to +40 ms, ends by −30 to −30 ms; the probe\ninterval was 100 ms.',
  );
  expect(text).toContain('| nginx-stop 1 | dashboard | 3000 | 2930 | +40 | −30 | 100 | yes | 3100 | 3070 |');
  expect(text).toContain(
    '| nginx-stop 2 | dashboard | 3000 | 3070 | −100 | −30 | 100 | **no** | 3100 | 3070 |',
  );
  expect(text).toContain('| nginx-stop 3 | dashboard | none | none |  |  |  |  |  |  |');
  expect(text).toContain('nginx-stop 2:\n\n- window from 1.000 s: wrong\n');
  const mentioned = text.match(/[\w-]+\.ts\b/g) ?? [];
  expect(mentioned).toHaveLength(3);
  expect(readdirSync(import.meta.dirname)).toEqual(expect.arrayContaining(mentioned));
});
