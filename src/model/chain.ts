import { roundMs } from '../core/clock.ts';
import type { Plan, PredictedBy, Prediction } from '../core/plan.ts';
import type { Predicted } from '../core/summary.ts';
import {
  type Models,
  type Part,
  type Term,
  modelsWithin,
  partsOf,
  periodsOf,
  termOf,
  timeOfTerm,
} from './components.ts';
import { chance } from './random.ts';

/** The name in a prediction's `from` that means the beginning of the chain. */
export const chainStart = 'start';

/** Default trials and seed. Both are fixed, so two reports of the same log have the same bytes. */
export const defaultTrials = 10_000;
export const defaultSeed = 1;

/**
 * One link of a chain: it ends at a moment, and `predicted` gives the models of the time before that
 * moment.
 */
export interface Link {
  readonly name: string;
  readonly predicted?: PredictedBy;
}

/** Number of random trials, and their seed. */
export interface Trials {
  readonly trials?: number;
  readonly seed?: number;
}

/**
 * One term that has to end before a link ends. It begins at moment `from`: 0 is the chain's beginning,
 * i + 1 is the end of link i.
 */
interface Way {
  readonly term: Term;
  readonly from: number;
}

/** The terms of a link, or why the models do not predict its end. */
type Reached = { readonly ways: readonly Way[] } | { readonly why: string | undefined };

/** Predictions of the links of a chain. */
export interface ChainPrediction {
  /**
   * Time from the end of link `first - 1` to the end of link `last`. undefined: the models do not
   * predict it.
   */
  span(first: number, last: number): Predicted | undefined;
  /** Why a link's prediction has no value. undefined: it has one, or the link has no prediction. */
  why(link: number): string | undefined;
}

/** Predictions as a list. */
export function predictionsOf(predicted: PredictedBy | undefined): readonly Prediction[] {
  if (predicted === undefined) return [];
  return 'model' in predicted ? [predicted] : predicted;
}

function reachedOf(models: Models, links: readonly Link[], index: number, lost: string | undefined): Reached {
  const ways: Way[] = [];
  const predictions = predictionsOf(links[index]?.predicted);
  if (predictions.length === 0) return { why: undefined };
  for (const prediction of predictions) {
    const answer = termOf(models, prediction, lost);
    if ('why' in answer) return answer;
    const { from } = prediction;
    const named = links.findIndex(({ name }) => name === from);
    ways.push({
      term: answer.term,
      from: from === undefined ? index : from === chainStart ? 0 : named + 1,
    });
  }
  return { ways };
}

/** The value below which a share of the sorted values lies, interpolated linearly. */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)] ?? 0;
  return below + (at - Math.floor(at)) * ((sorted[Math.ceil(at)] ?? below) - below);
}

/**
 * Predicts a chain by random trials. In each trial, each part of each model takes an independent random
 * time. A link ends when its latest term ends, and not before the link before it.
 *
 * The bounds are computed, not taken from the trials. They are exact if all terms of the span begin within it.
 * If a term begins at an earlier moment, the span is a difference of two moments, and its bounds are those of
 * any two possible moments.
 *
 * A link without a prediction ends at an unknown moment. Spans that begin at or after that moment are predicted.
 * Spans across it are not.
 */
export function predictChain(
  models: Models,
  links: readonly Link[],
  lost: string | undefined,
  { trials = defaultTrials, seed = defaultSeed }: Trials = {},
): ChainPrediction {
  const known: Reached[] = [];
  // Moments with the same number can be compared. An unknown moment begins the next number.
  const epochs = [0];
  for (const index of links.keys()) {
    const epoch = epochs[index] ?? 0;
    const reached = reachedOf(models, links, index, lost);
    const comparable = 'ways' in reached && reached.ways.every(({ from }) => epochs[from] === epoch);
    known.push(comparable || !('ways' in reached) ? reached : { why: undefined });
    epochs.push(comparable ? epoch : epoch + 1);
  }
  const directionsOf = (link: number): readonly Way[] => {
    const reached = known[link];
    return reached !== undefined && 'ways' in reached ? reached.ways : [];
  };
  const numbers = new Map<Part, number>();
  for (const index of known.keys()) {
    for (const { term } of directionsOf(index))
      for (const part of partsOf(term)) numbers.set(part, numbers.size);
  }
  const moments = (timeOf: (part: Part) => number): number[] => {
    const ends = [0];
    for (const index of known.keys()) {
      const before = ends[index] ?? 0;
      const arrivals = directionsOf(index).map(
        ({ term, from }) => (ends[from] ?? 0) + timeOfTerm(term, timeOf),
      );
      ends.push(Math.max(before, ...arrivals));
    }
    return ends;
  };
  const soonest = moments((part) => part.at(0));
  const latest = moments((part) => part.at(1));
  let sampled: readonly number[][] | undefined;
  const samples = (): readonly number[][] => {
    sampled ??= Array.from({ length: trials }, (_, trial) =>
      moments((part) => part.at(chance(seed, trial, numbers.get(part) ?? 0))),
    );
    return sampled;
  };

  const span = (first: number, last: number): Predicted | undefined => {
    const end = last + 1;
    if (epochs[first] !== epochs[end]) return undefined;
    const within = Array.from({ length: end - first }, (_, i) => directionsOf(first + i)).flat();
    const difference = (to: readonly number[], from: readonly number[]) =>
      (to[end] ?? 0) - (from[first] ?? 0);
    const own = within.every(({ from }) => from >= first);
    const sorted = Float64Array.from(samples(), (ends) => difference(ends, ends)).sort();
    const measured = within.some(({ term }) => partsOf(term).some((part) => part.measured));
    return {
      minMs: roundMs(own ? difference(soonest, soonest) : Math.max(0, difference(soonest, latest))),
      p5Ms: roundMs(quantile(sorted, 0.05)),
      medianMs: roundMs(quantile(sorted, 0.5)),
      p95Ms: roundMs(quantile(sorted, 0.95)),
      maxMs: roundMs(own ? difference(latest, latest) : difference(latest, soonest)),
      ...(measured ? { measured } : {}),
    };
  };
  return {
    span,
    why: (link) => {
      const reached = known[link];
      return reached !== undefined && 'why' in reached ? reached.why : undefined;
    },
  };
}

/**
 * The longest period of the models that the predictions name, ms; undefined if none has one. A fault's
 * random moment is drawn over this period, so it covers the phases of all shorter ones.
 */
export function slowestPeriod(
  models: Models,
  predicted: readonly (PredictedBy | undefined)[],
): number | undefined {
  const periods = predicted
    .flatMap(predictionsOf)
    .flatMap((use) => modelsWithin(models, use))
    .flatMap(periodsOf);
  return periods.length === 0 ? undefined : Math.max(...periods);
}

/** One line of a drill's prediction. */
export interface PredictedLine {
  readonly name: string;
  /** Absent for a total, such as the RTO. */
  readonly predictions?: readonly Prediction[];
  /** Absent if the models do not predict it. */
  readonly predicted?: Predicted;
  /** Why the prediction has no value. */
  readonly why?: string;
}

/** The prediction of a drill's recovery: its stages, the RTO, and the time to redundancy. */
export interface RecoveryPrediction {
  readonly chain: ChainPrediction;
  /** undefined unless the last stage ends with the recovery. */
  readonly rto: Predicted | undefined;
  readonly redundancy: Predicted | undefined;
}

type Predictable = Pick<Plan, 'models' | 'stages' | 'returnStages' | 'redundancy'>;

/** Predicts a drill's recovery, as far as models exist for it. */
export function predictRecovery(
  { models, stages, redundancy }: Omit<Predictable, 'returnStages'>,
  lost: string | undefined,
  trials?: Trials,
): RecoveryPrediction {
  const links: Link[] = [...stages];
  if (redundancy.predicted !== undefined) links.push({ name: 'redundancy', predicted: redundancy.predicted });
  const chain = predictChain(models, links, lost, trials);
  const whole = stages.at(-1)?.until.kind === 'recovered';
  return {
    chain,
    rto: whole ? chain.span(0, stages.length - 1) : undefined,
    redundancy: redundancy.predicted === undefined ? undefined : chain.span(0, stages.length),
  };
}

/**
 * The prediction of a drill, line by line: each stage with a prediction, the totals, and the stages of
 * the return. Empty without models.
 */
export function predictDrill(
  plan: Predictable,
  lost: string | undefined,
  trials?: Trials,
): readonly PredictedLine[] {
  const { chain, rto, redundancy } = predictRecovery(plan, lost, trials);
  const whole = (name: string, predicted: Predicted | undefined): PredictedLine[] =>
    predicted === undefined ? [] : [{ name, predicted }];
  return [
    ...linesOf(plan.stages, chain),
    // With one stage, that stage is the total.
    ...whole('RTO', plan.stages.length === 1 ? undefined : rto),
    ...whole('redundancy', redundancy),
    ...linesOf(plan.returnStages, predictChain(plan.models, plan.returnStages, lost, trials)),
  ];
}

function linesOf(links: readonly Link[], chain: ChainPrediction): PredictedLine[] {
  return links.flatMap(({ name, predicted: by }, i) => {
    const predictions = predictionsOf(by);
    if (predictions.length === 0) return [];
    const [predicted, why] = [chain.span(i, i), chain.why(i)];
    return [
      {
        name,
        predictions,
        ...(predicted === undefined ? {} : { predicted }),
        ...(why === undefined ? {} : { why }),
      },
    ];
  });
}
