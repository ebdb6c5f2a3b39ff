import { describe, expect, test } from 'vitest';
import { summarize } from '../../analysis/summarize.ts';
import { crashDrill } from '../../analysis/testing/postgres-crash.ts';
import type { Summary } from '../../core/summary.ts';
import { renderDrillsHtml } from './drills-html.ts';

const base = summarize(crashDrill().read());
const none = summarize(crashDrill({ neverRecovers: true }).read());

const pageOf = (...summaries: readonly Partial<Summary>[]): string =>
  renderDrillsHtml(summaries.map((parts, i) => ({ summary: { ...base, ...parts }, link: `run-${i}` })));

describe('the page of several drills', () => {
  test('begins with the worst verdict, and links to each report', () => {
    const page = pageOf({ verdict: 'pass' }, { verdict: 'inconclusive' }, { verdict: 'fail' });
    expect(page).toContain('<p class="verdict fail">✗ FAIL</p>');
    expect(page).toContain('<h1>1 of 3 drills passed</h1>');
    expect([...page.matchAll(/<a href="([^"]*)"/g)].map(([, link]) => link)).toEqual([
      'run-0/report.html',
      'run-1/report.html',
      'run-2/report.html',
    ]);
  });

  test('an unhealed fault is not a pass', () => {
    const page = pageOf({ verdict: 'pass', healed: false });
    expect(page).toContain('<p class="verdict fail">✗ INCONCLUSIVE, NOT HEALED</p>');
    expect(page).toContain('<span class="outcome fail">✗ PASS, NOT HEALED</span>');
    expect(page).toContain('<h1>0 of 1 drill passed</h1>');
  });

  test('has each RTO with its bounds in words and as a bar, its limit, and the longest stage', () => {
    const page = pageOf({ verdict: 'pass' }, none);
    expect(
      page.match(/<svg class="bar"[^>]*aria-label="RTO [\d.]+ s \([\d.]+ s to [\d.]+ s\)"/g),
    ).toHaveLength(1);
    expect(page).toContain('<td data-name="RTO (bounds)">not measured</td>');
    expect(page).toContain(`<td data-name="limit">90 s</td>`);
    expect(page).toMatch(/<td data-name="longest stage">[^<,]+, [\d.]+ m?s( \([^<]+\))?<\/td>/);
  });

  test('a command without drills reports why, and is not a pass', () => {
    const page = renderDrillsHtml([], 'the target is locked');
    expect(page).toContain('<p class="verdict inconclusive">');
    expect(page).toContain('<strong>The command ended early:</strong> the target is locked');
    expect(page).not.toContain('<table');
  });
});
