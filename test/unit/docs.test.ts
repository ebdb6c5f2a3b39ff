import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join, resolve } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pathOfName } from '../../src/cli/scenario-names.ts';
import type { Summary } from '../../src/core/summary.ts';
import { listen, type Listening } from '../../src/net/testing/servers.ts';
import { blocksOf, filesOf, pages, strayCommands } from './lib/doc-blocks.ts';
import { root } from './lib/our-files.ts';
import { type ReaderFolder, readerFolder } from './lib/reader-folder.ts';

const blocks = pages().flatMap((page) => blocksOf(page));
const bin = join(root, 'bin/firedrill.mjs');
let server: Listening;

/** Commands that a block may run: they only read, or they write below the reader's folder. */
const harmless = new Set([
  'validate',
  'plan',
  'model',
  'schema',
  'test-extension',
  'doctor',
  'watch',
  'report',
  'history',
  'compare',
  'init',
  'completion',
  'status',
  'heal',
]);

/** The URL of a local server in the pages. The test replaces it with the URL of its own server. */
const pagesUrl = 'http://127.0.0.1:8080/';

beforeAll(async () => {
  server = await listen(createServer((_request, response) => response.end('ok')));
});
afterAll(async () => {
  await server.close();
  for (const reader of readers.values()) reader.remove();
});

const readers = new Map<string, ReaderFolder>();

/** The folder of a reader who reads only this page, and has created the files that the page shows. */
function readerOf(page: string): ReaderFolder {
  const reader = readers.get(page) ?? readerFolder();
  if (readers.has(page)) return reader;
  readers.set(page, reader);
  for (const { path, text } of filesOf(page)) {
    mkdirSync(dirname(join(reader.folder, path)), { recursive: true });
    writeFileSync(join(reader.folder, path), text);
  }
  // A run of the reader's own.
  const run = join(root, 'reports/example-certlocker');
  const { runId } = JSON.parse(readFileSync(join(run, 'summary.json'), 'utf8')) as Summary;
  cpSync(run, join(reader.folder, 'reports', runId), { recursive: true });
  return reader;
}

const helps = new Map<string, Promise<string>>();

/** The help of a command, cached. Rejects if the command does not exist. */
function helpOf(verbs: readonly string[]): Promise<string> {
  const name = verbs.join(' ');
  const help =
    helps.get(name) ?? execa(process.execPath, [bin, ...verbs, '--help']).then(({ stdout }) => stdout);
  helps.set(name, help);
  return help;
}

function firedrillOf(command: string): string[] | undefined {
  const words = command.split(/\s+/);
  return words[0] === 'npx' && words[1] === 'firedrill' ? words.slice(2) : undefined;
}

const withoutNeeds = blocks.filter(({ need }) => need === 'nothing');
const withNeeds = blocks.filter(({ need }) => need !== 'nothing');
const title = ({ page, line }: { readonly page: string; readonly line: number }): string => `${page}:${line}`;

describe('a block of commands', () => {
  test('exists with and without a mark', () => {
    expect(withoutNeeds.length).toBeGreaterThan(5);
    expect(withNeeds.length).toBeGreaterThan(5);
  });

  test.each(withoutNeeds.map((block) => [title(block), block] as const))(
    '%s exits with 0',
    async (_title, { page, commands }) => {
      const { folder, env } = readerOf(page);
      const verbs = commands.map((command) => firedrillOf(command)?.[0] ?? command);
      expect(verbs.filter((verb) => !harmless.has(verb))).toEqual([]);
      const { exitCode, all } = await execa(
        'sh',
        ['-euc', commands.join('\n').replaceAll(pagesUrl, `http://${server.address}/`)],
        {
          cwd: folder,
          env,
          reject: false,
          all: true,
          stdin: 'ignore',
          timeout: 280_000,
        },
      );
      expect(exitCode, all).toBe(0);
    },
    90_000,
  );

  const commands = withNeeds.flatMap((block) =>
    block.commands.map((command) => [`${title(block)} ${command}`, command, block.need] as const),
  );

  test.each(commands.filter(([, command]) => firedrillOf(command) !== undefined))(
    '%s: its files and options exist',
    async (_title, command, need) => {
      const words = firedrillOf(command) ?? [];
      const help = await helpOf(words.slice(0, words[0] === 'lab' ? 2 : 1));
      const options = words.filter((word) => word.startsWith('--')).map((word) => word.replace(/=.*/, ''));
      expect(options.filter((option) => !help.includes(`${option} `))).toEqual([]);
      const [verb = '', ...args] = words;
      if (need !== 'lab' || !['run', 'table', 'plan', 'model', 'validate'].includes(verb)) return;
      const names = args.filter((word, i) => word.includes('/') && !args[i - 1]?.startsWith('--'));
      expect(names.filter((name) => pathOfName(name) === undefined)).toEqual([]);
    },
  );

  test.each(commands.filter(([, command]) => firedrillOf(command) === undefined))(
    '%s: is an existing npm script, or a command of OpenStack or Docker',
    (_title, command) => {
      const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
      const known = [
        'npm test',
        'npm install --save-dev firedrill',
        ...Object.keys(scripts).map((name) => `npm run ${name}`),
      ];
      expect(/^(?:openstack|docker) /.test(command) || known.includes(command)).toBe(true);
    },
  );

  test.each(pages())('%s has no commands in a fence without the language sh or console', (page) => {
    expect(strayCommands(readFileSync(join(root, page), 'utf8'))).toEqual([]);
  });

  test('is found by its fence and its mark', () => {
    const text = 'x\n\n<!-- lab -->\n\n```sh\nnpx firedrill run a\n# why\n```\n\n```console\n$ ls\na\n```\n';
    expect(blocksOf('p', text)).toEqual([
      { page: 'p', line: 5, need: 'lab', commands: ['npx firedrill run a'] },
      { page: 'p', line: 10, need: 'nothing', commands: ['ls'] },
    ]);
    expect(() => blocksOf('p', '<!-- soon -->\n```sh\nls\n```\n')).toThrow('p:2: unknown mark: soon');
    expect(filesOf('p', '```ts\n// drills/a.ts\nb;\n```\n\n```yaml\nc: d\n```\n')).toEqual([
      { path: 'drills/a.ts', text: '// drills/a.ts\nb;\n' },
    ]);
    expect(strayCommands('```\nnpx firedrill run a\n```\nnpx b\n')).toEqual(['npx firedrill run a']);
  });
});

describe('a link of a page', () => {
  const forContributors = ['ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'];
  const links = [...pages(), ...forContributors].flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link = '']) => link)
      .filter((link) => !/^(?:https?:|#)/.test(link))
      .map((link) => [page, link] as const),
  );

  test.each(links)('%s: the target of %s exists', (page, link) => {
    expect(existsSync(resolve(root, dirname(page), link.replace(/#.*/, '')))).toBe(true);
  });
});

describe('a link to a heading', () => {
  /** The anchors of a page's headings, as GitHub makes them. */
  const anchorsOf = (page: string): string[] =>
    readFileSync(page, 'utf8')
      .split('\n')
      .filter((line) => /^#{1,6} /.test(line))
      .map((line) =>
        line
          .replace(/^#+ /, '')
          .toLowerCase()
          .replaceAll(/[^\p{L}\p{N}\-_ ]/gu, '')
          .replaceAll(' ', '-'),
      );
  const links = pages().flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/\]\(([^)\s]*#[^)\s]+)\)/g)]
      .map(([, link = '']) => link)
      .filter((link) => !/^https?:/.test(link))
      .map((link) => [page, link] as const),
  );

  test.each(links)('%s: the heading of %s exists', (page, link) => {
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? join(root, page) : resolve(root, dirname(page), path);
    expect(anchorsOf(target)).toContain(anchor);
  });
});

describe('the README', () => {
  test('is short, and its picture is small', () => {
    expect(readFileSync(join(root, 'README.md'), 'utf8').split('\n').length).toBeLessThan(250);
    expect(readFileSync(join(root, 'docs/report.png')).length).toBeLessThan(200_000);
  });
});

describe('a message in docs/troubleshooting.md', () => {
  const text = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8');
  const messages = [...text.matchAll(/^\| (`.*?`) +\|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`(.+?)`/g)].map(([, message = '']) => message),
  );
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(root, 'src', name), 'utf8'))
    .join('\n');

  test('is found', () => {
    expect(messages.length).toBeGreaterThan(12);
  });

  // Words in capitals, ellipses, and 198.x addresses are placeholders.
  test.each(messages)('%s: is a message in src', (message) => {
    const parts = message
      .split(/\b[A-Z]+\b|…|\b198\.[\d./]+/)
      .map((part) => part.replaceAll(/^[\s:]+|[\s:]+$/g, ''));
    expect(parts.filter((part) => part.length > 2 && !sources.includes(part))).toEqual([]);
  });
});
