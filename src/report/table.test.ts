import { describe, expect, test } from 'vitest';
import { median } from '../analysis/repeats.ts';
import { summarize } from '../analysis/summarize.ts';
import { nodeLoss } from '../analysis/testing/node-loss.ts';
import type { Summary } from '../core/summary.ts';
import { renderTableHtml } from './html/table-html.ts';
import { renderTableJson, renderTableMarkdown, renderTableText } from './table-text.ts';
import { wrap } from './text.ts';
import { figureOf } from '../analysis/figures.ts';
import { type FailureTable, rowLine, type TableDrill, type TableRow } from './table.ts';

const measured = summarize(
  nodeLoss({
    checks: [
      {
        kind: 'happens',
        name: 'node-1 is a standby',
        condition: { probe: 'pg-role', host: 'node-1', is: ['standby'] },
        minMs: 0,
      },
      { kind: 'ownership', name: 'no primary', of: 'db', side: 'told', state: 'none', minMs: 1000 },
    ],
    plan: { ownership: { db: { reported: { probe: 'pg-role', is: ['primary'] } } } },
  }).read(),
);

/** A summary with the given RTO. */
function drilled(rtoMs: number, parts: Partial<Summary> = {}): Summary {
  const rto = { ms: rtoMs, minMs: rtoMs - 300, maxMs: rtoMs + 400, first: null };
  return { ...measured, runId: `run-${rtoMs}`, rto, redundancyRestoredMs: rtoMs + 5000, ...parts };
}

let drillNumber = 1;

function drill(summary: Summary | null, parts: Partial<TableDrill> = {}): TableDrill {
  const notRun = summary === null ? 'not steady (no standby)' : null;
  return {
    number: drillNumber++,
    rowIndices: [0],
    name: 'crash',
    round: 0,
    summary,
    notRun,
    backToSteadyMs: 3100,
    ...parts,
  };
}

const row: TableRow = {
  row: '3',
  failure: 'Postgres crash on the primary',
  recoveredBy: 'repmgr decides, watchdog rule 1 converges',
  reported: '~36 s',
  figure: 'rto',
};

describe('repeats of a drill', () => {
  const predicted = { minMs: 9000, p5Ms: 9500, medianMs: 12_000, p95Ms: 14_500, maxMs: 15_000 };
  const repeated = [11_000, 12_000, 13_000].map((ms, round) =>
    drill(drilled(ms, { predicted: { rto: predicted } }), { round }),
  );

  test('have their own distribution, separate from the row', () => {
    const other = drill(drilled(20_000), { name: 'other' });
    const line = rowLine(row, [...repeated, other, drill(null, { round: 3 })]);
    expect(line.measured?.count).toBe(4);
    expect(line.repeats).toEqual([
      {
        scenario: 'crash',
        drills: 3,
        count: 3,
        minMs: 11_000,
        medianMs: 12_000,
        maxMs: 13_000,
        medianInterval: { lowMs: 10_700, highMs: 13_400, coverage: 0.75 },
        worst: { maxMs: 13_400, share: expect.closeTo(0.05 ** (1 / 3), 12) as number, confidence: 0.95 },
        predicted,
      },
    ]);
  });

  test('are absent if no drill was repeated', () => {
    expect(rowLine(row, [drill(drilled(36_000))])).not.toHaveProperty('repeats');
  });

  test('are below the table, in text and in Markdown', () => {
    const table: FailureTable = {
      schemaVersion: 1,
      name: 't',
      title: 'T',
      target: 'lab',
      startedAt: '2026-01-01T00:00:00.000Z',
      endedAt: '2026-01-01T01:00:00.000Z',
      complete: true,
      rows: [rowLine(row, repeated)],
    };
    const text = renderTableText(table);
    expect(text.slice(text.indexOf('repeats'))).toMatchInlineSnapshot(`
      "repeats: row 3, crash
        of 3 drills: min 11.00 s, median 12.00 s, max 13.00 s
        the median lies between 10.70 s and 13.40 s, with 75.0 % confidence (order statistics, whatever the distribution)
        worst of these drills: at most 13.40 s; with 95 % confidence, 37 % of all possible fault times are no worse
        predicted 9.00 s to 15.00 s, median 12.00 s
      "
    `);
    expect(renderTableMarkdown(table)).toContain(
      '## Repeats: row 3, crash\n\n- of 3 drills: min 11.00 s, median 12.00 s, max 13.00 s\n',
    );
  });
});

describe('a row of the table', () => {
  test('has the estimate and bounds of a single drill', () => {
    expect(rowLine(row, [drill(drilled(36_000))])).toMatchObject({
      measured: {
        count: 1,
        minMs: 36_000,
        medianMs: 36_000,
        maxMs: 36_000,
        bounds: { minMs: 35_700, maxMs: 36_400 },
      },
      redundancyMs: 41_000,
      backToSteadyMs: 3100,
      rpo: null,
      verdict: 'pass',
      passed: 1,
    });
  });

  test('has the lowest, median, and highest estimate of multiple drills, the bounds of all, and the longest times', () => {
    const drills = [20_400, 10_100, 12_300].map((ms, round) =>
      drill(drilled(ms), { round, backToSteadyMs: ms / 10 }),
    );
    expect(rowLine(row, drills)).toMatchObject({
      measured: {
        count: 3,
        minMs: 10_100,
        medianMs: 12_300,
        maxMs: 20_400,
        bounds: { minMs: 9800, maxMs: 20_800 },
      },
      redundancyMs: 25_400,
      backToSteadyMs: 2040,
    });
    expect(median([1, 2, 10, 20])).toBe(6);
    expect(median([])).toBe(0);
  });

  test.each<[(Summary | null)[], string | null, boolean]>([
    [[drilled(1), drilled(2)], 'pass', true],
    [[drilled(1), drilled(2, { verdict: 'inconclusive' })], 'inconclusive', true],
    [[drilled(1, { verdict: 'fail' }), drilled(2, { verdict: 'inconclusive' })], 'fail', true],
    [[drilled(1), null], 'inconclusive', true],
    [[drilled(1, { verdict: 'fail' }), null], 'fail', true],
    [[null, null], null, true],
    [[drilled(1, { verdict: 'inconclusive', healed: false })], 'inconclusive', false],
  ])('has the worst verdict of its drills (%#)', (summaries, verdict, healed) => {
    expect(
      rowLine(
        row,
        summaries.map((s) => drill(s)),
      ),
    ).toMatchObject({ verdict, healed });
  });

  test('adds up lost writes of drills that measured them', () => {
    const rpo = (lost: number) => ({
      acked: 100,
      lost,
      duplicated: 1,
      ms: lost * 1000,
      minMs: 0,
      maxMs: lost * 2000,
    });
    const drills = [drilled(1, { rpo: rpo(2) }), drilled(2, { rpo: rpo(3) }), drilled(3)].map((s) =>
      drill(s),
    );
    expect(rowLine(row, drills).rpo).toEqual({
      acked: 200,
      lost: 5,
      duplicated: 2,
      ms: 3000,
      minMs: 0,
      maxMs: 6000,
    });
  });

  test.each([
    ['rto', measured.rto?.ms],
    ['first', measured.rto?.first?.ms],
    ['downtime', measured.downtime?.ms],
    ['return', measured.heal?.return?.ms],
    ['heal-outage', measured.heal?.outage.ms],
    ['redundancy', measured.redundancyRestoredMs],
    ['happens:node-1 is a standby', measured.checks[0]?.measured?.ms],
    ['happens:no primary', measured.checks[1]?.measured?.ms],
  ])('can show %s', (figure, ms) => {
    expect(ms).toBeGreaterThan(1000);
    expect(figureOf(figure, measured)?.ms).toBe(ms);
    expect(
      figureOf(figure, { ...measured, rto: null, downtime: null, heal: null, redundancy: null, checks: [] }),
    ).toBeNull();
  });
});

const table: FailureTable = {
  schemaVersion: 1,
  name: 'lab',
  title: 'Failure table of the lab',
  target: 'lab',
  startedAt: '2026-03-01T10:00:00.000Z',
  endedAt: '2026-03-01T10:20:00.000Z',
  complete: false,
  rows: [
    rowLine(
      {
        ...row,
        row: '1',
        failure: 'Container crash, any service, either node',
        recoveredBy: 'Docker restart',
        reported: '10-20 s',
      },
      [10_100, 12_300, 20_400].map((ms, round) =>
        drill(
          drilled(
            ms,
            round === 2
              ? { verdict: 'fail', reasons: ['RTO: RTO was 20.40 s, above the limit of 20 s'] }
              : {},
          ),
          {
            name: 'container-crash-edge-active',
            round,
          },
        ),
      ),
    ),
    rowLine(row, [drill(drilled(36_000))]),
    rowLine({ ...row, row: '4', figure: 'return', failure: 'primary returns after failover' }, [
      drill(drilled(1)),
    ]),
    rowLine({ ...row, row: '6', failure: 'partition, both nodes alive' }, [
      drill(null, { name: 'partition', backToSteadyMs: null }),
    ]),
  ],
};

describe('the table in text', () => {
  test('shows the rows, each drill, and the reasons', () => {
    expect(`\n${renderTableText(table)}`).toMatchInlineSnapshot(`
      "
      Failure table of the lab
      target lab, 2026-03-01T10:00:00.000Z to 2026-03-01T10:20:00.000Z; 4 of 6 drills passed; the table is not complete

      row  failure               recovered by     reported  measured             RPO  to          back to  verdict
                                                                                      redundancy  steady
                                                                                                  in
      ---  --------------------  ---------------  --------  -------------------  ---  ----------  -------  ------------
      1    Container crash, any  Docker restart   10-20 s   10.10 s / 12.30 s /  –    25.40 s     3.10 s   fail (2 of 3
           service, either node                             20.40 s (9.80 s to                             passed)
                                                            20.80 s)
      3    Postgres crash on     repmgr decides,  ~36 s     36.00 s (35.70 s to  –    41.00 s     3.10 s   pass
           the primary           watchdog rule 1            36.40 s)
                                 converges
      4    primary returns       repmgr decides,  ~36 s     19.62 s (19.12 s to  –    5.00 s      3.10 s   pass
           after failover        watchdog rule 1            20.13 s) return
                                 converges
      6    partition, both       repmgr decides,  ~36 s     –                    –    –           –        not run
           nodes alive           watchdog rule 1
                                 converges

      Measured: the estimate and its bounds; for multiple drills the lowest, median, and highest estimate, and the bounds of
      all. The other times are the longest of the row's drills.

      row  drill                           measured                      RPO  to          back to  verdict
                                                                              redundancy  steady
                                                                                          in
      ---  ------------------------------  ----------------------------  ---  ----------  -------  -------
      1    container-crash-edge-active #1  10.10 s (9.80 s to 10.50 s)   –    15.10 s     3.10 s   pass
      1    container-crash-edge-active #2  12.30 s (12.00 s to 12.70 s)  –    17.30 s     3.10 s   pass
      1    container-crash-edge-active #3  20.40 s (20.10 s to 20.80 s)  –    25.40 s     3.10 s   fail
      3    crash #1                        36.00 s (35.70 s to 36.40 s)  –    41.00 s     3.10 s   pass
      4    crash #1                        19.62 s (19.12 s to 20.13 s)  –    5.00 s      3.10 s   pass
      6    partition #1                    –                             –    –           –        not run

      repeats: row 1, container-crash-edge-active
        of 3 drills: min 10.10 s, median 12.30 s, max 20.40 s
        the median lies between 9.80 s and 20.80 s, with 75.0 % confidence (order statistics, whatever the distribution)
        worst of these drills: at most 20.80 s; with 95 % confidence, 37 % of all possible fault times are no worse

      why
        - row 1, container-crash-edge-active #3: RTO: RTO was 20.40 s, above the limit of 20 s
        - row 6, partition #1: not steady (no standby)
      "
    `);
  });

  test('fits 120 columns with texts of any length', () => {
    const long = 'x'.repeat(300);
    const hostile = `a|b \u001b[31m <script> ${long}`;
    const wide = {
      ...table,
      rows: [
        rowLine(
          {
            row: hostile,
            failure: hostile,
            recoveredBy: hostile,
            reported: hostile,
            figure: `happens:${hostile}`,
          },
          [drill(drilled(12_345_678, { verdict: 'fail', reasons: [hostile] }), { name: long })],
        ),
      ],
    };
    const text = renderTableText(wide);
    expect(Math.max(...text.split('\n').map((l) => l.length))).toBeLessThanOrEqual(120);
    expect(text).not.toContain('\u001b');
    const made = renderTableMarkdown(wide);
    expect(made).not.toContain('<script>');
    for (const line of made.split('\n').filter((l) => l.startsWith('|') && !l.includes('---')))
      expect([10, 8]).toContain(line.match(/(?<!\\)\|/g)?.length);
  });

  test('wraps at words, and cuts words that are too long', () => {
    expect(wrap('ab cd efghij', 5)).toEqual(['ab cd', 'efghi', 'j']);
    expect(wrap('', 5)).toEqual(['']);
  });
});

describe('table.html', () => {
  const page = renderTableHtml(table);

  test('begins with the worst outcome, and links each run to its report', () => {
    expect(page).toContain('<p class="verdict fail">✗ FAIL</p>');
    const links = [...page.matchAll(/<a href="([^"]*)"/g)].map((m) => m[1]);
    expect(links).toContain('runs/run-36000/report.html');
    // One drill was not run.
    expect(links).toHaveLength(5);
  });

  test('has every row with its measure in words and as a bar, and why drills did not pass', () => {
    expect(page.match(/aria-label="median [^"]* bounds [^"]*"/g)).toHaveLength(3);
    expect(page).toContain('10.10 s / 12.30 s / 20.40 s (9.80 s to 20.80 s)');
    expect(page).toMatch(/<span class="outcome inconclusive">\? not run<\/span\s*>/);
    expect(page).toContain('row 6, partition #1: not steady (no standby)');
    expect(page).toContain('Repeats: row 1, container-crash-edge-active');
  });

  test('links to no other folder', () => {
    const runId = '../../elsewhere';
    const rows = [rowLine(row, [drill(drilled(1000, { runId }))])];
    expect(renderTableHtml({ ...table, rows })).not.toContain('<a ');
  });
});

describe('table.md and table.json', () => {
  test('link each run to its report', () => {
    const text = renderTableMarkdown(table);
    expect(text).toMatch(/^# Failure table of the lab\n/);
    expect(text).toContain('[crash \\#1](runs/run-36000/report.md)');
    expect(text).toContain('- row 6, partition \\#1: not steady (no standby)');
  });

  test('hold everything that is shown', () => {
    expect(JSON.parse(renderTableJson(table))).toEqual(table);
  });
});
