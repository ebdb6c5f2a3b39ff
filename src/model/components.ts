import type {
  CheckModel,
  MeasuredModel,
  Model,
  ModelUse,
  PredictionStep,
  RetriesModel,
} from '../core/plan.ts';
import type { DurationMs } from '../core/time.ts';
import type { Bounds } from './bounds.ts';
import { checkBounds, periodOf } from './check.ts';
import { keepalivedBounds, keepalivedSteps } from './keepalived.ts';

/** Models by name, as in a plan. */
export type Models = Readonly<Record<string, Model>>;

/** A time that is the sum (`sequence`) or the maximum (`parallel`) of random parts. */
export type Term =
  | Part
  | { readonly kind: 'sequence'; readonly of: readonly Term[] }
  | { readonly kind: 'parallel'; readonly of: readonly Term[] };

/** A random time with a known distribution. */
export interface Part {
  readonly kind: 'part';
  /** The quantile function, ms: `at(0)` is the shortest time, `at(1)` the longest. It never decreases. */
  readonly at: (share: number) => number;
  /** The time was measured; no setting gives it. */
  readonly measured: boolean;
}

/** A model as a term, or why its settings give no term. */
export type TermOf = { readonly term: Term } | { readonly why: string };

/** The steps that a prediction can name for each kind of model. Empty: the model has only one time. */
const stepsByKind: Readonly<Record<Model['kind'], readonly PredictionStep[]>> = {
  keepalived: keepalivedSteps,
  check: ['fall', 'rise'],
  retries: ['refused', 'silent'],
  timer: [],
  fixed: [],
  measured: [],
  sequence: [],
  parallel: [],
};

/** Every step that a kind of model has. */
export const predictionSteps = [...new Set(Object.values(stepsByKind).flat())];

/** The steps that a prediction can name for this model. */
export function stepsOfModel(model: Model): readonly PredictionStep[] {
  return stepsByKind[model.kind];
}

function isStepOf<S extends PredictionStep>(steps: readonly S[], step: PredictionStep): step is S {
  return (steps as readonly PredictionStep[]).includes(step);
}

/** A uniform distribution between the bounds: the phase of a cycle at the event is unknown. */
function evenly({ minMs, maxMs }: Bounds): Part {
  return { kind: 'part', at: (share) => minMs + share * (maxMs - minMs), measured: false };
}

/** Quantile function of the triangular distribution. */
function triangular(minMs: DurationMs, modeMs: DurationMs, maxMs: DurationMs): Part['at'] {
  const span = maxMs - minMs;
  if (span === 0) return () => minMs;
  const left = (modeMs - minMs) / span;
  return (share) =>
    share <= left
      ? minMs + Math.sqrt(share * span * (modeMs - minMs))
      : maxMs - Math.sqrt((1 - share) * span * (maxMs - modeMs));
}

/** Linear interpolation between quantiles at even probabilities. One value is a constant. */
function interpolated(values: readonly number[]): Part['at'] {
  const last = values.length - 1;
  return (share) => {
    const below = Math.min(Math.floor(share * last), Math.max(last - 1, 0));
    const from = values[below] ?? 0;
    return from + (share * last - below) * ((values[below + 1] ?? from) - from);
  };
}

function measuredPart({ times }: MeasuredModel): Part {
  const at =
    'quantilesMs' in times
      ? interpolated([...times.quantilesMs].sort((a, b) => a - b))
      : triangular(times.minMs, times.modeMs, times.maxMs);
  return { kind: 'part', at, measured: true };
}

function checkPart(model: CheckModel, step: PredictionStep): Part {
  return evenly(checkBounds(model, step === 'rise' ? 'rise' : 'fall'));
}

/**
 * Time from the beginning of the first attempt to the end of the last one; there is no pause after the last one.
 * An attempt that is refused takes no time. An attempt without an answer takes its timeout.
 */
function retriesPart({ attempts, intervalMs, timeoutMs }: RetriesModel, step: PredictionStep): Part {
  const ms = (attempts - 1) * intervalMs + (step === 'silent' ? attempts * timeoutMs : 0);
  return evenly({ minMs: ms, maxMs: ms });
}

/**
 * A model, or some of its steps in sequence, as a term. `lost` is the host that failed, or undefined if it is
 * unknown; the times of keepalived depend on it. The plan's checks already verified names and steps, but a name
 * without a model still gives `why`.
 */
export function termOf(
  models: Models,
  { model: name, steps = [] }: ModelUse,
  lost: string | undefined,
  within: readonly string[] = [],
): TermOf {
  const model = Object.hasOwn(models, name) ? models[name] : undefined;
  if (model === undefined) return { why: `there is no model ${name}` };
  if (within.includes(name)) return { why: `model ${name} contains itself` };
  switch (model.kind) {
    case 'keepalived': {
      const asked = steps.filter((step) => isStepOf(keepalivedSteps, step));
      const answer = keepalivedBounds(model, asked, lost);
      return 'why' in answer ? answer : { term: { kind: 'sequence', of: answer.bounds.map(evenly) } };
    }
    case 'check':
      return { term: { kind: 'sequence', of: steps.map((step) => checkPart(model, step)) } };
    case 'retries':
      return { term: { kind: 'sequence', of: steps.map((step) => retriesPart(model, step)) } };
    case 'timer':
      return { term: evenly({ minMs: 0, maxMs: model.intervalMs }) };
    case 'fixed':
      return { term: evenly({ minMs: model.timeMs, maxMs: model.timeMs }) };
    case 'measured':
      return { term: measuredPart(model) };
    case 'sequence':
    case 'parallel': {
      const of: Term[] = [];
      for (const use of model.of) {
        const answer = termOf(models, use, lost, [...within, name]);
        if ('why' in answer) return answer;
        of.push(answer.term);
      }
      return { term: { kind: model.kind, of } };
    }
  }
}

/** All parts of a term, in order. */
export function partsOf(term: Term): readonly Part[] {
  return term.kind === 'part' ? [term] : term.of.flatMap(partsOf);
}

/** The time of a term if `timeOf` gives the time of each part, ms. */
export function timeOfTerm(term: Term, timeOf: (part: Part) => number): number {
  if (term.kind === 'part') return timeOf(term);
  const times = term.of.map((inner) => timeOfTerm(inner, timeOf));
  return term.kind === 'sequence' ? times.reduce((sum, ms) => sum + ms, 0) : Math.max(...times);
}

/** A model and all models that it contains, each once. */
export function modelsWithin(models: Models, { model: name }: ModelUse): readonly Model[] {
  const found = new Set<Model>();
  const visit = (name: string): void => {
    const model = Object.hasOwn(models, name) ? models[name] : undefined;
    if (model === undefined || found.has(model)) return;
    found.add(model);
    if (model.kind === 'sequence' || model.kind === 'parallel') for (const use of model.of) visit(use.model);
  };
  visit(name);
  return [...found];
}

/**
 * The periods, ms, whose phase at the event decides how long a model takes. A check that outlasts its
 * interval has a longer period.
 */
export function periodsOf(model: Model): readonly number[] {
  switch (model.kind) {
    case 'keepalived':
      return [model.advertIntervalMs, ...(model.script === undefined ? [] : [periodOf(model.script)])];
    case 'check':
      return [periodOf(model)];
    case 'timer':
      return [model.intervalMs];
    case 'retries':
    case 'fixed':
    case 'measured':
    case 'sequence':
    case 'parallel':
      return [];
  }
}
