import type { DrillScript, Family, Stage, Step } from '../drill-script.ts';
import { judgeStages, type StageEvent } from '../judge-stages.ts';
import { effectMs, type KnownRun } from '../known-run.ts';
import { Owned } from '../owned.ts';
import { targetContent } from '../plan-text.ts';
import { Service } from '../service.ts';
import { latencyOf, serviceScript, up } from '../service-case.ts';

/** When something became so for the first time since a moment; undefined if it was so already, or never became so. */
function becameMs({ changes }: Owned, sinceMs: number): number | undefined {
  const wasSo = changes.findLast(({ atMs }) => atMs <= sinceMs)?.isUp === true;
  return wasSo ? undefined : changes.find(({ atMs, isUp }) => atMs > sinceMs && isUp)?.atMs;
}

/** When two things become so after the fault, from its effect on, ms; undefined: they do not. */
interface Course {
  readonly noticedMs: number | undefined;
  readonly promotedMs: number | undefined;
  /** The second host is the primary already. */
  readonly isPromotedBefore: boolean;
}

/** A drill whose recovery has stages: the load balancer notices, the standby is promoted, the service is back. */
function stageScript(stage: Stage, course: Course, lengthMs: number): DrillScript {
  const { dice, time } = stage;
  const latency = latencyOf(dice, dice.scale(1, 5));
  const well = up(latency);
  const wayMs = (): number => dice.between(0.05, 0.5);
  const noticed = new Owned(time, false);
  const promoted = new Owned(time, course.isPromotedBefore);
  const intervalMs = dice.pick([200, 500, 1000]);
  const probe = { intervalMs, timeoutMs: 900 };
  const becomes = (what: Owned, atMs: number | undefined): Step[] =>
    atMs === undefined ? [] : [{ afterMs: atMs, act: () => what.set(true) }];
  const script = serviceScript(stage, {
    probe,
    latency,
    stableForMs: 3000,
    effects: (service) => [
      { afterMs: 1, act: () => service.set({ kind: 'refuse' }) },
      ...becomes(noticed, course.noticedMs),
      ...becomes(promoted, course.promotedMs),
      { afterMs: lengthMs, act: () => service.set(well) },
    ],
    heals: () => [],
  });
  const watched = (what: Owned, yes: string, no: string): { service: Service; phase: number } => ({
    service: new Service(time, well, { wayMs, value: () => (what.isOwner ? yes : no) }),
    phase: dice.between(0, 1),
  });
  const backend = watched(noticed, 'DOWN', 'UP');
  const role = watched(promoted, 'primary', 'standby');
  const eventsOf = (known: KnownRun): ReadonlyMap<string, StageEvent> => {
    const sinceMs = effectMs(known);
    const back = known.changes.get('health')?.findLast(({ isUp }) => isUp)?.atMs;
    return new Map([
      ['notices', { atMs: becameMs(noticed, sinceMs) }],
      ['promotes', { atMs: becameMs(promoted, sinceMs) }],
      ['serves', { atMs: back }],
    ]);
  };
  return {
    ...script,
    target: targetContent(
      [
        { id: 'health', ...probe },
        { id: 'backend', ...probe, value: 'state' },
        { id: 'role', ...probe, on: ['node-2'], value: 'role' },
      ],
      { steady: { for: '2s', within: '60s', require: [{ probe: 'health' }] } },
    ),
    scenario: {
      ...script.scenario,
      stages: [
        { name: 'notices', until: { condition: { probe: 'backend', is: 'DOWN' } } },
        { name: 'promotes', until: { condition: { probe: 'role', is: 'primary', count: { min: 1 } } } },
        { name: 'serves', until: 'recovered' },
      ],
    },
    probed: (id) => (id === 'health' ? script.probed(id) : id === 'backend' ? backend : role),
    judge: (known, { summary }) => judgeStages(summary, { fromMs: effectMs(known), events: eventsOf(known) }),
  };
}

const stages: Family = {
  name: 'stages',
  about: 'a recovery in stages, in their order or not; some do not happen, or had happened before',
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

/** Families about the stages of a recovery. */
export const stageFamilies: readonly Family[] = [stages];
