import { type Dice } from '../dice.ts';
import type { DrillScript, Family, Stage, Step } from '../drill-script.ts';
import { limitsNear } from '../figures.ts';
import { judgeOwners } from '../judge-owners.ts';
import type { CheckText, KnownRun } from '../known-run.ts';
import { Owned } from '../owned.ts';
import { longestOf, ownerTruth, type OwnerTruth, totalOf, withoutHidden } from '../owner-truth.ts';
import { msText, targetContent } from '../plan-text.ts';
import { type Behavior, Service } from '../service.ts';
import { latencyOf, up } from '../service-case.ts';

/** A host that may own the address, and the service on it that says whether it does. */
interface OwnerHost {
  readonly owned: Owned;
  readonly service: Service;
  /** It answers as it should. */
  readonly well: Behavior;
}

/** The two hosts of a pair. */
interface Pair {
  readonly first: OwnerHost;
  readonly second: OwnerHost;
}

/** What a case about owners is made of. */
interface OwnerCase {
  readonly probe: { readonly intervalMs: number; readonly timeoutMs: number; readonly burstMs?: number };
  readonly effects: (pair: Pair) => readonly Step[];
  /** Bounds have to hold what no sample met, too: there is one brief change only. */
  readonly holdsOneHidden?: true;
}

/** A drill in which an address moves between two hosts; the service itself goes on. */
function ownerScript(stage: Stage, { probe, effects, holdsOneHidden }: OwnerCase): DrillScript {
  const { dice, time } = stage;
  const latency = latencyOf(dice, dice.scale(1, 5));
  const well = up(latency);
  const wayMs = (): number => dice.between(0.05, 0.5);
  const hostOf = (isOwner: boolean): OwnerHost => {
    const owned = new Owned(time, isOwner);
    const value = (): string => (owned.isOwner ? 'yes' : 'no');
    return { owned, service: new Service(time, well, { wayMs, value }), well };
  };
  const pair = { first: hostOf(true), second: hostOf(false) };
  const health = new Service(time, well, { wayMs });
  const probed: Readonly<Record<string, { service: Service; phase: number }>> = {
    health: { service: health, phase: dice.between(0, 1) },
    'vip@node-1': { service: pair.first.service, phase: dice.between(0, 1) },
    'vip@node-2': { service: pair.second.service, phase: dice.between(0, 1) },
  };
  const owners = new Map([
    ['node-1', pair.first.owned],
    ['node-2', pair.second.owned],
  ]);
  const truthOf = (known: KnownRun): OwnerTruth => {
    const truth = ownerTruth(known, owners, { name: 'vip', value: 'yes' });
    return holdsOneHidden === true ? withoutHidden(truth) : truth;
  };
  return {
    target: targetContent(
      [
        { id: 'health', intervalMs: 1000, timeoutMs: 900 },
        { id: 'vip', on: ['node-1', 'node-2'], value: 'owner', ...probe },
      ],
      {
        roles: { owner: { probe: 'vip', is: 'yes' } },
        ownership: { vip: { claimed: { probe: 'vip', is: 'yes' } } },
        steady: {
          for: '2s',
          within: '60s',
          require: [{ probe: 'health' }, { probe: 'vip', is: 'yes', count: 1 }],
        },
      },
    ),
    scenario: {
      name: 'simulated',
      title: 'Simulated',
      faults: [{ kind: 'container.stop', on: 'node-1', container: 'app' }],
      recovery: { probe: 'health', within: '60s', stableFor: '2s', quietFor: '10s' },
      redundancy: { for: '1s', within: '10s' },
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
        effects: effects(pair),
        heals: [],
        healTakesMs: dice.between(5, 200),
      },
    ],
    tailMs: dice.between(500, 3000),
    lateMs: latency.lateMs,
    checks: (known) => ownerChecks(dice, truthOf(known), probe.intervalMs),
    truthWords: () =>
      [...owners].map(
        ([host, { changes }]) =>
          `${host}: ${changes.map(({ atMs, isUp }) => `${isUp ? 'owner' : 'no owner'} from ${atMs.toFixed(3)}`).join(', ')}`,
      ),
    judge: (known, analysis) => judgeOwners(analysis, truthOf(known)),
  };
}

/** Checks whose limits lie around the truth. Their names begin with the state; the second word of a `never` is its tolerance. */
function ownerChecks(dice: Dice, truth: OwnerTruth, intervalMs: number): readonly CheckText[] {
  const about = (state: 'nobody' | 'several'): CheckText[] => {
    const limits = limitsNear(dice, totalOf(truth[state]), intervalMs);
    const base = { kind: 'ownership', of: 'vip', side: 'claimed', state };
    return [
      ...limits.map((ms, i) => ({ ...base, name: `${state} at most ${i}`, max: msText(ms) })),
      ...limits.map((ms, i) => ({ ...base, name: `${state} at least ${i}`, min: msText(ms) })),
    ];
  };
  const condition = { probe: 'vip', is: 'yes', count: 2 };
  const tolerances = [0, ...limitsNear(dice, longestOf(truth.several), intervalMs)];
  return [
    ...about('nobody'),
    ...about('several'),
    ...[...new Set(tolerances)].map((ms) => ({
      kind: 'never',
      name: `several ${ms} ms at most without a break`,
      condition,
      tolerance: msText(ms),
    })),
  ];
}

/** The address moves; between the two hosts nobody has it, or both. */
function move(dice: Dice, { first, second }: Pair, fromMs: number): Step[] {
  const gapMs = dice.pick([1, -1]) * dice.scale(20, 5000);
  return [
    { afterMs: fromMs + Math.max(0, -gapMs), act: () => first.owned.set(false) },
    { afterMs: fromMs + Math.max(0, gapMs), act: () => second.owned.set(true) },
  ];
}

function ownerProbe(dice: Dice): OwnerCase['probe'] {
  const burst = dice.chance(0.3) ? { burstMs: dice.pick([100, 200]) } : {};
  return { intervalMs: dice.pick([200, 500, 1000]), timeoutMs: dice.pick([300, 900]), ...burst };
}

/** A host cannot be reached, or does not answer as it should, for a while; what it owns stays as it is. */
function silence(dice: Dice, { service, well }: OwnerHost, behavior: Behavior): Step[] {
  const fromMs = dice.between(0, 4000);
  return [
    { afterMs: fromMs, act: () => service.set(behavior) },
    { afterMs: fromMs + dice.scale(500, 8000), act: () => service.set(well) },
  ];
}

const owners: Family = {
  name: 'owners',
  about: 'an address moves between two hosts: without an owner or with two for a while, and back',
  script: (stage) => {
    const { dice } = stage;
    return ownerScript(stage, {
      probe: ownerProbe(dice),
      effects: (pair) => [
        ...move(dice, pair, dice.between(0, 2000)),
        ...(dice.chance(0.4)
          ? move(dice, { first: pair.second, second: pair.first }, dice.between(7500, 9000))
          : []),
      ],
    });
  },
};

const ownerSilent: Family = {
  name: 'owner-silent',
  about: 'a host gives no answer for a while: it may own the address all the same',
  script: (stage) => {
    const { dice } = stage;
    return ownerScript(stage, {
      probe: ownerProbe(dice),
      effects: (pair) => [
        ...(dice.chance(0.4) ? move(dice, pair, dice.between(0, 4000)) : []),
        ...silence(dice, dice.pick([pair.first, pair.second]), { kind: 'drop' }),
      ],
    });
  },
};

const ownerFailing: Family = {
  name: 'owner-failing',
  about: "a host's probe fails for a while, refused or with a 5xx: that says nothing of what the host owns",
  script: (stage) => {
    const { dice } = stage;
    const behavior: Behavior = dice.chance(0.5)
      ? { kind: 'refuse' }
      : { kind: 'error', cause: 'http-5xx', tookMs: 2 };
    return ownerScript(stage, {
      probe: ownerProbe(dice),
      effects: (pair) => [
        ...(dice.chance(0.4) ? move(dice, pair, dice.between(0, 4000)) : []),
        ...silence(dice, dice.pick([pair.first, pair.second]), behavior),
      ],
    });
  },
};

const ownerFlaps: Family = {
  name: 'owner-flaps',
  about: 'ownership changes again and again, faster or slower than it is looked at',
  script: (stage) => {
    const { dice } = stage;
    const scaleMs = dice.scale(50, 3000);
    return ownerScript(stage, {
      probe: ownerProbe(dice),
      effects: ({ first, second }) => {
        const steps: Step[] = [];
        for (let atMs = dice.between(0, 500); atMs < 8000; atMs += scaleMs * dice.scale(0.5, 2)) {
          const { owned } = dice.pick([first, second]);
          steps.push({ afterMs: atMs, act: () => owned.set(!owned.isOwner) });
        }
        return steps;
      },
    });
  },
};

const ownerHidden: Family = {
  name: 'owner-hidden',
  about: 'one change of ownership and back, in less time than there is between two samples',
  script: (stage) => {
    const { dice } = stage;
    return ownerScript(stage, {
      probe: { intervalMs: 1000, timeoutMs: 900 },
      holdsOneHidden: true,
      effects: ({ first, second }) => {
        const { owned } = dice.pick([first, second]);
        const fromMs = dice.between(0, 4000);
        return [
          { afterMs: fromMs, act: () => owned.set(!owned.isOwner) },
          { afterMs: fromMs + dice.between(100, 950), act: () => owned.set(!owned.isOwner) },
        ];
      },
    });
  },
};

/** Families about who owns what one host should own. */
export const ownerFamilies: readonly Family[] = [owners, ownerSilent, ownerFailing, ownerFlaps, ownerHidden];
