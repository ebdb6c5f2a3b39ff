import type { Analysis } from '../../../../src/analysis/summarize.ts';
import { type Database, type DatabaseState, simulatedDatabase } from '../database.ts';
import type { Dice } from '../dice.ts';
import type { DrillScript, Family, Stage, Step } from '../drill-script.ts';
import { limitsNear } from '../figures.ts';
import { bounds, judged, type Judged, verdict } from '../judged.ts';
import type { CheckText } from '../known-run.ts';
import { msText } from '../plan-text.ts';
import { type RowTruth, rowTruth } from '../row-truth.ts';
import { latencyOf, serviceScript } from '../service-case.ts';

interface RowCase {
  /** Share of the writes that are missing from the log. */
  readonly lostLines?: number;
  readonly readsMs: number;
  readonly effects: (database: Database) => readonly Step[];
}

/** A drill in which clients write rows into a database, while the probed service stays up. */
function rowScript(stage: Stage, { readsMs, effects, lostLines }: RowCase): DrillScript {
  const { dice, time } = stage;
  const latency = latencyOf(dice, dice.scale(1, 5));
  const clients = dice.whole(1, 3);
  const intervalMs = dice.pick([50, 100, 200]);
  const timeoutMs = 1000;
  const database = simulatedDatabase(time, { latencyMs: latency.latencyMs, timeoutMs });
  const script = serviceScript(stage, {
    probe: { intervalMs: 1000, timeoutMs: 900 },
    latency,
    stableForMs: 2000,
    quietForMs: 9000,
    effects: () => effects(database),
    heals: () => [
      {
        afterMs: 0,
        act: () => {
          database.pauseReplica(false);
          database.set('up');
        },
      },
    ],
  });
  return {
    ...script,
    writerKind: database.kind,
    ...(lostLines === undefined ? {} : { losesLine: () => dice.chance(lostLines) }),
    target: {
      ...script.target,
      writers: [
        {
          id: 'rows',
          kind: 'http',
          clients,
          interval: msText(intervalMs),
          timeout: msText(timeoutMs),
          reads: msText(readsMs),
          write: { url: 'http://198.18.9.10/rows/${rows}?row=${row}' },
          read: { url: 'http://198.18.9.10/rows/${rows}', rows: 'rows' },
          remove: { url: 'http://198.18.9.10/rows/${rows}' },
        },
      ],
    },
    // In the plan before the run, so that the writer runs.
    someChecks: [{ kind: 'rpo', name: 'some check', of: 'rows', max: '60s' }],
    checks: () => rowChecks(dice, rowTruth(database), { intervalMs: intervalMs / clients, readsMs }),
    truthText: () => [
      `losses: ${JSON.stringify(database.losses)}`,
      `pauses of the replica: ${JSON.stringify(database.pauses)}`,
    ],
    judge: (_known, analysis) => judgeRows(analysis, rowTruth(database), lostLines === undefined),
  };
}

function rowChecks(
  dice: Dice,
  { rpo, staleFor }: RowTruth,
  { intervalMs, readsMs }: { readonly intervalMs: number; readonly readsMs: number },
): readonly CheckText[] {
  const of = { of: 'rows' };
  return [
    { kind: 'rpo', name: 'none lost', max: '0ms', ...of },
    { kind: 'rows', name: 'lost rows', are: 'lost', max: 0, ...of },
    { kind: 'rows', name: 'phantoms', are: 'phantom', max: 0, ...of },
    ...limitsNear(dice, rpo, intervalMs).flatMap((ms, i) => [
      { kind: 'rpo', name: `rpo at most ${i}`, max: msText(ms), ...of },
      { kind: 'rpo', name: `rpo at least ${i}`, min: msText(ms), ...of },
    ]),
    { kind: 'stale-reads', name: 'none stale', max: '0ms', ...of },
    ...limitsNear(dice, staleFor, readsMs).map((ms, i) => ({
      kind: 'stale-reads',
      name: `stale at most ${i}`,
      max: msText(ms),
      ...of,
    })),
  ];
}

/** `isWhole`: the log has every write. Otherwise the figures cover only the writes in the log, and a note reports it. */
function judgeRows({ summary }: Analysis, truth: RowTruth, isWhole: boolean): readonly Judged[] {
  const [writer] = summary.writers;
  if (writer === undefined) return [];
  const { rpo, reads, found } = writer;
  const lost = found?.lost ?? 0;
  const isCounted = isWhole ? lost === truth.lost : lost <= truth.lost;
  return [
    ...(isWhole
      ? [...bounds('RPO', rpo, truth.rpo), ...bounds('stale reads', reads.staleFor, truth.staleFor)]
      : []),
    ...(found === null
      ? []
      : [
          judged('rows lost', isCounted ? 'held' : 'violated', `${lost}, true ${truth.lost}`),
          judged('phantoms', found.phantom === 0 ? 'held' : 'violated', `${found.phantom}, true 0`),
        ]),
    ...summary.checks.flatMap((check) => {
      // A limit of 0 applies to the reads themselves, not to the time between them.
      if (check.kind === 'stale-reads')
        return verdict(check, check.limits?.maxMs === 0 ? truth.staleSeen : truth.staleFor);
      if (check.kind === 'rows' || check.name === 'none lost') {
        const isFailing = check.name !== 'phantoms' && truth.lost > 0;
        const isRight = check.status === 'inconclusive' || (check.status === 'fail') === isFailing;
        const detail = `${check.status}: ${check.observed}; true loss ${truth.lost}`;
        const outcome = check.status === 'inconclusive' ? 'inconclusive' : isRight ? 'right' : 'wrong';
        return [judged(`check ${check.kind}`, outcome, detail)];
      }
      return check.kind === 'rpo' ? verdict(check, truth.rpo) : [];
    }),
  ];
}

/** The database goes down, and rows that it committed shortly before are lost. */
function rowLossScript(stage: Stage, lostLines?: number): DrillScript {
  const { dice, time } = stage;
  const lossMs = dice.chance(0.2) ? 0 : dice.scale(20, 4000);
  const down = dice.pick<DatabaseState>(['refuse', 'drop']);
  const cutMs = dice.chance(0.5) ? dice.scale(10, 1000) : 0;
  const crashMs = lossMs + cutMs + dice.between(0, 1000);
  const downMs = dice.scale(100, 4000);
  return rowScript(stage, {
    readsMs: 500,
    ...(lostLines === undefined ? {} : { lostLines }),
    effects: (database) => [
      {
        afterMs: crashMs - cutMs,
        act: () => {
          if (cutMs > 0) database.set('cut');
        },
      },
      {
        afterMs: crashMs,
        act: () => {
          if (lossMs > 0) database.losses.push({ fromMs: time.nowMs() - lossMs, toMs: time.nowMs() });
          database.set(down);
        },
      },
      { afterMs: crashMs + downMs, act: () => database.set('up') },
    ],
  });
}

const rowLoss: Family = {
  name: 'row-loss',
  about: 'the database goes down, and rows that it committed shortly before are lost',
  script: (stage) => rowLossScript(stage),
};

const rowLinesLost: Family = {
  name: 'row-lines-lost',
  about: "the same, and some writes are missing from the log, including a client's last one",
  script: (stage) => rowLossScript(stage, stage.dice.scale(0.002, 0.5)),
};

const staleReads: Family = {
  name: 'stale-reads',
  about:
    'reads come from a replica that falls behind for a while, in some cases for less than the time between two reads',
  script: (stage) => {
    const { dice } = stage;
    const readsMs = dice.pick([200, 500, 1000]);
    return rowScript(stage, {
      readsMs,
      effects: (database) => {
        const steps: Step[] = [];
        let atMs = dice.between(0, 2000);
        for (let n = dice.whole(0, 3); n > 0; n--) {
          steps.push({ afterMs: atMs, act: () => database.pauseReplica(true) });
          atMs += dice.scale(50, 3000);
          steps.push({ afterMs: atMs, act: () => database.pauseReplica(false) });
          atMs += dice.scale(50, 2000);
        }
        return steps;
      },
    });
  },
};

/** Families about rows that clients write. */
export const rowFamilies: readonly Family[] = [rowLoss, rowLinesLost, staleReads];
