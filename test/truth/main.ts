import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Family } from './lib/drill-script.ts';
import { dump } from './lib/dump.ts';
import { families, familyOf } from './lib/families.ts';
import { violationsOf } from './lib/violations.ts';
import { renderReport } from './lib/report.ts';
import { runOnThreads } from './lib/run-threads.ts';
import { renderTable, totals } from './lib/table.ts';

// `npm run test:truth` gives simulated logs with a known truth to the real analysis. It exits with 1 if a figure or a verdict
// contradicts every course of events that the samples leave possible.

const usage = `usage: npm run test:truth -- [--logs N] [--seed N] [--family NAME,...] [--report]
       npm run test:truth -- --family NAME --seed N --one

  --logs    number of logs, spread evenly over the families (default: 20000)
  --seed    seed of the first log of each family; each further log adds 1 (default: 1)
  --family  only these families: ${families.map(({ name }) => name).join(', ')}
  --report  write reports/truth/README.md
  --one     print the log, the truth, and the judged figures of one case
`;

/** Its message is printed with the usage. */
class BadUsage extends Error {}

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1)
    throw new BadUsage(`--${name} ${text}: the value must be a whole number of at least 1`);
  return number;
}

function chosenFamilies(names: string | undefined): readonly Family[] {
  if (names === undefined) return families;
  return names.split(',').map((name) => {
    const family = familyOf(name);
    if (family === undefined) throw new BadUsage(`--family ${name}: unknown family`);
    return family;
  });
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      logs: { type: 'string', default: '20000' },
      seed: { type: 'string', default: '1' },
      family: { type: 'string' },
      report: { type: 'boolean', default: false },
      one: { type: 'boolean', default: false },
    },
  });
  const seed = wholeNumber('seed', values.seed);
  const chosen = chosenFamilies(values.family);
  if (values.one) {
    const [family] = chosen;
    if (family === undefined || chosen.length > 1) throw new BadUsage('--one requires exactly one --family');
    process.stdout.write(await dump(family, seed));
    return 0;
  }
  const logs = wholeNumber('logs', values.logs);
  const threads = availableParallelism();
  const tallies = await runOnThreads(chosen, { logs, seed, threads });
  const violations = violationsOf(tallies);
  process.stdout.write(`${renderTable(tallies)}\n`);
  if (values.report) {
    const folder = join(import.meta.dirname, '../../reports/truth');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'README.md'), renderReport(tallies, { logs, seed }));
  }
  const { cases, judged, checks, inconclusive, refused } = totals(tallies);
  process.stdout.write(
    `\n${cases} logs, ${judged} figures; ${inconclusive} of ${checks} checks inconclusive, ${refused} checks refused by the planner\n`,
  );
  process.stdout.write(`\n${violations.length === 0 ? 'no violation' : 'violations:'}\n`);
  for (const { family, figure, count, seeds } of violations) {
    process.stdout.write(`  ${family}: ${figure}: ${count}, seeds ${seeds.join(', ')}\n`);
  }
  return violations.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof BadUsage) && !isParseError(error)) throw error;
  process.stderr.write(`${(error as Error).message}\n\n${usage}`);
  process.exitCode = 2;
}

function isParseError(error: unknown): boolean {
  return (
    error instanceof TypeError && String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS')
  );
}
