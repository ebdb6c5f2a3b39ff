import { judgedFigures } from './figures.ts';
import type { Dice } from './dice.ts';
import type { DrillScript, HoldsOneHidden, Stage, Step } from './drill-script.ts';
import { type FileContent, msText, type ProbeText, targetContent } from './plan-text.ts';
import type { ProbedService } from './prober.ts';
import { type Behavior, Service } from './service.ts';

/** The time that a well service takes to answer, ms. */
export interface Latency {
  readonly latencyMs: () => number;
  /** Upper bound of `latencyMs`. */
  readonly capMs: number;
  /** The analysis classifies every longer answer as late. */
  readonly lateMs: number;
}

/** A latency with a tail of up to ten times its base. */
export function latencyOf(dice: Dice, baseMs = dice.scale(1, 20)): Latency {
  const capMs = 10 * baseMs;
  return {
    latencyMs: () => Math.min(capMs, baseMs + dice.exponential(baseMs / 2)),
    capMs,
    lateMs: Math.max(150, 5 * (capMs + 2)) + 20,
  };
}

/** A probe that reads a state per instance; `reported` is by instance. */
export interface Parallel {
  readonly text: ProbeText;
  readonly reported: ReadonlyMap<string, { readonly probed: Omit<ProbedService, 'probe'> }>;
}

/** The parts of a case with one service. */
export interface ServiceCase {
  readonly probe: Omit<ProbeText, 'id'>;
  /** Further probes, with the states that their instances read. */
  readonly parallel?: readonly Parallel[];
  /** Further conditions of the steady state. */
  readonly require?: readonly FileContent[];
  /** Further keys of the target and of the scenario. */
  readonly target?: FileContent;
  readonly scenario?: FileContent;
  readonly recovery?: FileContent;
  readonly latency: Latency;
  /** The network delay of one direction, ms; below 0.5 ms by default. */
  readonly wayMs?: () => number;
  readonly stableForMs: number;
  readonly quietForMs?: number;
  readonly withinMs?: number;
  /** The kind of the fault; `container.stop` by default. */
  readonly kind?: string;
  /** The time from the fault's effect to its heal. */
  readonly forMs?: number;
  /** The longest time from the steady state to the fault; 1 s by default. */
  readonly latestAtMs?: number;
  readonly tailMs?: number;
  readonly holdsOneHidden?: HoldsOneHidden;
  readonly fate?: ProbedService['fate'];
  /** The steps of the fault and of its heal. By default the heal brings the service up. */
  readonly effects: (service: Service) => readonly Step[];
  readonly heals?: (service: Service) => readonly Step[];
}

/** The behavior of a well service. */
export function up({ latencyMs }: Pick<Latency, 'latencyMs'>): Behavior {
  return { kind: 'up', latencyMs };
}

/** A drill of one service with one probe. */
export function serviceScript({ dice, time }: Stage, one: ServiceCase): DrillScript {
  const { probe, latency, stableForMs, forMs, parallel = [] } = one;
  const service = new Service(time, up(latency), {
    wayMs: one.wayMs ?? (() => dice.between(0.05, 0.5)),
  });
  const phase = dice.between(0, 1);
  const heals = one.heals ?? ((served) => [{ afterMs: 0, act: () => served.set(up(latency)) }]);
  return {
    target: targetContent([{ id: 'health', ...probe }, ...parallel.map(({ text }) => text)], {
      steady: { for: '2s', within: '60s', require: [{ probe: 'health' }, ...(one.require ?? [])] },
      ...one.target,
    }),
    scenario: {
      name: 'simulated',
      title: 'Simulated',
      faults: [
        {
          kind: one.kind ?? 'container.stop',
          on: 'node-1',
          container: 'app',
          at: msText(dice.between(0, one.latestAtMs ?? 1000)),
          ...(forMs === undefined ? {} : { for: msText(forMs) }),
        },
      ],
      recovery: {
        probe: 'health',
        within: msText(one.withinMs ?? 60_000),
        stableFor: msText(stableForMs),
        quietFor: msText(one.quietForMs ?? 6000),
        ...one.recovery,
      },
      redundancy: { for: '1s', within: '30s' },
      ...one.scenario,
    },
    probed: (id) => {
      if (id === 'health') return { service, phase, ...(one.fate === undefined ? {} : { fate: one.fate }) };
      const found = parallel.flatMap(({ reported }) => reported.get(id) ?? [])[0];
      if (found === undefined) throw new Error(`no probe ${id}`);
      return found.probed;
    },
    faults: [
      {
        id: 'fault-1',
        actsAfterMs: dice.scale(1, 100),
        acknowledgedAfterMs: dice.scale(1, 200),
        effects: one.effects(service),
        heals: heals(service),
        healTakesMs: dice.between(5, 200),
      },
    ],
    tailMs: one.tailMs ?? dice.between(500, 3000),
    lateMs: latency.lateMs,
    ...(one.holdsOneHidden === undefined ? {} : { holdsOneHidden: one.holdsOneHidden }),
    checks: (known) => judgedFigures(known, latency).checks(dice),
  };
}
