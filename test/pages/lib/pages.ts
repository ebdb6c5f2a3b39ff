import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogBuilder, planWith, probeOf } from '../../../src/analysis/testing/log-builder.ts';
import type { KeptRun } from '../../../src/analysis/kept-run.ts';
import { keptOf } from '../../../src/analysis/testing/kept.ts';
import { crashDrill } from '../../../src/analysis/testing/postgres-crash.ts';
import { summarize } from '../../../src/analysis/summarize.ts';
import { writeReports } from '../../../src/cli/run-folder.ts';
import { renderDrillsHtml } from '../../../src/report/html/drills-html.ts';
import { renderTableHtml } from '../../../src/report/html/table-html.ts';
import { renderTrendHtml } from '../../../src/report/html/trend-html.ts';
import { rowLine } from '../../../src/report/table.ts';
import { hostileDrill, hostileTexts } from '../../../src/report/testing/hostile-drill.ts';
import { htmlOf } from '../../../src/report/testing/html-of.ts';

const reports = join(import.meta.dirname, '../../../reports');

/** report.html of a committed run. */
function example(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'pages-'));
  try {
    cpSync(join(reports, name, 'events.ndjson'), join(folder, 'events.ndjson'));
    writeReports(folder);
    return readFileSync(join(folder, 'report.html'), 'utf8');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A failure table with hostile names. */
function suite(): string {
  const hostile = hostileTexts.join(' ');
  const row = { row: '1', failure: hostile, recoveredBy: hostile, reported: hostile, figure: 'rto' };
  const drill = { number: 1, rowIndices: [0], name: hostile, round: 0, notRun: null, backToSteadyMs: 1200 };
  const passed = { ...summarize(crashDrill().read()), runId: 'run-1' };
  const failed = { ...summarize(hostileDrill().read()), runId: '../../evil' };
  return renderTableHtml({
    schemaVersion: 1,
    name: 'suite',
    title: hostile,
    target: hostile,
    startedAt: passed.startedAt,
    endedAt: passed.endedAt,
    complete: true,
    rows: [
      rowLine(row, [{ ...drill, summary: passed }]),
      rowLine({ ...row, row: '2' }, [{ ...drill, number: 2, summary: failed }]),
      rowLine({ ...row, row: '3' }, [{ ...drill, number: 3, summary: null, notRun: hostile }]),
    ],
  });
}

/** The trend of drills with hostile names; one drill has many runs, with every shape of a chart. */
function trend(): string {
  const hostile = hostileTexts.join(' ');
  const runs = Array.from({ length: 70 }, (_, i): KeptRun => {
    const rtoMs = i % 13 === 5 ? null : 30_000 + 7919 * (i % 7);
    const run = keptOf(i, rtoMs, {
      target: hostile,
      label: i < 30 ? 'v1.2' : i < 33 ? 'v1.2.1-with-a-long-name' : hostile,
      healed: i % 17 !== 3,
      verdict: i % 5 === 1 ? 'inconclusive' : rtoMs === null ? 'fail' : 'pass',
      checks: [{ name: hostile, kind: 'rto', limits: { maxMs: 60_000 } }],
    });
    const name = i % 10 === 0 ? hostile : i === 1 ? 'once' : 'crash';
    return { ...run, scenario: { ...run.scenario, name } };
  });
  return renderTrendHtml(
    runs.toReversed().map((run, i) => ({ run, href: i === 0 ? 'runs/run-1/report.html' : null })),
  );
}

/** The drills of one command, among them a drill with hostile names and a drill without an RTO. */
function drills(): string {
  const hostile = summarize(hostileDrill().read());
  return renderDrillsHtml(
    [
      { summary: summarize(crashDrill().read()), link: 'runs/run-1' },
      { summary: hostile },
      { summary: { ...hostile, verdict: 'inconclusive', reasons: [...hostileTexts] } },
      { summary: summarize(crashDrill({ neverRecovers: true }).read()), link: 'runs/run-1' },
    ],
    hostileTexts.join(' '),
  );
}

function watch(): string {
  const builder = new LogBuilder(planWith({ probes: [probeOf('web')] }));
  return htmlOf(builder.probing('web', 0, 9000, 1000, (t) => ({ status: 'ok', finishMs: t + 5 })));
}

/** Pages of all kinds, by their content. */
export const pages: Readonly<Record<string, string>> = {
  'a drill of certlocker': example('example-certlocker'),
  'a drill of wazuh-lb': example('example-wazuh-lb'),
  'a drill of keepalived-docker': example('example-keepalived-docker'),
  'a drill without recovery': htmlOf(crashDrill({ neverRecovers: true })),
  'a run that was cut off': htmlOf(crashDrill().until(45_000)),
  'a hostile drill': htmlOf(hostileDrill()),
  'a watch': watch(),
  'a failure table': suite(),
  'drills of a command': drills(),
  'a trend': trend(),
};
