import { describe, expect, test } from 'vitest';
import type { ReadMoment } from '../core/event.ts';
import { summarize } from '../analysis/summarize.ts';
import { LogBuilder, planWith, probeOf, writerOf } from '../analysis/testing/log-builder.ts';
import { renderMarkdown } from './markdown.ts';
import { renderVerdictText } from './verdict-text.ts';

/** Ten writes, one every 100 ms. Writes 4 to 6 are lost; the last is indeterminate. */
function drill(end: Readonly<Record<string, string>> | undefined) {
  const plan = planWith({
    probes: [probeOf('health')],
    writers: [writerOf({ paths: [{ id: 'rows@node-1', host: 'node-1', params: {} }], clients: 1 })],
    checks: [{ kind: 'rpo', name: 'RPO', of: 'rows', maxMs: 1000 }],
  });
  const log = new LogBuilder(plan)
    .probing('health', 0, 30_000, 1000, (sendMs) => ({ status: 'ok', finishMs: sendMs + 5 }))
    .fault(10_000, { healedMs: 20_000 });
  for (let number = 1; number <= 10; number++) {
    const sendMs = 10_000 + 100 * number;
    log.at(sendMs + 10, {
      type: 'row.written',
      writer: 'rows',
      client: 1,
      number,
      sendMs,
      finishMs: sendMs + 10,
      outcome: number === 10 ? 'indeterminate' : 'acked',
    });
  }
  const read = (
    [place, moment, sendMs]: readonly ['path' | 'copy', ReadMoment, number],
    rows: Readonly<Record<string, string>> | undefined,
  ): void => {
    const times = { sendMs, finishMs: sendMs + 10 };
    const what = rows === undefined ? { message: 'access denied' } : { rows };
    const event = { type: 'rows.read', writer: 'rows', path: 'rows@node-1' } as const;
    log.at(sendMs + 10, { ...event, place, moment, ...times, ...what });
  };
  read(['path', 'parallel', 12_000], { 1: '1-7' });
  read(['path', 'parallel', 12_500], { 1: '1-9' });
  read(['copy', 'before-heal', 19_000], { 1: '1-6' });
  read(['path', 'end', 29_000], end);
  log.at(30_000, { type: 'run.ended' });
  return log.read();
}

const lossy = drill({ 1: '1-3 7-10' });

function sectionOf(text: string): string {
  return /## Written rows\n\n([^]*?)\n\n## /.exec(text)?.[1] ?? 'no section';
}

describe('the outcome of written rows', () => {
  test('is in the verdict text', () => {
    const text = renderVerdictText(summarize(lossy));
    expect(text).toMatch(/^RPO +300 ms \(190 ms to 410 ms\), 3 of 9 acknowledged writes lost$/m);
    expect(text.slice(text.indexOf('rows of'), text.indexOf('\n\nchecks'))).toMatchInlineSnapshot(`
      "rows of rows
        written   9 acknowledged, 0 refused, 1 indeterminate
        found     6 acknowledged rows present, 3 lost; 1 of 1 indeterminate rows present
        lost      rows@node-1: 3 rows within 300 ms (190 ms to 410 ms), from +0.280 s on; held before the heal: 3 on node-1
        reads     1 of 2 stale, up to 510 ms in all, up to 1.19 s behind
        no write  up to 19.21 s in 1 outage
        no read   no outage seen (up to 2.01 s)"
    `);
  });

  test('is in the report, with the interval of each loss', () => {
    expect(sectionOf(renderMarkdown(summarize(lossy), lossy))).toMatchInlineSnapshot(`
      "| writer | acknowledged | present | **lost** | RPO | duplicated | refused | phantom | indeterminate | indeterminate, present |
      | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
      | rows | 9 | 6 | **3** | 300 ms (190 ms to 410 ms) | 0 | 0 | 0 | 1 | 1 |

      | lost, written through | rows | from | to | written within (bounds) | after the fault's effect | held before the heal |
      | --- | --- | --- | --- | --- | --- | --- |
      | rows@node-1 | 3 | 2026-03-01T10:00:10.355Z | 2026-03-01T10:00:10.655Z | 300 ms (190 ms to 410 ms) | +0.280 s | 3 on node-1 |

      | parallel reads | reads | failed | stale | stale for (bounds) | maximum lag |
      | --- | --- | --- | --- | --- | --- |
      | rows | 2 | 0 | 1 | up to 510 ms | 1.19 s behind |

      | stale, read through | reads | from | to | duration (bounds) | after the fault's effect | maximum lag |
      | --- | --- | --- | --- | --- | --- | --- |
      | rows@node-1 | 1 | 2026-03-01T10:00:12.005Z | 2026-03-01T10:00:12.255Z | up to 510 ms | +1.930 s | 1.19 s behind |

      | outages of | through | down for (bounds) | outages | longest (bounds) | first client recovered after | all clients recovered after |
      | --- | --- | --- | --- | --- | --- | --- |
      | writes of rows | all paths | up to 19.21 s | 1 | up to 19.10 s | not recovered | not recovered |
      | reads of rows | all paths | up to 2.01 s | 0 |  | not recovered | not recovered |

      The RPO is the time from the first to the last lost acknowledged write. Each path's clients wrote every 100 ms, so a shorter loss may be missed. The bounds come from the time between sending a write and its answer, because the commit lies in between. A write without a clear answer is indeterminate and never counts as lost. A read is stale if it misses a row that was acknowledged before the read was sent and that is present at the end. During an outage, no client of the paths completed an operation. Each client has its own connection, so a session that hangs is an outage of its client. A client has recovered when its outages are over for good."
    `);
  });

  test('is reported if nothing was lost, and if that is unknown', () => {
    expect(renderVerdictText(summarize(drill({ 1: '1-9' })))).toMatch(
      /^RPO +none of 9 acknowledged writes lost$/m,
    );
    const unread = renderVerdictText(summarize(drill(undefined)));
    expect(unread).toMatch(/^RPO +unknown: the written rows were not read back$/m);
    expect(unread).toMatch(/^ {2}found +not read back$/m);
  });
});
