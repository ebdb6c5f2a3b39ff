// Parses the Markdown pages with GitHub's own parser.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { summarize } from '../../src/analysis/summarize.ts';
import { allKindsOfDrills } from '../../src/reporters/testing/drills.ts';
import { renderDrillsMarkdown } from '../../src/report/drills-markdown.ts';
import { renderMarkdown } from '../../src/report/markdown.ts';
import { renderTableMarkdown } from '../../src/report/table-text.ts';
import type { FailureTable } from '../../src/report/table.ts';
import { hostileDrill, hostileTexts } from '../../src/report/testing/hostile-drill.ts';
import { environment, program } from './lib/readers.ts';

const reports = join(import.meta.dirname, '../../reports');

/** The parser's result for a page. */
interface Found {
  readonly text: string;
  readonly links: readonly string[];
  /** Kinds of the nodes. */
  readonly kinds: ReadonlySet<string>;
  /** For each table, the number of cells of each row. */
  readonly tables: readonly (readonly number[])[];
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', amp: '&' };
const unescaped = (text: string): string =>
  text.replaceAll(/&(lt|gt|quot|amp);/g, (_, name: string) => entities[name] ?? '');

async function parsed(markdown: string): Promise<Found> {
  const extensions = ['table', 'autolink', 'strikethrough', 'tasklist'].flatMap((name) => ['-e', name]);
  const { stdout } = await execa(program('cmark-gfm'), [...extensions, '--to', 'xml'], {
    input: markdown,
    env: environment,
    maxBuffer: 100_000_000,
  });
  const all = (pattern: RegExp): string[] => [...stdout.matchAll(pattern)].map(([, found = '']) => found);
  return {
    text: all(/<(?:text|code)\b[^>]*>([^<]*)</g)
      .map(unescaped)
      .join('')
      // Remove the word joiner that keeps a name with an @ from becoming an email link.
      .replaceAll('\u2060', ''),
    links: all(/<(?:link|image) destination="([^"]*)"/g).map(unescaped),
    kinds: new Set(all(/<([a-z_]+)/g)),
    tables: all(/<table>([\s\S]*?)<\/table>/g).map((table) =>
      table
        .split(/<table_(?:header|row)>/)
        .slice(1)
        .map((row) => row.split('<table_cell').length - 1),
    ),
  };
}

const known = new Set(
  'xml document heading paragraph text softbreak list item strong link table table_header table_row table_cell code code_block'.split(
    ' ',
  ),
);

/** Expects a page with complete tables, without HTML, and with links to reports only. */
async function expectWhole(markdown: string, link: RegExp): Promise<Found> {
  const found = await parsed(markdown);
  expect([...found.kinds].filter((kind) => !known.has(kind))).toEqual([]);
  expect(found.links.filter((destination) => !link.test(destination))).toEqual([]);
  for (const [head, ...rows] of found.tables) expect(new Set(rows)).toEqual(new Set([head]));
  expect(found.tables.length).toBeGreaterThan(0);
  return found;
}

test('each drill of a command is a row with a link to its report, even with a hostile name', async () => {
  const drills = allKindsOfDrills.map(([, drill], i) => ({ summary: drill().summary, link: `run-${i}` }));
  const { text, tables, links } = await expectWhole(
    renderDrillsMarkdown(drills, hostileTexts.join(' ')),
    /^run-\d\/report\.md$/,
  );
  expect(tables.map((rows) => rows.length)).toEqual([1 + drills.length]);
  expect(links).toHaveLength(drills.length);
  for (const hostile of hostileTexts.slice(0, 10)) expect(text).toContain(hostile);
});

describe('Markdown syntax in a name is text', () => {
  const [, example] = allKindsOfDrills[0] ?? [];

  test.each([
    'a | b',
    String.raw`a \| b \\| c`,
    '[x](http://evil.example)',
    '![x](//evil.example/y)',
    'http://evil.example/x',
    'https://evil.example/x',
    'www.evil.example',
    'a@evil.example',
    'mailto:a@evil.example',
    'xmpp:a@evil.example/b',
    '<http://evil.example>',
    '`code` **bold** _slanted_ ~~gone~~',
    '# title',
    '- item',
    '+ item',
    '1. item',
    '[x]: //evil.example',
    '[ ] task',
    '---',
    '===',
    '    indented',
    '> quoted',
    '&copy; &#35;',
    '$a$ ^1 :tada:',
  ])('%j', async (name) => {
    const summary = example?.().summary;
    if (summary === undefined) throw new Error('read the first example drill: there is none');
    const named = { ...summary, verdict: 'fail', scenario: { ...summary.scenario, name } } as const;
    const page = renderDrillsMarkdown([{ summary: { ...named, reasons: [name] } }], name);
    const { text, links } = await expectWhole(page, /^$/);
    expect(text.split(name.trim())).toHaveLength(5);
    expect(links).toEqual([]);
  });
});

describe('a report', () => {
  const examples = readdirSync(reports).filter((name) => name.startsWith('example-'));

  test.each(examples)('%s', async (name) => {
    await expectWhole(readFileSync(join(reports, name, 'report.md'), 'utf8'), /^report\.html$/);
  });

  test('has hostile texts as text', async () => {
    const log = hostileDrill().read();
    const { text } = await expectWhole(renderMarkdown(summarize(log), log), /^report\.html$/);
    for (const hostile of hostileTexts.slice(0, 10)) expect(text).toContain(hostile);
  });
});

test('a failure table has all its rows', async () => {
  const json = readFileSync(join(reports, 'table-certlocker/table.json'), 'utf8');
  const table = JSON.parse(json) as FailureTable;
  const { tables } = await expectWhole(renderTableMarkdown(table), /^runs\/[\w.-]+\/report\.md$/);
  expect(tables[0]).toHaveLength(1 + table.rows.length);
});
