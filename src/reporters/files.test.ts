import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { vipFailover } from '../analysis/testing/vip-failover.ts';
import type { FailureTable, RowLine } from '../report/table.ts';
import { InvalidInput } from '../scenario/source.ts';
import { github } from './github.ts';
import { html } from './html.ts';
import { junit } from './junit.ts';
import { markdown } from './markdown.ts';
import { openmetrics } from './openmetrics.ts';
import type { FinishedRun, ReporterKind } from './reporter.ts';
import { finished, received } from './testing/received.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

const passed = finished(vipFailover(), {}, { folder: 'out/run-1' });
const failed = finished(
  vipFailover(),
  { runId: 'run-2', verdict: 'fail', reasons: ['too | slow'] },
  { folder: 'out/run-2', exitCode: 1 },
);
const both: FinishedRun = { drills: [passed, failed], exitCode: 1 };

/** Passes the end of a command to a reporter. Returns its lines on stderr. */
async function reported(kind: ReporterKind, run: FinishedRun, value?: string, env = {}): Promise<string[]> {
  const ctx = received({ out: join(folder, 'out'), env });
  await kind.create(value, ctx).runEnded?.(run);
  return ctx.said;
}

const read = (...path: string[]): string => readFileSync(join(folder, ...path), 'utf8');

describe('reporters that write files', () => {
  test.each([
    [junit, 'junit.xml', 'tests="'],
    [markdown, 'drills.md', '1 of 2 drills passed.'],
    [html, 'drills.html', '<h1>1 of 2 drills passed</h1>'],
    [openmetrics, 'metrics.prom', '# TYPE firedrill_drill_rto_seconds gauge'],
  ] as const)('$name writes one file of the whole command: $1', async (kind, name, words) => {
    await reported(kind, both);
    expect(read('out', name)).toContain(words);
    await reported(kind, both, join(folder, 'deep/er/own.txt'));
    expect(read('deep/er/own.txt')).toContain(words);
    // No temporary file is left.
    expect(readdirSync(join(folder, 'out'))).toEqual([name]);
  });

  test('earlier metrics stay if no drill was run', async () => {
    await reported(openmetrics, { drills: [], exitCode: 2 });
    expect(existsSync(join(folder, 'out'))).toBe(false);
  });

  test.each([
    [markdown, '](<out%20of%20it/run-2/report.md>)', /## Why\n\n- .*: too \\\| slow\n$/],
    [html, '<a href="out%20of%20it/run-2/report.html">', /<h2>Why<\/h2>\n<ul>\n<li>[^<]*: too \| slow<\/li>/],
  ] as const)(
    'the $name page has a relative link to each report, and the reason of a failed drill',
    async (kind, link, why) => {
      const drills = [passed, failed].map((drill) => ({
        ...drill,
        folder: join(folder, 'out of it', drill.summary.runId),
      }));
      await reported(kind, { drills, exitCode: 1 }, join(folder, 'page'));
      expect(read('page')).toContain(link);
      expect(read('page')).toMatch(why);
    },
  );

  test('junit has a case for each drill that a table did not run', async () => {
    const drill = { number: 1, scenario: 'left out', notRun: 'not steady' };
    const table = {
      rows: [{ drills: [drill] }, { drills: [drill] }] as unknown as RowLine[],
    } as unknown as FailureTable;
    await reported(junit, { drills: [passed], exitCode: 3, table: { table, folder } });
    expect(read('out/junit.xml').match(/message="not steady" type="not-run"/g)).toHaveLength(1);
  });
});

describe('github', () => {
  test('prints an annotation for each drill, appends to the step summary, and sets outputs', async () => {
    writeFileSync(join(folder, 'summary'), 'before\n');
    const env = { GITHUB_STEP_SUMMARY: join(folder, 'summary'), GITHUB_OUTPUT: join(folder, 'output') };
    const said = await reported(github, both, undefined, env);
    expect(said.map((line) => line.split(' ')[0])).toEqual(['::error', '::notice']);
    expect(read('summary')).toMatch(/^before\n# Drills\n\n1 of 2 drills passed\.\n/);
    expect(read('output')).toBe(
      `verdict=fail\nrto-ms=${passed.summary.rto?.ms}\nexit-code=1\nreport=${join(folder, 'out')}\n`,
    );
  });

  test('the outputs of one drill name its folder; without a drill the verdict is inconclusive', async () => {
    const env = { GITHUB_OUTPUT: join(folder, 'output') };
    await reported(github, { drills: [passed], exitCode: 0 }, undefined, env);
    expect(read('output')).toMatch(/^verdict=pass\n.*\nreport=out\/run-1\n$/s);
    rmSync(join(folder, 'output'));
    await reported(github, { drills: [], exitCode: 5 }, undefined, env);
    expect(read('output')).toMatch(/^verdict=inconclusive\nrto-ms=\nexit-code=5\n/);
  });

  test("the step summary, with its earlier content, never exceeds GitHub's limit", async () => {
    const env = { GITHUB_STEP_SUMMARY: join(folder, 'summary') };
    writeFileSync(join(folder, 'summary'), 'x'.repeat(1_048_000));
    const drills = Array.from({ length: 50 }, () => failed);
    await reported(github, { drills, exitCode: 1 }, undefined, env);
    const text = read('summary');
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1_048_576);
    expect(text.slice(1_048_000)).toMatch(
      /^# Drills\n.*\nThis summary is cut at 1 MiB\. The reports have the rest\.\n$/s,
    );
  });

  test('an invalid file gets an annotation for each problem', async () => {
    const error = new InvalidInput('a.yaml', [
      { line: 3, column: 5, message: 'unknown kind' },
      { line: 9, column: 1, message: 'unknown field' },
    ]);
    expect(await reported(github, { drills: [], exitCode: 2, error })).toEqual([
      '::error file=a.yaml,line=3,col=5,title=invalid input::unknown kind',
      '::error file=a.yaml,line=9,col=1,title=invalid input::unknown field',
    ]);
  });

  test('outside GitHub Actions it writes nothing', async () => {
    await reported(github, both);
    expect(readdirSync(folder)).toEqual([]);
  });
});
