import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { keptOf } from '../../analysis/testing/kept.ts';
import { historyCommand } from './history.ts';
import { temporaryFolder } from '../../../test/temporary-folder.ts';

let folder: string;

beforeEach(() => {
  folder = temporaryFolder();
});

test('history --html writes a page with relative links to the reports', () => {
  let printed = '';
  const print = (text: string) => void (printed += text);
  const output = { data: print, text: print, progress: () => undefined };
  const pageAt = (html: string) => historyCommand([folder], { json: false, html }, output);
  for (const name of ['run 1', 'run-2']) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'summary.json'), JSON.stringify({ ...keptOf(1, 1000), runId: name }));
  }
  writeFileSync(join(folder, 'run 1', 'report.html'), '');
  mkdirSync(join(folder, 'site'));
  pageAt(join(folder, 'site', 'trend.html'));
  const page = readFileSync(join(folder, 'site', 'trend.html'), 'utf8');
  expect([...page.matchAll(/href="([^"#]*report[^"]*)"/g)].map(([, href]) => href)).toEqual([
    '../run%201/report.html',
  ]);
  expect(printed).toBe('');
  expect(() => pageAt(join(folder, 'none', 'trend.html'))).toThrow(/cannot write/);
});
