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

/** The beginning of a chain, as `from` of a prediction names it. */
export const chainStart = 'start';

/** Trials and seed where nobody says otherwise: reports of the same log are the same bytes. */
export const defaultTrials = 10_000;
export const defaultSeed = 1;

/** What a chain is made of: moments in a row, each with what leads to it. */
export interface Link {
  readonly name: string;
  readonly predicted?: PredictedBy;
}

/** How trials are made. */
export interface Trials {
  readonly trials?: number;
  readonly seed?: number;
}

/** One way to the end of a link: a term that begins at a moment. Moment 0 is the chain's beginning, moment i + 1 the end of link i. */
interface Way {
  readonly term: Term;
  readonly from: number;
}

/** A moment that follows from models, or why it does not. */
type Reached = { readonly ways: readonly Way[] } | { readonly why: string | undefined };

/** Predictions of a chain. */
export interface ChainPrediction {
  /** How long links take together, from the end of link `first - 1` to that of link `last`; undefined where that does not follow from the models. */
  span(first: number, last: number): Predicted | undefined;
  /** Why a link has a prediction that does not come about; undefined where it does, or there is none. */
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

/** The value below which a share of sorted values lies, by straight lines between them. */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)] ?? 0;
  return below + (at - Math.floor(at)) * ((sorted[Math.ceil(at)] ?? below) - below);
}

/**
 * Predicts a chain by trials: in each one every part of every model takes a time by
 * chance, independently of the others, and a link ends when the latest of its ways has
 * come to its end, not before the link before it.
 *
 * The bounds are arithmetic, not those of the trials. They are exact for what counts
 * from one moment on; where a link ends by a way from an earlier moment its duration is
 * a difference of two moments, and the bounds are those of the difference of any two.
 *
 * A link without a prediction ends at an unknown moment: what counts from there on is
 * known, what spans it is not.
 */
export function predictChain(
  models: Models,
  links: readonly Link[],
  lost: string | undefined,
  { trials = defaultTrials, seed = defaultSeed }: Trials = {},
): ChainPrediction {
  const known: Reached[] = [];
  // Moments that can be compared have the same number; an unknown one begins anew.
  const epochs = [0];
  for (const index of links.keys()) {
    const epoch = epochs[index] ?? 0;
    const reached = reachedOf(models, links, index, lost);
    const comparable = 'ways' in reached && reached.ways.every(({ from }) => epochs[from] === epoch);
    known.push(comparable || !('ways' in reached) ? reached : { why: undefined });
    epochs.push(comparable ? epoch : epoch + 1);
  }
  const waysOf = (link: number): readonly Way[] => {
    const reached = known[link];
    return reached !== undefined && 'ways' in reached ? reached.ways : [];
  };
  const numbers = new Map<Part, number>();
  for (const index of known.keys()) {
    for (const { term } of waysOf(index)) for (const part of partsOf(term)) numbers.set(part, numbers.size);
  }
  const moments = (timeOf: (part: Part) => number): number[] => {
    const ends = [0];
    for (const index of known.keys()) {
      const before = ends[index] ?? 0;
      const arrivals = waysOf(index).map(({ term, from }) => (ends[from] ?? 0) + timeOfTerm(term, timeOf));
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
    const within = Array.from({ length: end - first }, (_, i) => waysOf(first + i)).flat();
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

/** The slowest period of the models that predictions name: over its phase, and so over that of all, a fault's moment is to be drawn. undefined where none has one. */
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

/** One line of what models say of a drill. */
export interface PredictedLine {
  readonly name: string;
  /** Absent for a whole. */
  readonly predictions?: readonly Prediction[];
  /** Absent where it does not follow from the models. */
  readonly predicted?: Predicted;
  /** Why a prediction does not come about. */
  readonly why?: string;
}

/** What the models say of a drill's recovery: its stages, the whole, and the way to redundancy. */
export interface RecoveryPrediction {
  readonly chain: ChainPrediction;
  /** Known when the last stage ends with the recovery. */
  readonly rto: Predicted | undefined;
  readonly redundancy: Predicted | undefined;
}

type Predictable = Pick<Plan, 'models' | 'stages' | 'returnStages' | 'redundancy'>;

/** Predicts a drill's recovery, as far as its models say something. */
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

/** What the models say of a drill, line by line: each stage that has a prediction, the wholes, and the return's stages. Nothing where they say nothing. */
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
    // One stage is the whole already.
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
