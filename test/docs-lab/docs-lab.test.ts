import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { receiver, type Receiver } from '../../src/reporters/testing/receiver.ts';
import { blocksOf, type DocBlock, pages } from '../unit/lib/doc-blocks.ts';
import { root } from '../unit/lib/our-files.ts';
import { readerFolder } from '../unit/lib/reader-folder.ts';

// Runs the docs' command blocks that need the lab, in the folder of a reader outside of the checkout, in the order of the pages,
// grouped by lab. Commands that would take hours are changed by `shortened`.

const { folder, env, remove } = readerFolder();
const blocks = pages()
  .flatMap((page) => blocksOf(page).filter(({ need }) => need === 'lab'))
  .sort((a, b) => Number(isOfWazuh(a)) - Number(isOfWazuh(b)));

function isOfWazuh({ commands }: DocBlock): boolean {
  return commands.some((command) => command.includes('wazuh-lb'));
}

/** The first matching pattern changes a command: a table to one quick row (three for shards), and ten drills to two. */
const shortened: readonly (readonly [RegExp, string])[] = [
  [/^npx firedrill table certlocker --shard .*$/, `$& --grep '^(2|3|-)$$'`],
  [/^(npx firedrill table \S+) --repeat \d+(.*)$/, `$1 --grep '^2$$' --repeat 2$2`],
  [/^npx firedrill table (?:(?!--grep).)*$/, `$& --grep '^2$$'`],
  [/^(npx firedrill run .*)--repeat \d+(.*)$/, '$1--repeat 2$2'],
];

/** Commands that must run before a page's command, because a reader has their results from elsewhere. */
const before: readonly (readonly [RegExp, readonly string[]])[] = [
  [
    /^npx firedrill merge-reports /,
    [1, 3].map(
      (i) =>
        `npx firedrill table certlocker --shard ${i}/3 --seed 20261121 --out shard-${i} --grep '^(2|3|-)$'`,
    ),
  ],
  // The same drill of the previous release.
  [/ --out nights --label v1\.3 /, [`npx firedrill table certlocker --grep '^2$' --out nights --label v1.2`]],
  [
    /^npx firedrill compare v1\.2 v1\.3$/,
    [
      'npx firedrill run certlocker/postgres-crash --label v1.2',
      `npx firedrill table certlocker --grep '^2$' --label v1.2`,
    ],
  ],
];

/** Replaces the run ids that the page abbreviates with the two newest runs of its drill. */
function withRuns(command: string): string {
  if (!command.includes('…')) return command;
  const runs = readdirSync(join(folder, 'reports')).filter((name) => /^20\d\d-.*-postgres-crash-/.test(name));
  const [a = '', b = ''] = runs.sort().slice(-2);
  return command.replace(/reports\/\S+…/, `reports/${a}`).replace(/reports\/\S+…/, `reports/${b}`);
}

let collector: Receiver;
let up: string | undefined;

async function expectToRun(command: string): Promise<void> {
  const { exitCode, all } = await execa('sh', ['-euc', command], {
    cwd: folder,
    env: {
      ...env,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      FIREDRILL_GRAFANA_URL: collector.url,
      FIREDRILL_GRAFANA_TOKEN: 'a-token-of-a-service-account',
    },
    reject: false,
    all: true,
    stdin: 'ignore',
  });
  expect(exitCode, `${command}\n${all}`).toBe(0);
}

beforeAll(async () => {
  collector = await receiver();
});
afterAll(async () => {
  if (up !== undefined) await expectToRun(`npx firedrill lab down --stack ${up}`);
  await collector.close();
  remove();
});

/** Starts the lab that the command needs, and stops any other lab. */
async function labFor(command: string): Promise<void> {
  const stack = /\b(?:certlocker|wazuh-lb)\b/.exec(command)?.[0];
  if (stack === undefined || stack === up) return;
  if (up !== undefined) await expectToRun(`npx firedrill lab down --stack ${up}`);
  up = stack;
  await expectToRun(`npx firedrill lab up --stack ${stack}`);
}

function lengthOf(command: string): string {
  const [pattern, by] = shortened.find(([of]) => of.test(command)) ?? [];
  return pattern === undefined || by === undefined ? command : command.replace(pattern, by);
}

const ofFiredrill = ({ commands }: DocBlock): boolean =>
  commands.every((command) => command.startsWith('npx firedrill '));

describe('a block of commands that need the lab', () => {
  test('is found; its npm commands run in CI or in the next test', () => {
    expect(blocks.length).toBeGreaterThan(8);
    const others = blocks.filter((block) => !ofFiredrill(block)).flatMap(({ commands }) => commands);
    expect(new Set(others)).toEqual(new Set(['npm run drill', 'npm test']));
  });

  test('`npm run drill`: the main case passes', async () => {
    up = 'certlocker';
    const out = join(folder, 'quick-start');
    const { exitCode, all } = await execa('npm', ['run', 'drill', '--', '--out', out], {
      cwd: root,
      reject: false,
      all: true,
      stdin: 'ignore',
    });
    expect(exitCode, all).toBe(0);
  });

  test.each(
    blocks.filter(ofFiredrill).map((block) => [`${block.page}:${block.line}`, block.commands] as const),
  )('%s runs', async (_title, commands) => {
    for (const command of commands) {
      await labFor(command);
      for (const [of, needed] of before) if (of.test(command)) for (const c of needed) await expectToRun(c);
      await expectToRun(lengthOf(withRuns(command)));
      if (command.includes(' lab down ')) up = undefined;
    }
  });

  test('reached the receivers that the pages mention', () => {
    const paths = collector.received.map(({ method, path }) => `${method} ${path}`);
    expect(paths).toContain('POST /v1/traces');
    expect(paths).toContain('POST /api/annotations');
  });
});
