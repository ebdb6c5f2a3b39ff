import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runMs } from '../core/time.ts';
import { vipFailover } from '../analysis/testing/vip-failover.ts';
import type { FailureTable } from '../report/table.ts';
import { events } from './events.ts';
import { json } from './json.ts';
import { list } from './list.ts';
import type { ReporterKind } from './reporter.ts';
import { finished, received } from './testing/received.ts';
import { sharedTemporaryFolder } from '../../test/temporary-folder.ts';

const folder = sharedTemporaryFolder();

const passed = finished(vipFailover());
const failed = finished(vipFailover(), {
  verdict: 'fail',
  healed: false,
  scenario: { ...passed.summary.scenario, name: 'other\u001b[31m' },
  rto: null,
});

/** A reporter's output on stdout for drills and the end of the command. */
async function printedBy(
  kind: ReporterKind,
  drills: readonly ReturnType<typeof finished>[],
  value?: string,
): Promise<string> {
  const ctx = received();
  const reporter = kind.create(value, ctx);
  for (const drill of drills) {
    for (const event of drill === passed ? ([{ t: runMs(1), type: 'run.ended' }] as const) : [])
      reporter.event?.(event);
    await reporter.drillEnded?.(drill);
  }
  await reporter.runEnded?.({ drills, exitCode: 0 });
  return ctx.printed();
}

describe('list', () => {
  test('prints the verdict text of a single drill only', async () => {
    const text = await printedBy(list, [passed]);
    expect(text).toMatch(/^\nPASS .*\n/);
    expect(text).toMatch(/\nreport: reports\/run-1\/report\.html \(as text: report\.md\)\n$/);
  });

  test('ends multiple drills with a line each: verdict, name, RTO with its bounds', async () => {
    const text = await printedBy(list, [passed, failed]);
    expect(text.split('\n').slice(-4)).toEqual([
      '1 of 2 drills passed',
      expect.stringMatching(/^PASS {14}\S+ +RTO \d.* s \(\d.* s to \d.* s\)$/),
      'FAIL, NOT HEALED  other [31m  RTO not measured',
      '',
    ]);
  });
});

describe('json', () => {
  test('prints a summary per line, with the statistics of repeats', async () => {
    const lines = (await printedBy(json, [passed, failed, passed])).trim().split('\n');
    const [first, second, third] = lines.map((line) => JSON.parse(line) as unknown);
    expect([first, second]).toEqual([passed.summary, failed.summary]);
    expect(third).toMatchObject({ runId: 'run-1', repeats: { drills: 2, count: 2 } });
  });

  test('writes the same to a file instead', async () => {
    const path = join(folder, 'new/folder/drills.ndjson');
    expect(await printedBy(json, [passed, failed], path)).toBe('');
    expect(readFileSync(path, 'utf8')).toBe(await printedBy(json, [passed, failed]));
  });
});

describe('events', () => {
  test('prints each event, each summary, and the end as a line', async () => {
    const lines = (await printedBy(events, [passed, passed])).trimEnd().split('\n');
    const repeats = expect.objectContaining({ drills: 2 }) as unknown;
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { t: runMs(1), type: 'run.ended' },
      { type: 'drill.summary', folder: passed.folder, exitCode: 0, summary: passed.summary },
      { t: runMs(1), type: 'run.ended' },
      { type: 'drill.summary', folder: passed.folder, exitCode: 0, summary: { ...passed.summary, repeats } },
      { type: 'command.ended', exitCode: 0 },
    ]);
  });

  test('ends with the table, or with the error', async () => {
    const ctx = received();
    const reporter = events.create(undefined, ctx);
    const table = { name: 'suite' } as unknown as FailureTable;
    await reporter.runEnded?.({ drills: [], exitCode: 0, table: { table, folder: 'out' } });
    await reporter.runEnded?.({ drills: [], exitCode: 5, error: new Error('locked') });
    expect(ctx.printed()).toBe(
      '{"type":"command.ended","exitCode":0,"folder":"out","table":{"name":"suite"}}\n' +
        '{"type":"command.ended","exitCode":5,"error":"locked"}\n',
    );
  });
});
