import { describe, expect, test } from 'vitest';
import { summarize } from '../analysis/summarize.ts';
import { vipFailover } from '../analysis/testing/vip-failover.ts';
import type { CheckResult, Summary } from '../core/summary.ts';
import { renderJunit } from './junit.ts';

const base = summarize(vipFailover().read());

function check(name: string, status: CheckResult['status']): CheckResult {
  return { name, kind: 'rto', status, observed: '4 s', limit: 'at most 3 s' };
}

function drill(parts: Partial<Summary> = {}): Summary {
  return { ...base, verdict: 'pass', reasons: [], healed: true, checks: [check('RTO', 'pass')], ...parts };
}

/** Cases by name, with what is in them. */
function cases(xml: string): Record<string, string> {
  return Object.fromEntries(
    [...xml.matchAll(/<testcase name="([^"]*)"[^>]*?(?:\/>|>\n(.*?)\n\s*<\/testcase>)/gs)].map(
      ([, name = '', inner = '']) => [name, inner.trim()],
    ),
  );
}

const name = base.scenario.name;

describe('junit.xml', () => {
  test('has a suite with its figures, and cases for the drill and each check', () => {
    const xml = renderJunit([drill({ label: 'v1.2' })]);
    expect(xml).toContain('<testsuites name="firedrill" tests="2" failures="0" errors="0" skipped="0">');
    expect(xml).toContain(' time="60" timestamp="2026-03-01T10:00:00" tests="2"');
    expect(xml).toContain(`<property name="rto-ms" value="${base.rto?.ms}"/>`);
    expect(xml).toContain(`<property name="rto-max-ms" value="${base.rto?.maxMs}"/>`);
    expect(xml).toContain('<property name="run-id" value="run-1"/>');
    expect(xml).toContain('<property name="label" value="v1.2"/>');
    expect(cases(xml)).toEqual({ [`${name}: drill`]: '', [`${name}: RTO`]: '' });
  });

  test('a failed check is a failure, an inconclusive check an error', () => {
    const xml = renderJunit([
      drill({
        verdict: 'fail',
        checks: [check('RTO', 'fail'), check('other', 'inconclusive')],
        reasons: ['RTO: 4 s is longer than 3 s', 'other: no samples'],
      }),
    ]);
    expect(cases(xml)).toEqual({
      [`${name}: drill`]: '',
      [`${name}: RTO`]:
        '<failure message="4 s; limit: at most 3 s" type="rto">RTO: 4 s is longer than 3 s</failure>',
      [`${name}: other`]: '<error message="4 s; limit: at most 3 s" type="rto">other: no samples</error>',
    });
    expect(xml).toContain('tests="3" failures="1" errors="1"');
  });

  test.each([
    [
      { healed: false, reasons: ['x is not proven healed'] },
      'error message="x is not proven healed" type="not-healed"',
    ],
    [
      { verdict: 'inconclusive', refused: true, reasons: ['the last healthy node'] },
      'error message="the last healthy node" type="refused"',
    ],
    [
      { verdict: 'inconclusive', reasons: ['no effect', 'prober degraded'] },
      'error message="no effect" type="inconclusive">no effect\nprober degraded</error>',
    ],
    [{ verdict: 'fail', reasons: ['not recovered'] }, 'failure message="not recovered" type="gate"'],
    [
      { verdict: 'fail', checks: [check('RTO', 'fail')], reasons: ['RTO: why', 'cut short'] },
      'failure message="cut short" type="gate"',
    ],
    [{ verdict: 'inconclusive' }, 'error message="inconclusive" type="inconclusive"'],
  ] as const)("%j is reported by the drill's case", (parts, expected) => {
    expect(cases(renderJunit([drill(parts)]))[`${name}: drill`]).toContain(expected);
  });

  test('is red unless the verdict is a pass and everything is healed', () => {
    const statuses = ['pass', 'fail', 'inconclusive'] as const;
    for (const verdict of statuses)
      for (const status of statuses)
        for (const healed of [true, false])
          for (const reasons of [[], ['RTO: why'], ['cut short']]) {
            const parts = { verdict, healed, reasons, checks: [check('RTO', status)] };
            const red = /<(?:failure|error) /.test(renderJunit([drill(parts)]));
            expect({ ...parts, red }).toEqual({
              ...parts,
              red: verdict !== 'pass' || !healed || status !== 'pass',
            });
          }
  });

  test('case names are unique: repeats and checks of the same name are numbered', () => {
    const twice = drill({ checks: [check('RTO', 'pass'), check('RTO', 'pass')] });
    const xml = renderJunit([twice, twice]);
    expect(Object.keys(cases(xml))).toEqual([
      `${name}: drill`,
      `${name}: RTO`,
      `${name}: RTO #2`,
      `${name} #2: drill`,
      `${name} #2: RTO`,
      `${name} #2: RTO #2`,
    ]);
    expect([...xml.matchAll(/<testsuite name="([^"]*)"/g)].map((m) => m[1])).toEqual([name, `${name} #2`]);
  });

  test('has cases for drills that were not run, and for a command that ended early', () => {
    const xml = renderJunit([], { notRun: [{ name: 'x', why: 'not steady' }], error: 'no such file' });
    expect(cases(xml)).toEqual({
      'x: drill': '<error message="not steady" type="not-run"/>',
      'firedrill: drill': '<error message="no such file" type="command"/>',
    });
  });

  test('replaces characters that XML cannot have, and escapes markup', () => {
    const message = 'a\u0000\u001b[31m <b> & "q" \ud800 \ufffe ]]> \u{1f600}\r\n\tend\u202e';
    const xml = renderJunit([drill({ verdict: 'inconclusive', reasons: [message, 'x'.repeat(5000)] })]);
    const safe = 'a [31m &lt;b> &amp; &quot;q&quot; \ufffd \ufffd ]]> \u{1f600}&#xA;&#x9;end';
    expect(xml).toContain(`message="${safe}"`);
    expect(xml).toContain('… (');
    expect(xml.length).toBeLessThan(8000);
  });
});
