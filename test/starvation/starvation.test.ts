import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { conditions } from '../../bench/conditions.ts';
import { ExitCode } from '../../src/core/errors.ts';
import { runCommand } from '../../src/lab/command.ts';
import { measureSpeed, speedDeps, speedText } from '../../src/lab/machine-speed.ts';
import { createBench } from '../firedrill.ts';
import { keepReport } from '../lab/lib/keep-report.ts';
import { chosenConditions, type ConditionName, leftQuota, putInForce } from './lib/conditions.ts';
import { type DrillRecord, readDrill } from './lib/drill-record.ts';
import { judge, type Part } from './lib/judge.ts';
import { withUnmeetableRto } from './lib/must-fail.ts';
import { renderTrial } from './lib/table.ts';

// Drills on a machine that deliberately lacks CPU or disk. The thresholds of src/core/starvation-limits.ts are right if no
// drill has a false verdict. A drill of the unchanged scenario may pass, or be inconclusive because of starvation. A drill with
// an unmeetable limit must not pass. On the quiet machine the first must pass and the second must fail.
const root = join(import.meta.dirname, '../..');
const defaultScenarios: Readonly<Record<string, string>> = {
  'wazuh-lb': 'nginx-stop',
  certlocker: 'postgres-crash',
};
const stack = process.env['STARVATION_STACK'] ?? 'wazuh-lb';
const scenario = process.env['STARVATION_SCENARIO'] ?? defaultScenarios[stack];
if (scenario === undefined)
  throw new Error(
    `choose a drill of ${stack}: there is no default\nhint: set STARVATION_SCENARIO to one of scenarios/${stack}`,
  );
const rounds = Number(process.env['STARVATION_DRILLS'] ?? 5);
if (!Number.isInteger(rounds) || rounds < 1)
  throw new Error('STARVATION_DRILLS: not a count of drills\nhint: use a whole number of at least 1');
const reportPath =
  process.env['STARVATION_REPORT'] === '1' ? join(root, 'reports/starvation', `${stack}.md`) : undefined;

const path = `scenarios/${stack}/${scenario}.yaml`;
// At the same depth as the original, because it has relative file names.
const mustFailPath = `.firedrill/starvation/${stack}-${scenario}.yaml`;
const paths: Readonly<Record<Part, string>> = { 'as-is': path, 'must-fail': mustFailPath };

const bench = createBench();
const signal = AbortSignal.timeout(60_000);
const machine = conditions();
const drills: DrillRecord[] = [];
const skipped = new Map<string, string>();
let speed = '';
let faultLeft = false;

/** Undoes the condition in force, if there is one. */
let undo = (): void => {};
function undoNow(): void {
  undo();
  undo = () => {};
}
process.once('exit', undoNow);
afterEach(async () => {
  undoNow();
  // Heal on the quiet machine, because an open fault would block the next drill.
  if (faultLeft) await bench.start('heal');
  faultLeft = false;
});

beforeAll(async () => {
  mkdirSync(join(root, '.firedrill/starvation'), { recursive: true });
  writeFileSync(join(root, mustFailPath), withUnmeetableRto(readFileSync(join(root, path), 'utf8')));
  speed = speedText(await measureSpeed(speedDeps({ run: runCommand, signal })));
  await bench.labUp(stack);
  const quota = await leftQuota(stack);
  if (quota !== null)
    throw new Error(
      `the lab's control group already has a CPU quota of ${quota} CPUs\nhint: remove it, because it distorts the quiet drills`,
    );
});

afterAll(async () => {
  undoNow();
  await bench.start('lab', 'down', '--stack', stack);
  bench.remove();
});

/** Runs one drill while a condition is in force; skips the test if the machine cannot have the condition. */
async function drillUnder(
  condition: ConditionName,
  part: Part,
  round: number,
  { skip }: Pick<TestContext, 'skip'>,
): Promise<DrillRecord> {
  const out = join(bench.out, `${condition}-${part}-${round}`);
  const inForce = await putInForce(condition, stack);
  if ('unavailable' in inForce) {
    skipped.set(condition, inForce.unavailable);
    return skip(inForce.unavailable);
  }
  undo = inForce.undo;
  try {
    const { exitCode, all } = await bench.start('run', paths[part], '--out', out);
    faultLeft = exitCode === ExitCode.notHealed;
    expect(inForce.holds(), `${condition} did not stay in force\n${all}`).toBe(true);
    const drill = readDrill({ condition, part, round }, out, exitCode);
    drills.push(drill);
    return drill;
  } finally {
    undoNow();
  }
}

const each = Array.from({ length: rounds }, (_, index) => ({ round: index + 1 }));

describe.each(chosenConditions(process.env['STARVATION_ONLY']).map((condition) => ({ condition })))(
  '$condition',
  ({ condition }) => {
    // Written after each condition, so that an interrupted trial keeps its results.
    afterAll(() => {
      keepReport(reportPath, drills, () => renderTrial({ stack, scenario, machine, speed, drills, skipped }));
    });

    test.for(each)('drill $round of the unchanged scenario is not a false fail', async ({ round }, ctx) => {
      const drill = await drillUnder(condition, 'as-is', round, ctx);
      expect(judge(drill), drill.reasons.join('\n')).toBe('right');
    });

    test.for(each)('drill $round with an unmeetable limit is not a false pass', async ({ round }, ctx) => {
      const drill = await drillUnder(condition, 'must-fail', round, ctx);
      expect(judge(drill), drill.reasons.join('\n')).toBe('right');
    });
  },
);
