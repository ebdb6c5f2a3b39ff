import type { Analysis } from '../../../../src/analysis/summarize.ts';
import type { Dice } from '../dice.ts';
import type { DrillScript, Family, Stage, Step } from '../drill-script.ts';
import { limitsNear } from '../figures.ts';
import { bounds, type Judged, verdict } from '../judged.ts';
import { effectMs, healBeganMs, type KnownRun } from '../known-run.ts';
import { Owned } from '../owned.ts';
import { msText, targetContent } from '../plan-text.ts';
import type { Truth } from '../recovery-truth.ts';
import { redundancyTruth, wellSpans } from '../redundancy-truth.ts';
import { type Behavior, Service } from '../service.ts';
import { latencyOf, up } from '../service-case.ts';

/** A replica, and the service that says how it is. */
interface Replica {
  readonly state: Owned;
  readonly service: Service;
  readonly well: Behavior;
}

interface RedundancyCase {
  readonly effects: (replica: Replica) => readonly Step[];
  readonly heals: (replica: Replica) => readonly Step[];
}

/** The true figures of a run. */
function figuresOf(known: KnownRun, replicas: ReadonlyMap<string, Owned>): readonly (Truth | undefined)[] {
  const well = wellSpans(known, replicas, { name: 'replica', value: 'streaming' });
  const healMs = healBeganMs(known);
  return [
    redundancyTruth(known, well, effectMs(known)),
    healMs === undefined ? undefined : redundancyTruth(known, well, healMs),
  ];
}

/** A drill after which a replica has to come back; the service itself goes on. */
function redundancyScript(stage: Stage, { effects, heals }: RedundancyCase): DrillScript {
  const { dice, time } = stage;
  const latency = latencyOf(dice, dice.scale(1, 5));
  const well = up(latency);
  const wayMs = (): number => dice.between(0.05, 0.5);
  const intervalMs = dice.pick([500, 1000, 2000]);
  const replicaOf = (): Replica => {
    const state = new Owned(time, true);
    const value = (): string => (state.isOwner ? 'streaming' : 'gone');
    return { state, service: new Service(time, well, { wayMs, value }), well };
  };
  const [lost, kept] = [replicaOf(), replicaOf()];
  const health = new Service(time, well, { wayMs });
  const probed: Readonly<Record<string, { service: Service; phase: number }>> = {
    health: { service: health, phase: dice.between(0, 1) },
    'replica@node-1': { service: lost.service, phase: dice.between(0, 1) },
    'replica@node-2': { service: kept.service, phase: dice.between(0, 1) },
  };
  const replicas = new Map([
    ['node-1', lost.state],
    ['node-2', kept.state],
  ]);
  return {
    target: targetContent(
      [
        { id: 'health', intervalMs: 1000, timeoutMs: 900 },
        { id: 'replica', on: ['node-1', 'node-2'], value: 'state', intervalMs, timeoutMs: 900 },
      ],
      {
        steady: {
          for: '2s',
          within: '60s',
          require: [{ probe: 'health' }, { probe: 'replica', is: 'streaming' }],
        },
      },
    ),
    scenario: {
      name: 'simulated',
      title: 'Simulated',
      faults: [{ kind: 'container.stop', on: 'node-1', container: 'app' }],
      recovery: { probe: 'health', within: '60s', stableFor: '2s', quietFor: '3s' },
      redundancy: { for: msText(dice.pick([1000, 3000])), within: '60s' },
    },
    probed: (id) => {
      const found = probed[id];
      if (found === undefined) throw new Error(`no probe ${id}`);
      return found;
    },
    faults: [
      {
        id: 'fault-1',
        actsAfterMs: dice.scale(1, 100),
        acknowledgedAfterMs: dice.scale(1, 200),
        effects: effects(lost),
        heals: heals(lost),
        healTakesMs: dice.between(5, 200),
      },
    ],
    tailMs: dice.between(500, 2000),
    lateMs: latency.lateMs,
    checks: (known) => {
      const [redundancy, back] = figuresOf(known, replicas);
      return [
        ...limitsNear(dice, redundancy, intervalMs).map((ms, i) => ({
          kind: 'redundancy',
          name: `redundancy ${i}`,
          max: msText(ms),
        })),
        ...limitsNear(dice, back, intervalMs).map((ms, i) => ({
          kind: 'return',
          name: `return ${i}`,
          max: msText(ms),
        })),
      ];
    },
    truthWords: () =>
      [...replicas].map(
        ([host, { changes }]) =>
          `${host}: ${changes.map(({ atMs, isUp }) => `${isUp ? 'streaming' : 'gone'} from ${atMs.toFixed(3)}`).join(', ')}`,
      ),
    judge: (known, analysis) => judgeRedundancy(analysis, figuresOf(known, replicas)),
  };
}

function judgeRedundancy(
  { summary }: Analysis,
  [redundancy, back]: readonly (Truth | undefined)[],
): readonly Judged[] {
  return [
    ...bounds('redundancy', summary.redundancy, redundancy),
    ...bounds('return', summary.heal?.return, back),
    ...summary.checks.flatMap((check) => {
      if (check.kind === 'redundancy') return verdict(check, redundancy);
      return check.kind === 'return' ? verdict(check, back) : [];
    }),
  ];
}

/** The replica comes and goes some times, and then stays. */
function comesBack(dice: Dice, { state }: Replica): Step[] {
  const steps: Step[] = [];
  let atMs = dice.between(0, 4000);
  for (let n = dice.pick([0, 0, 1, 2, 4]); n > 0; n--) {
    steps.push({ afterMs: atMs, act: () => state.set(true) });
    atMs += dice.scale(100, 3000);
    steps.push({ afterMs: atMs, act: () => state.set(false) });
    atMs += dice.scale(100, 3000);
  }
  return [...steps, { afterMs: atMs, act: () => state.set(true) }];
}

/** Stretches in which the replica's probe gets no answer. */
function silences(dice: Dice, { service, well }: Replica, behavior: Behavior): Step[] {
  return Array.from({ length: dice.whole(1, 3) }, (): Step[] => {
    const fromMs = dice.between(0, 9000);
    return [
      { afterMs: fromMs, act: () => service.set(behavior) },
      { afterMs: fromMs + dice.scale(300, 6000), act: () => service.set(well) },
    ];
  }).flat();
}

const redundancy: Family = {
  name: 'redundancy',
  about: 'a replica is gone, and comes back after the heal, at once or in several attempts',
  script: (stage) => {
    const { dice } = stage;
    return redundancyScript(stage, {
      effects: ({ state }) => [{ afterMs: dice.between(0, 1000), act: () => state.set(false) }],
      heals: (replica) => comesBack(dice, replica),
    });
  },
};

const redundancySilent: Family = {
  name: 'redundancy-silent',
  about: "the same, while the replica's probe times out now and then",
  script: (stage) => {
    const { dice } = stage;
    return redundancyScript(stage, {
      effects: ({ state }) => [{ afterMs: dice.between(0, 1000), act: () => state.set(false) }],
      heals: (replica) => [...comesBack(dice, replica), ...silences(dice, replica, { kind: 'drop' })],
    });
  },
};

const redundancyKept: Family = {
  name: 'redundancy-kept',
  about: 'the replica is not gone, or for less time than there is between two samples',
  script: (stage) => {
    const { dice } = stage;
    const isBrief = dice.chance(0.5);
    return redundancyScript(stage, {
      effects: ({ state }) => {
        const fromMs = dice.between(0, 1500);
        return isBrief
          ? [
              { afterMs: fromMs, act: () => state.set(false) },
              { afterMs: fromMs + dice.between(50, 900), act: () => state.set(true) },
            ]
          : [];
      },
      heals: () => [],
    });
  },
};

/** Families about the time to redundancy. */
export const redundancyFamilies: readonly Family[] = [redundancy, redundancySilent, redundancyKept];
