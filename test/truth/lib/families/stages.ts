import type { DrillScript, Family, Stage, Step } from '../drill-script.ts';
import { Journal } from '../journal.ts';
import { judgeStages, type StageEvent } from '../judge-stages.ts';
import { effectMs, type KnownRun } from '../known-run.ts';
import type { Owned } from '../owned.ts';
import { latencyOf, serviceScript, up } from '../service-case.ts';
import { silence, reportedState, type ReportedState } from '../reported-state.ts';

/** When a state first became true after a moment, ms; undefined if it was true already or never became true. */
function becameMs({ changes }: Owned, sinceMs: number): number | undefined {
  const wasSo = changes.findLast(({ atMs }) => atMs <= sinceMs)?.isUp === true;
  return wasSo ? undefined : changes.find(({ atMs, isUp }) => atMs > sinceMs && isUp)?.atMs;
}

/** When two states become true after the fault's effect, ms; undefined: never. */
interface Course {
  readonly noticedMs: number | undefined;
  readonly promotedMs: number | undefined;
  /** The second host is already the primary. */
  readonly isPromotedBefore: boolean;
}

/** A drill with recovery stages: the load balancer notices, the standby is promoted, the service is back. */
function stageScript(stage: Stage, course: Course, lengthMs: number): DrillScript {
  const { dice } = stage;
  const latency = latencyOf(dice, dice.scale(1, 5));
  const noticed = reportedState(stage, latency, { yes: 'DOWN', no: 'UP', isSo: false });
  const promoted = reportedState(stage, latency, {
    yes: 'primary',
    no: 'standby',
    isSo: course.isPromotedBefore,
  });
  const probe = { intervalMs: dice.pick([200, 500, 1000]), timeoutMs: 900 };
  const becomes = ({ state }: ReportedState, atMs: number | undefined): Step[] =>
    atMs === undefined ? [] : [{ afterMs: atMs, act: () => state.set(true) }];
  const eventsOf = (known: KnownRun): ReadonlyMap<string, StageEvent> => {
    const sinceMs = effectMs(known);
    const back = known.changes.get('health')?.findLast(({ isUp }) => isUp)?.atMs;
    return new Map([
      ['notices', { atMs: becameMs(noticed.state, sinceMs) }],
      ['promotes', { atMs: becameMs(promoted.state, sinceMs) }],
      ['serves', { atMs: back }],
    ]);
  };
  return {
    ...serviceScript(stage, {
      probe,
      latency,
      stableForMs: 3000,
      parallel: [
        { text: { id: 'backend', ...probe, value: 'state' }, reported: new Map([['backend', noticed]]) },
        {
          text: { id: 'role', ...probe, on: ['node-2'], value: 'role' },
          reported: new Map([['role@node-2', promoted]]),
        },
      ],
      scenario: {
        stages: [
          { name: 'notices', until: { condition: { probe: 'backend', is: 'DOWN' } } },
          { name: 'promotes', until: { condition: { probe: 'role', is: 'primary', count: { min: 1 } } } },
          { name: 'serves', until: 'recovered' },
        ],
      },
      effects: (service) => [
        { afterMs: 1, act: () => service.set({ kind: 'refuse' }) },
        ...becomes(noticed, course.noticedMs),
        ...becomes(promoted, course.promotedMs),
        { afterMs: lengthMs, act: () => service.set(up(latency)) },
      ],
      heals: () => [],
    }),
    judge: (known, { summary }) => judgeStages(summary, { fromMs: effectMs(known), events: eventsOf(known) }),
  };
}

const stages: Family = {
  name: 'stages',
  about: 'a recovery with stages, in any order; some do not happen, or happened before',
  script: (stage) => {
    const { dice } = stage;
    const lengthMs = dice.scale(3000, 15_000);
    const happens = (share: number): number | undefined =>
      dice.chance(share) ? dice.between(10, lengthMs - 10) : undefined;
    const isPromotedBefore = dice.chance(0.25);
    return stageScript(
      stage,
      {
        noticedMs: happens(0.8),
        promotedMs: isPromotedBefore ? undefined : happens(0.8),
        isPromotedBefore,
      },
      lengthMs,
    );
  },
};

const stagesMarked: Family = {
  name: 'stages-marked',
  about:
    'stages that end with journal lines, in any order, in some cases before the fault; the journal is unreadable for a while',
  script: (stage) => {
    const { dice, time } = stage;
    const latency = latencyOf(dice, dice.scale(1, 5));
    const lengthMs = dice.scale(3000, 15_000);
    const journal = new Journal(time);
    const reader = reportedState(stage, latency, { yes: '', no: '', isSo: true });
    const names = ['notices', 'promotes'] as const;
    const write = (name: string, afterMs: number): Step => ({ afterMs, act: () => journal.write({ name }) });
    const firstMs = (name: string, sinceMs: number): number | undefined =>
      journal.lines.find((line) => line.name === name && line.atMs >= sinceMs)?.atMs;
    return {
      ...serviceScript(stage, {
        probe: { intervalMs: dice.pick([200, 500, 1000]), timeoutMs: 900 },
        latency,
        stableForMs: 3000,
        parallel: [
          {
            text: { id: 'log', on: ['node-2'], marks: names, intervalMs: 1000, timeoutMs: 900 },
            reported: new Map([['log@node-2', { probed: { ...reader.probed, journal } }]]),
          },
        ],
        scenario: {
          stages: [
            ...names.map((name) => ({ name, until: { probe: 'log', mark: name } })),
            { name: 'serves', until: 'recovered' },
          ],
        },
        effects: (service) => [
          { afterMs: 1, act: () => service.set({ kind: 'refuse' }) },
          ...names.flatMap((name) =>
            dice.chance(0.8) ? [write(name, dice.between(10, lengthMs - 10))] : [],
          ),
          { afterMs: lengthMs, act: () => service.set(up(latency)) },
          ...(dice.chance(0.4) ? silence(dice, reader, { kind: 'drop' }, lengthMs) : []),
        ],
        heals: () => [],
      }),
      background: names.flatMap((name) => (dice.chance(0.3) ? [write(name, dice.between(0, 2000))] : [])),
      truthText: () => journal.lines.map(({ name, atMs }) => `${name} at ${atMs.toFixed(3)}`),
      judge: (known, { summary }) => {
        const fromMs = effectMs(known);
        const back = known.changes.get('health')?.findLast(({ isUp }) => isUp)?.atMs;
        const events = new Map<string, StageEvent>([
          ...names.map((name) => [name, { atMs: firstMs(name, fromMs) }] as const),
          ['serves', { atMs: back }],
        ]);
        return judgeStages(summary, { fromMs, events });
      },
    };
  },
};

/** Families about recovery stages. */
export const stageFamilies: readonly Family[] = [stages, stagesMarked];
