import { type Dice } from '../dice.ts';
import type { DrillScript, Family, Stage, Step } from '../drill-script.ts';
import { limitsNear } from '../figures.ts';
import { judgeOwners } from '../judge-owners.ts';
import { judgeRoles } from '../judge-roles.ts';
import type { CheckText, KnownRun } from '../known-run.ts';
import type { Owned } from '../owned.ts';
import {
  longestOf,
  type OwnerState,
  ownerStates,
  ownerTruth,
  type OwnerTruth,
  totalOf,
  withoutHidden,
} from '../owner-truth.ts';
import { msText } from '../plan-text.ts';
import type { Behavior } from '../service.ts';
import { latencyOf, serviceScript } from '../service-case.ts';
import { silence, stateText, reportedState, type ReportedState } from '../reported-state.ts';

/** A host of the pair: whether it claims the address, and whether the network treats it as the owner. */
interface OwnerHost {
  readonly claimed: ReportedState;
  readonly wire: ReportedState;
}

/** The two hosts of a pair. */
interface Pair {
  readonly first: OwnerHost;
  readonly second: OwnerHost;
}

/** The parts of a case about owners. */
interface OwnerCase {
  readonly effects: (pair: Pair) => readonly Step[];
  /** An interval of 1 s and a single brief change: bounds must also contain changes that no sample met. */
  readonly isSeldom?: true;
}

const words = { yes: 'yes', no: 'no' };
const hosts = ['node-1', 'node-2'] as const;

/** A drill in which an address moves between two hosts, while the service stays up. */
function ownerScript(stage: Stage, { effects, isSeldom }: OwnerCase): DrillScript {
  const { dice } = stage;
  const latency = latencyOf(dice, dice.scale(1, 5));
  const burst = dice.chance(0.3) ? { burstMs: dice.pick([100, 200]) } : {};
  const probe =
    isSeldom === true
      ? { intervalMs: 1000, timeoutMs: 900 }
      : { intervalMs: dice.pick([200, 500, 1000]), timeoutMs: dice.pick([300, 900]), ...burst };
  const hostOf = (isSo: boolean): OwnerHost => ({
    claimed: reportedState(stage, latency, { ...words, isSo }),
    wire: reportedState(stage, latency, { ...words, isSo }),
  });
  const pair = { first: hostOf(true), second: hostOf(false) };
  const statesOf = (side: 'claimed' | 'wire'): ReadonlyMap<string, Owned> =>
    new Map([
      ['node-1', pair.first[side].state],
      ['node-2', pair.second[side].state],
    ]);
  const [owners, wired] = [statesOf('claimed'), statesOf('wire')];
  const parallel = (id: string, side: 'claimed' | 'wire') => ({
    text: { id, on: hosts, value: 'owner', ...probe },
    reported: new Map([
      [`${id}@node-1`, pair.first[side]],
      [`${id}@node-2`, pair.second[side]],
    ]),
  });
  const plainTruth = (known: KnownRun): OwnerTruth =>
    ownerTruth(known, { name: 'vip', value: 'yes', owners }, { name: 'wire', value: 'yes', owners: wired });
  const truthOf = (known: KnownRun): OwnerTruth =>
    isSeldom === true ? withoutHidden(plainTruth(known)) : plainTruth(known);
  const services = [pair.first, pair.second].flatMap(({ claimed, wire }) => [claimed, wire]);
  const wellAgain = services.map(({ service, well }) => ({ afterMs: 0, act: () => service.set(well) }));
  return {
    ...serviceScript(stage, {
      probe: { intervalMs: 1000, timeoutMs: 900 },
      latency,
      stableForMs: 2000,
      quietForMs: 10_000,
      parallel: [parallel('vip', 'claimed'), parallel('wire', 'wire')],
      require: [{ probe: 'vip', is: 'yes', count: 1 }],
      target: {
        roles: { owner: { probe: 'vip', is: 'yes' } },
        ownership: { vip: { claimed: { probe: 'vip', is: 'yes' }, wire: { probe: 'wire', is: 'yes' } } },
      },
      scenario: { redundancy: { for: '1s', within: '10s' } },
      effects: () => effects(pair),
      // A host without an answer may stay so to the end.
      heals: () => (dice.chance(0.25) ? [] : wellAgain),
    }),
    checks: (known) => ownerChecks(dice, truthOf(known), probe.intervalMs),
    truthText: () => [
      ...[...owners].map(([host, owned]) => stateText(`${host} is owner`, owned, words)),
      ...[...wired].map(([host, owned]) =>
        stateText(`the network treats ${host} as the owner`, owned, words),
      ),
    ],
    judge: (known, analysis) => {
      const truth = plainTruth(known);
      return [
        ...judgeOwners(analysis, truthOf(known), truth),
        ...analysis.summary.checks.flatMap((check) => judgeRoles(check, known, { owners, truth })),
      ];
    },
  };
}

/** Checks with limits around the truth. Their names begin with the state; the second word of a `never` is its tolerance, ms. */
function ownerChecks(dice: Dice, truth: OwnerTruth, intervalMs: number): readonly CheckText[] {
  const about = (state: OwnerState): CheckText[] => {
    const limits = limitsNear(dice, totalOf(truth[state]), intervalMs);
    const what = state === 'differs' ? { differsFrom: 'wire' } : { state };
    const base = { kind: 'ownership', of: 'vip', side: 'claimed', ...what };
    return [
      ...limits.map((ms, i) => ({ ...base, name: `${state} at most ${i}`, max: msText(ms) })),
      ...limits.map((ms, i) => ({ ...base, name: `${state} at least ${i}`, min: msText(ms) })),
    ];
  };
  const condition = { probe: 'vip', is: 'yes', count: 2 };
  const tolerances = [0, ...limitsNear(dice, longestOf(truth.multiple), intervalMs)];
  return [
    { kind: 'role-moved', name: 'owner moves', role: 'owner' },
    { kind: 'role-stays', name: 'owner stays', role: 'owner' },
    { kind: 'finally', name: 'finally on node-1', condition: { probe: 'vip', host: 'node-1', is: 'yes' } },
    ...ownerStates.flatMap(about),
    ...[...new Set(tolerances)].map((ms) => ({
      kind: 'never',
      name: `several ${ms} ms at most without a break`,
      condition,
      tolerance: msText(ms),
    })),
  ];
}

/** A host's claim from a moment on; the network follows later, earlier, or never. */
function claim(dice: Dice, { claimed, wire }: OwnerHost, isOwner: boolean, atMs: number): Step[] {
  const lagMs = dice.pick([1, 1, 1, -1]) * dice.scale(1, 3000);
  const follows = [{ afterMs: Math.max(0, atMs + lagMs), act: () => wire.state.set(isOwner) }];
  return [{ afterMs: atMs, act: () => claimed.state.set(isOwner) }, ...(dice.chance(0.9) ? follows : [])];
}

/** The address moves; for a while none or both of the hosts have it. */
function move(dice: Dice, { first, second }: Pair, fromMs: number): Step[] {
  const gapMs = dice.pick([1, -1]) * dice.scale(20, 5000);
  return [
    ...claim(dice, first, false, fromMs + Math.max(0, -gapMs)),
    ...claim(dice, second, true, fromMs + Math.max(0, gapMs)),
  ];
}

/** A family in which one side's probe of one host behaves differently for a while; the address may move. */
function silentFamily(name: string, about: string, behaviorOf: (dice: Dice) => Behavior): Family {
  return {
    name,
    about,
    script: (stage) => {
      const { dice } = stage;
      return ownerScript(stage, {
        effects: (pair) => {
          const host = dice.pick([pair.first, pair.second]);
          const reported = dice.chance(0.8) ? host.claimed : host.wire;
          return [
            ...(dice.chance(0.4) ? move(dice, pair, dice.between(0, 4000)) : []),
            ...silence(dice, reported, behaviorOf(dice), 4000),
          ];
        },
      });
    },
  };
}

const ownerMoves: Family = {
  name: 'owners',
  about: 'an address moves between two hosts, with no owner or two owners for a while, and may move back',
  script: (stage) => {
    const { dice } = stage;
    return ownerScript(stage, {
      effects: (pair) => [
        ...move(dice, pair, dice.between(0, 2000)),
        ...(dice.chance(0.4)
          ? move(dice, { first: pair.second, second: pair.first }, dice.between(7500, 9000))
          : []),
      ],
    });
  },
};

const ownerSilent = silentFamily(
  'owner-silent',
  'a host gives no answer for a while, but may still own the address',
  () => ({ kind: 'drop' }),
);

const ownerFailing = silentFamily(
  'owner-failing',
  "a host's probe fails for a while (refused or 5xx), which does not show whether the host is an owner",
  (dice) => dice.pick<Behavior>([{ kind: 'refuse' }, { kind: 'error', cause: 'http-5xx', tookMs: 2 }]),
);

const ownerFlaps: Family = {
  name: 'owner-flaps',
  about: 'ownership changes repeatedly, faster or slower than the probe interval',
  script: (stage) => {
    const { dice } = stage;
    const scaleMs = dice.scale(50, 3000);
    return ownerScript(stage, {
      effects: ({ first, second }) => {
        const steps: Step[] = [];
        for (let atMs = dice.between(0, 500); atMs < 8000; atMs += scaleMs * dice.scale(0.5, 2)) {
          const host = dice.pick([first, second]);
          const { state } = dice.chance(0.7) ? host.claimed : host.wire;
          steps.push({ afterMs: atMs, act: () => state.set(!state.isOwner) });
        }
        return steps;
      },
    });
  },
};

const ownerHidden: Family = {
  name: 'owner-hidden',
  about: 'one change of ownership and back, in less than the time between two samples',
  script: (stage) => {
    const { dice } = stage;
    return ownerScript(stage, {
      isSeldom: true,
      effects: ({ first, second }) => {
        const host = dice.pick([first, second]);
        const { state } = dice.chance(0.7) ? host.claimed : host.wire;
        const fromMs = dice.between(0, 4000);
        return [
          { afterMs: fromMs, act: () => state.set(!state.isOwner) },
          { afterMs: fromMs + dice.between(100, 950), act: () => state.set(!state.isOwner) },
        ];
      },
    });
  },
};

/** Families about ownership. */
export const ownerFamilies: readonly Family[] = [
  ownerMoves,
  ownerSilent,
  ownerFailing,
  ownerFlaps,
  ownerHidden,
];
