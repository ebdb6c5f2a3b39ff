import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
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

// The harness is killed (SIGKILL) at random moments of drills over every kind of fault. Then nothing may be left behind: what
// `heal` says is not believed, the machines are looked at. The suite has a kill of each kind; `npm run test:storm` has more.
const kills = Number(process.env['STORM_KILLS'] ?? stormFaults.length);
const seed = Number(process.env['STORM_SEED'] ?? 4711);
const reportPath = process.env['STORM_REPORT'];

const bench = createBench();
const { state } = bench;
const target = join(import.meta.dirname, 'target.yaml');
const signal = AbortSignal.timeout(7_200_000);
/** When a drill here may be anywhere from its first line to the end of its heal: about. */
const drillMs = { fromMs: 400, toMs: 4400 };
/** The lease of the faults and what the dead man may take beyond it. */
const deadManMs = 3000 + 5000;

interface Kill {
  readonly kind: string;
  readonly way: 'heal' | 'dead man';
  /** The last thing that its log has. */
  readonly killedAfter: string;
  /** An undo record was open. */
  readonly open: boolean;
  readonly healed: boolean;
  readonly tornBytes: number;
}

const folder = mkdtempSync(join(tmpdir(), 'firedrill-storm-'));
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
  rmSync(folder, { recursive: true });
  keepReport(reportPath, done, report);
});

/** Kills one drill, has it healed, and gives what is left of it. */
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
  if (way === 'dead man') seen = await difference(untouched, deadManMs, signal);
  const heal = await bench.start('heal');
  if (way === 'heal') seen = await difference(untouched, 5000, signal);
  const healed = seen === '' && heal.exitCode === 0 && openRecords(state).length === 0;
  done.push({ kind: fault.name, way, killedAfter: last, open, healed, tornBytes });
  rmSync(out, { recursive: true });
  return { seen, heal: heal.exitCode, left: openRecords(state), story: `${last}\n${heal.all}` };
}

/** Each kind in turn, every other kill left to the dead man where the kind has one. */
const plan = Array.from({ length: kills }, (_, number) => {
  const fault = stormFaults[number % stormFaults.length];
  if (fault === undefined) throw new Error('no faults');
  // The number of kinds is odd: each kind is healed both ways in turn.
  return { number, fault, way: fault.hasDeadMan && number % 2 === 1 ? 'dead man' : 'heal' } as const;
});

describe('a harness that is killed leaves nothing behind', () => {
  test.each(plan.map((kill) => ({ ...kill, name: kill.fault.name })))(
    '$name, kill $number: $way',
    async ({ number, fault, way }) => {
      const { seen, heal, left, story } = await killOnce(number, fault, way);
      expect({ seen, heal, left }, story).toEqual({ seen: '', heal: 0, left: [] });
    },
  );

  test('and those that were aimed at open faults met them', () => {
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
    return `| ${name} | ${own.length} | ${open} | ${healed(by('heal'))} | ${healed(by('dead man'))} |`;
  });
  const steps = [...new Set(done.map(({ killedAfter }) => killedAfter))].sort();
  return [
    '# Storm',
    '',
    `${done.length} drills killed (SIGKILL) at random moments (seed ${seed}; every other two while a fault was open): ${healed(done)} healed, as seen on the machines;`,
    `${done.filter(({ open }) => open).length} of them had a fault open, ${done.filter(({ tornBytes }) => tornBytes > 0).length} a torn last line in the log.`,
    '',
    '| fault | kills | with an open fault | by `heal` | by the dead man |',
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
