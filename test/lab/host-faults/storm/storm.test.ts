import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seeded } from '../../../../src/analysis/testing/log-builder.ts';
import { createBench } from '../../../firedrill.ts';
import { keepReport } from '../../lib/keep-report.ts';
import { killedLog } from '../../lib/killed-log.ts';
import { machinesDown } from '../machines.ts';
import { type StormFault, stormFaults, stormScenario } from './faults.ts';
import { isAimed, untilMoment } from './moment.ts';
import { difference, openRecords, stormUp, whole } from './stand.ts';
import { sharedTemporaryFolder } from '../../../temporary-folder.ts';

// Kills the harness (SIGKILL) at random moments of drills, for every kind of fault. Then nothing may be left behind, which the
// test checks on the machines, independent of the output of `heal`. The suite has one kill of each kind; `npm run test:storm`
// has more.
const kills = Number(process.env['STORM_KILLS'] ?? stormFaults.length);
const seed = Number(process.env['STORM_SEED'] ?? 4711);
const reportPath = process.env['STORM_REPORT'];

const bench = createBench();
const { state } = bench;
const target = join(import.meta.dirname, 'target.yaml');
const signal = AbortSignal.timeout(7_200_000);
/** Approximate time of a drill here, from its first line to the end of its heal. */
const drillMs = { fromMs: 400, toMs: 4400 };
/** The faults' lease plus the time that the auto-revert timer may take after it, ms. */
const autoRevertMs = 3000 + 5000;

interface Kill {
  readonly kind: string;
  readonly way: 'heal' | 'auto-revert timer';
  /** Type of the last step in its log. */
  readonly killedAfter: string;
  /** Whether an undo record was open. */
  readonly open: boolean;
  readonly healed: boolean;
  readonly tornBytes: number;
}

const folder = sharedTemporaryFolder();
const done: Kill[] = [];
const random = seeded(seed);
let untouched: string;

beforeAll(async () => {
  await stormUp(signal);
  for (const fault of stormFaults)
    writeFileSync(join(folder, `${fault.name}.yaml`), stormScenario(fault, target));
  untouched = await whole(signal);
});

afterAll(async () => {
  await machinesDown();
  bench.remove();
  keepReport(reportPath, done, report);
});

/** Kills one drill, lets `heal` or the timer undo its fault, and returns what is left. */
async function killOnce(number: number, fault: StormFault, way: Kill['way']) {
  const out = join(folder, `out-${number}`);
  mkdirSync(out);
  const drill = bench.start('run', join(folder, `${fault.name}.yaml`), '--out', out);
  await untilMoment(number, { drill, state, random, ...drillMs, signal });
  drill.kill('SIGKILL');
  await drill;
  const { last, tornBytes } = killedLog(out);
  const open = openRecords(state).length > 0;
  let seen = '';
  if (way === 'auto-revert timer') seen = await difference(untouched, autoRevertMs, signal);
  const heal = await bench.start('heal');
  if (way === 'heal') seen = await difference(untouched, 5000, signal);
  const healed = seen === '' && heal.exitCode === 0 && openRecords(state).length === 0;
  done.push({ kind: fault.name, way, killedAfter: last, open, healed, tornBytes });
  rmSync(out, { recursive: true });
  return { seen, heal: heal.exitCode, left: openRecords(state), story: `${last}\n${heal.all}` };
}

/** All kinds in turn. Every second kill is left to the auto-revert timer, if the kind has one. */
const plan = Array.from({ length: kills }, (_, number) => {
  const fault = stormFaults[number % stormFaults.length];
  if (fault === undefined) throw new Error('plan the kills: there is no fault');
  // The number of kinds is odd, so each kind is healed in both ways in turn.
  return {
    number,
    fault,
    way: fault.hasAutoRevert && number % 2 === 1 ? 'auto-revert timer' : 'heal',
  } as const;
});

describe('a killed harness leaves nothing behind', () => {
  test.each(plan.map((kill) => ({ ...kill, name: kill.fault.name })))(
    '$name, kill $number: $way',
    async ({ number, fault, way }) => {
      const { seen, heal, left, story } = await killOnce(number, fault, way);
      expect({ seen, heal, left }, story).toEqual({ seen: '', heal: 0, left: [] });
    },
  );

  test('the kills that were aimed at open faults hit them', () => {
    expect(done).toHaveLength(kills);
    expect(done.flatMap(({ open }, number) => (isAimed(number) && !open ? [number] : []))).toEqual([]);
  });
});

/** Counts by kind and by the last step before the kill. */
function report(): string {
  const healed = (of: readonly Kill[]): string =>
    `${of.filter((kill) => kill.healed).length} of ${of.length}`;
  const rows = stormFaults.map(({ name }) => {
    const own = done.filter(({ kind }) => kind === name);
    const by = (way: Kill['way']): readonly Kill[] => own.filter((kill) => kill.way === way);
    const open = own.filter((kill) => kill.open).length;
    return `| ${name} | ${own.length} | ${open} | ${healed(by('heal'))} | ${healed(by('auto-revert timer'))} |`;
  });
  const steps = [...new Set(done.map(({ killedAfter }) => killedAfter))].sort();
  return [
    '# Storm',
    '',
    `${done.length} drills were killed (SIGKILL) at random moments (seed ${seed}; two of every four while a fault was open). ${healed(done)} were healed, as`,
    `checked on the machines. ${done.filter(({ open }) => open).length} of the drills had an open fault, ${done.filter(({ tornBytes }) => tornBytes > 0).length} had a torn last line in the log.`,
    '',
    '| fault | kills | with an open fault | by `heal` | by the auto-revert timer |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
    '| last step in the log | kills | healed |',
    '| --- | --- | --- |',
    ...steps.map((step) => {
      const own = done.filter(({ killedAfter }) => killedAfter === step);
      return `| ${step} | ${own.length} | ${healed(own)} |`;
    }),
  ].join('\n');
}
