import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { raiseSessionPriority } from '../src/engine/priority.ts';
import { conditions } from './conditions.ts';
import { costConditions, type SampleCosts, sampleCostsFile } from './observer/sample-costs.ts';
import { runAnalysis } from './parts/analysis.ts';
import { runCapacity } from './parts/capacity.ts';
import { runHostile } from './parts/hostile.ts';
import { runIsolation } from './parts/isolation.ts';
import { runLight } from './parts/light.ts';
import { runNights } from './parts/nights.ts';
import { runObserver } from './parts/observer.ts';
import { runOperations } from './parts/operations.ts';
import { runOverload } from './parts/overload.ts';
import type { BenchContext } from './parts/part.ts';
import { runRto } from './parts/rto.ts';
import { runSoak } from './parts/soak.ts';
import { runWindows } from './parts/windows.ts';
import type { Tools } from './peers/peer.ts';
import { fetchTools } from './peers/tools.ts';
import type { PartResults, Results } from './results.ts';
import { renderTable } from './table.ts';

// `npm run bench`: compares firedrill and other tools with outages of known true edges, then measures the capacity of the prober
// and the analysis. Raw results and a table go to reports/bench.

const parts: { readonly [P in keyof PartResults]: (context: BenchContext) => Promise<PartResults[P]> } = {
  windows: runWindows,
  operations: runOperations,
  rto: runRto,
  light: runLight,
  capacity: runCapacity,
  isolation: runIsolation,
  hostile: runHostile,
  overload: runOverload,
  analysis: runAnalysis,
  soak: runSoak,
  nights: runNights,
};
const names = Object.keys(parts) as (keyof PartResults)[];
/** Its result is in a separate file, which the reference is generated from. */
const observer = 'observer';
type PartName = keyof PartResults | typeof observer;
const allNames: readonly PartName[] = [...names, observer];

const noTools: Tools = { program: () => undefined, env: {} };

const usage = `usage: npm run bench -- [--only PART,...] [--seed N] [--out FOLDER] [--quick]

  --only PART,...  run only these parts (${allNames.join(', ')}); the other results are kept (default: all)
  --seed N         seed of the random times of outages; it is printed (default: random)
  --out FOLDER     folder of the results (default: reports/bench, with --quick reports/bench-quick)
  --quick          run each part for a few seconds, as a test; the figures are meaningless
`;

/** A wrong command line: the usage is printed. */
class BadUsage extends Error {}

const say = (line: string): void => void process.stderr.write(`${line}\n`);
try {
  process.exitCode = await bench(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof BadUsage)) throw error;
  say(`${error.message}\n\n${usage}`);
  process.exitCode = 2;
}

async function bench(args: readonly string[]): Promise<number> {
  const { only, seed, out, quick } = options(args);
  mkdirSync(out, { recursive: true });
  const folder = mkdtempSync(join(tmpdir(), 'firedrill-bench-'));
  const stop = (): never => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(130);
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const lower = only.every((name) => name === 'nights') ? () => undefined : raiseSessionPriority();
  try {
    // `observer` compares with the machine's own tools, and `nights` needs none.
    const needsTools = only.some((name) => name !== observer && name !== 'nights');
    const tools = needsTools ? await fetchTools(join('.firedrill', 'bench'), say) : noTools;
    say(`seed ${seed}`);
    for (const name of only) {
      say(`${name} ...`);
      const here = join(folder, name);
      mkdirSync(here);
      const before = conditions();
      const context = { seed, folder: here, quick, tools, report: (line: string) => say(`  ${line}`) };
      if (name === observer) {
        const costs = { conditions: costConditions(before), ...(await runObserver(context)) };
        keepCosts(out, costs);
      } else {
        keep(out, { [name]: { conditions: before, seed, result: await parts[name](context) } });
      }
      rmSync(here, { recursive: true });
    }
  } finally {
    lower();
    rmSync(folder, { recursive: true, force: true });
  }
  if (only.some((name) => name !== observer))
    process.stdout.write(readFileSync(join(out, 'table.md'), 'utf8'));
  return 0;
}

function options(args: readonly string[]) {
  const { values } = parse(args);
  const only = values.only === undefined ? allNames : values.only.split(',').map(partName);
  const quick = values.quick === true;
  const seed = values.seed === undefined ? randomInt(1_000_000) : Number(values.seed);
  if (!Number.isSafeInteger(seed))
    throw new BadUsage(`--seed: expected a whole number, found "${values.seed}"`);
  const out = values.out ?? join('reports', quick ? 'bench-quick' : 'bench');
  return { only, quick, seed, out };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string' },
        seed: { type: 'string' },
        out: { type: 'string' },
        quick: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new BadUsage((error as Error).message);
  }
}

function partName(text: string): PartName {
  const name = allNames.find((one) => one === text);
  if (name === undefined) throw new BadUsage(`--only: unknown part "${text}"; known: ${allNames.join(', ')}`);
  return name;
}

/** Merges results into the existing ones, and writes the table. */
function keep(out: string, more: Results): void {
  const path = join(out, 'results.json');
  const before = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Results) : {};
  const all: Results = { ...before, ...more };
  const ordered = Object.fromEntries(
    names.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]]])),
  );
  writeFileSync(path, `${JSON.stringify(ordered, rounded, 1)}\n`);
  writeFileSync(join(out, 'table.md'), renderTable(ordered));
}

/** Replaces the existing costs of samples. */
function keepCosts(out: string, costs: SampleCosts): void {
  const path = join(out, sampleCostsFile);
  writeFileSync(path, `${JSON.stringify(costs, rounded, 1)}\n`);
  say(`  wrote ${path}; run \`npm run docs\` to update docs/reference/probes.md`);
}

/** Rounds to three digits: no figure is more precise than 1 µs. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 1000) / 1000 : value;
}
