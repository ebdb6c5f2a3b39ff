import type { Analysis } from '../../../../src/analysis/summarize.ts';
import type { Dice } from '../dice.ts';
import type { DrillScript, Family, Stage, Step } from '../drill-script.ts';
import { limitsNear } from '../figures.ts';
import { bounds, type Judged, verdict } from '../judged.ts';
import { type CheckText, effectMs, healBeganMs, type KnownRun } from '../known-run.ts';
import { msText } from '../plan-text.ts';
import type { Truth } from '../recovery-truth.ts';
import { redundancyTruth, upSpans, wellSpans } from '../redundancy-truth.ts';
import type { Service } from '../service.ts';
import { type Latency, latencyOf, serviceScript } from '../service-case.ts';
import { failing, outage, usualProbe } from '../service-family.ts';
import { silence, stateText, reportedState, type ReportedState } from '../reported-state.ts';

interface RedundancyCase {
  /** Effects of the fault on the service and on the replica of the fault's host. */
  readonly effects: (replica: ReportedState, service: Service) => readonly Step[];
  readonly heals: (replica: ReportedState) => readonly Step[];
  /** The service has outages, and its recovery must last until redundancy. */
  readonly untilRedundancy?: true;
}

const words = { yes: 'streaming', no: 'gone' };

/** A drill after which a replica must come back. */
function redundancyScript(
  stage: Stage,
  { effects, heals, untilRedundancy }: RedundancyCase,
  latency: Latency,
): DrillScript {
  const { dice } = stage;
  const intervalMs = dice.pick([500, 1000, 2000]);
  const replicaOf = (): ReportedState => reportedState(stage, latency, { ...words, isSo: true });
  const [lost, kept] = [replicaOf(), replicaOf()];
  const replicas = new Map([
    ['node-1', lost.state],
    ['node-2', kept.state],
  ]);
  const figuresOf = (known: KnownRun): readonly (Truth | undefined)[] => {
    const services = untilRedundancy === true ? [upSpans(known, 'health', latency.lateMs)] : [];
    const well = wellSpans(known, replicas, { name: 'replica', value: 'streaming', services });
    const healMs = healBeganMs(known);
    return [
      redundancyTruth(known, well, effectMs(known)),
      healMs === undefined ? undefined : redundancyTruth(known, well, healMs),
    ];
  };
  const script = serviceScript(stage, {
    probe: untilRedundancy === true ? usualProbe(dice) : { intervalMs: 1000, timeoutMs: 900 },
    latency,
    stableForMs: 2000,
    quietForMs: 3000,
    parallel: [
      {
        text: { id: 'replica', on: ['node-1', 'node-2'], value: 'state', intervalMs, timeoutMs: 900 },
        reported: new Map([
          ['replica@node-1', lost],
          ['replica@node-2', kept],
        ]),
      },
    ],
    require: [{ probe: 'replica', is: 'streaming' }],
    ...(untilRedundancy === true ? { kind: 'container.restart', recovery: { until: 'redundancy' } } : {}),
    scenario: { redundancy: { for: msText(dice.pick([1000, 3000])), within: '60s' } },
    effects: (service) => effects(lost, service),
    heals: () => heals(lost),
    tailMs: dice.between(500, 2000),
  });
  return {
    ...script,
    checks: (known) => {
      const [redundancy, back] = figuresOf(known);
      const near = (kind: string, truth: Truth | undefined): CheckText[] =>
        limitsNear(dice, truth, intervalMs).map((ms, i) => ({ kind, name: `${kind} ${i}`, max: msText(ms) }));
      return [
        ...(untilRedundancy === true ? script.checks(known) : []),
        ...near('redundancy', redundancy),
        ...near('return', back),
      ];
    },
    truthText: () => [...replicas].map(([host, state]) => stateText(host, state, words)),
    judge: (known, analysis) => judgeRedundancy(analysis, figuresOf(known)),
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

/** The replica comes and goes a few times, and then stays. */
function comesBack(dice: Dice, { state }: ReportedState, latestMs = 4000): Step[] {
  const steps: Step[] = [];
  let atMs = dice.between(0, latestMs);
  for (let n = dice.pick([0, 0, 1, 2, 4]); n > 0; n--) {
    steps.push({ afterMs: atMs, act: () => state.set(true) });
    atMs += dice.scale(100, 3000);
    steps.push({ afterMs: atMs, act: () => state.set(false) });
    atMs += dice.scale(100, 3000);
  }
  return [...steps, { afterMs: atMs, act: () => state.set(true) }];
}

/** A family in which the service stays up, and only redundancy is lost. */
function redundancyFamily(
  name: string,
  about: string,
  caseOf: (dice: Dice) => Omit<RedundancyCase, 'untilRedundancy'>,
): Family {
  return {
    name,
    about,
    script: (stage) =>
      redundancyScript(stage, caseOf(stage.dice), latencyOf(stage.dice, stage.dice.scale(1, 5))),
  };
}

const redundancy = redundancyFamily(
  'redundancy',
  'a replica is lost, and comes back after the heal, in one or multiple attempts',
  (dice) => ({
    effects: ({ state }) => [{ afterMs: dice.between(0, 1000), act: () => state.set(false) }],
    heals: (replica) => comesBack(dice, replica),
  }),
);

const redundancySilent = redundancyFamily(
  'redundancy-silent',
  "the same, while the replica's probe times out at times",
  (dice) => ({
    effects: ({ state }) => [{ afterMs: dice.between(0, 1000), act: () => state.set(false) }],
    heals: (replica) => [
      ...comesBack(dice, replica),
      ...Array.from({ length: dice.whole(1, 3) }, () =>
        silence(dice, replica, { kind: 'drop' }, 9000),
      ).flat(),
    ],
  }),
);

const redundancyKept = redundancyFamily(
  'redundancy-kept',
  'the replica is not lost, or for less than the time between two samples',
  (dice) => {
    const isBrief = dice.chance(0.5);
    const fromMs = dice.between(0, 1500);
    return {
      effects: ({ state }) =>
        isBrief
          ? [
              { afterMs: fromMs, act: () => state.set(false) },
              { afterMs: fromMs + dice.between(50, 900), act: () => state.set(true) },
            ]
          : [],
      heals: () => [],
    };
  },
);

const untilRedundancy: Family = {
  name: 'until-redundancy',
  about:
    'the recovery must last until the replica is back, which may take long, so that the analysis drops samples; outages before and after that',
  script: (stage) => {
    const { dice } = stage;
    const latency = latencyOf(dice, dice.scale(1, 5));
    const out = (service: Service, fromMs: number): Step[] =>
      outage(service, latency, fromMs, dice.scale(200, 5000), failing(dice));
    const backMs = dice.scale(1000, 45_000);
    return redundancyScript(
      stage,
      {
        untilRedundancy: true,
        effects: (replica, service) => [
          { afterMs: dice.between(0, 1000), act: () => replica.state.set(false) },
          ...(dice.chance(0.8) ? out(service, dice.between(0, 2000)) : []),
          // Some of these outages begin after the replica is back.
          ...(dice.chance(0.5) ? out(service, dice.between(8000, 1.2 * Math.max(backMs, 8000))) : []),
          ...comesBack(dice, replica, backMs),
        ],
        heals: () => [],
      },
      latency,
    );
  },
};

/** Families about the time to redundancy. */
export const redundancyFamilies: readonly Family[] = [
  redundancy,
  redundancySilent,
  redundancyKept,
  untilRedundancy,
];
