import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from './lib/our-files.ts';

const folder = 'docs/decisions';
const index = readFileSync(join(root, folder, 'README.md'), 'utf8');
const pages = readdirSync(join(root, folder))
  .filter((name) => name !== 'README.md')
  .sort()
  .map((name) => ({ name, text: readFileSync(join(root, folder, name), 'utf8') }));

/** The texts in backticks. */
function quoted(text: string): string[] {
  return [...text.matchAll(/`([^`\n]+)`/g)].map(([, words = '']) => words);
}

/** The paths in backticks that are relative to the root of the checkout and have no placeholder. */
function pathsIn(text: string): string[] {
  return quoted(text).filter((words) =>
    /^(?:src|test|bench|scripts|scenarios|compose-lab)\/[\w./-]+$/.test(words),
  );
}

/** All "`name` in `file`": pages refer to the entry point of a subject in this form. */
function entryPoints(text: string): [name: string, file: string][] {
  return [...text.matchAll(/`(\w+)` in `([\w./-]+\.ts)`/g)].map(([, name = '', file = '']) => [name, file]);
}

describe('the index of decisions', () => {
  const rows = index.split('\n').flatMap((line) => {
    const [, title, page, date] = /^\| \[(.+)\]\((\S+)\) +\| (\S.*?) +\|$/.exec(line) ?? [];
    return title === undefined ? [] : [{ title, page, date }];
  });

  test('lists every page once, with its title and date', () => {
    const expected = pages.map(({ name, text }) => ({
      title: /^# (.*)$/m.exec(text)?.[1],
      page: name,
      date: /^Date: ([^.]*)\. Status: accepted\./m.exec(text)?.[1],
    }));
    expect(rows.toSorted((a, b) => ((a.page ?? '') < (b.page ?? '') ? -1 : 1))).toEqual(expected);
  });

  test('links each subject at the top', () => {
    const subjects = [...index.matchAll(/^## (.*)$/gm)].map(([, subject = '']) => subject);
    const links = [...index.matchAll(/\[([^\]]+)\]\(#([\w-]+)\)/g)].map(([, text = '', anchor = '']) => [
      text,
      anchor,
    ]);
    expect(links).toEqual(
      subjects.map((subject) => [
        subject,
        subject
          .toLowerCase()
          .replaceAll(/[^\w -]/g, '')
          .replaceAll(' ', '-'),
      ]),
    );
  });
});

describe('a decision', () => {
  test('has a unique number', () => {
    const numbers = pages.map(({ name }) => /^(\d{4})-[a-z\d-]+\.md$/.exec(name)?.[1]);
    expect(numbers).not.toContain(undefined);
    expect(new Set(numbers).size).toBe(pages.length);
  });

  test('has context, decision, and consequences', () => {
    const headings = ['Context', 'Decision', 'Consequences'];
    const others = pages.filter(
      ({ text }) =>
        [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading).join() !== headings.join(),
    );
    expect(others.map(({ name }) => name)).toEqual([]);
  });

  test('has fewer than 300 words without its tables: two minutes to read', () => {
    const long = pages.filter(({ text }) => text.replaceAll(/^\|.*$/gm, '').split(/\s+/).length >= 300);
    expect(long.map(({ name }) => name)).toEqual([]);
  });

  test('names only files that exist', () => {
    const named = pages.flatMap(({ name, text }) => pathsIn(text).map((path) => `${name}: ${path}`));
    expect(named.length).toBeGreaterThan(pages.length);
    expect(named.filter((line) => !existsSync(join(root, line.split(': ')[1] ?? '')))).toEqual([]);
  });

  test('gives a reason for every dependency', () => {
    const text = pages.find(({ name }) => name.endsWith('-dependencies.md'))?.text ?? '';
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, object>;
    const packages = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((key) =>
      Object.keys(manifest[key] ?? {}),
    );
    const listed = text
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .flatMap((line) => quoted(line.split('|')[1] ?? ''));
    expect(listed.toSorted()).toEqual(packages.toSorted());
  });
});

describe('ARCHITECTURE.md', () => {
  const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');

  test('names only files that exist', () => {
    expect(pathsIn(text).filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test('names an exported function as the entry point of each subject', () => {
    const entries = entryPoints(text);
    expect(entries.length).toBeGreaterThan(5);
    const missing = entries.filter(([name, file]) => {
      const source = existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : '';
      return !new RegExp(String.raw`^export (?:async )?(?:function|const|class) ${name}\b`, 'm').test(source);
    });
    expect(missing).toEqual([]);
  });
});
