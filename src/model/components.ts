import type {
  CheckModel,
  MeasuredModel,
  Model,
  ModelUse,
  PredictionStep,
  RetriesModel,
} from '../core/plan.ts';
import type { Bounds } from './bounds.ts';
import { checkBounds, periodOf } from './check.ts';
import { keepalivedBounds, keepalivedSteps } from './keepalived.ts';

/** Models by name, as a plan has them. */
export type Models = Readonly<Record<string, Model>>;

/** How long something takes, made of parts that chance decides. */
export type Term =
  | Part
  | { readonly kind: 'sequence'; readonly of: readonly Term[] }
  | { readonly kind: 'parallel'; readonly of: readonly Term[] };

/** A time that chance decides. */
export interface Part {
  readonly kind: 'part';
  /** The time below which a share of the cases lies: `at(0)` is the shortest, `at(1)` the longest, and it never falls. */
  readonly at: (share: number) => number;
  /** No setting gives it. */
  readonly measured: boolean;
}

/** A model as a term, or why it does not come about with its settings. */
export type TermOf = { readonly term: Term } | { readonly why: string };

/** What can be asked of each kind of model; none where there is only one thing to ask. */
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

/** The steps that can be asked of a model. */
export function stepsOfModel(model: Model): readonly PredictionStep[] {
  return stepsByKind[model.kind];
}

function isStepOf<S extends PredictionStep>(steps: readonly S[], step: PredictionStep): step is S {
  return (steps as readonly PredictionStep[]).includes(step);
}

/** Anything between the bounds is as likely: the phase of a cycle at the event is not known. */
function evenly({ minMs, maxMs }: Bounds): Part {
  return { kind: 'part', at: (share) => minMs + share * (maxMs - minMs), measured: false };
}

/** Triangular: the inverse of its distribution function. */
function triangular(minMs: number, modeMs: number, maxMs: number): Part['at'] {
  const span = maxMs - minMs;
  if (span === 0) return () => minMs;
  const left = (modeMs - minMs) / span;
  return (share) =>
    share <= left
      ? minMs + Math.sqrt(share * span * (modeMs - minMs))
      : maxMs - Math.sqrt((1 - share) * span * (maxMs - modeMs));
}

/** Straight lines between values that are evenly spread in probability; one value is a constant. */
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
 * From the beginning of the first attempt to the end of the last: no pause after the
 * last one. An attempt that is refused takes no time, one without an answer its time-out.
 */
function retriesPart({ attempts, intervalMs, timeoutMs }: RetriesModel, step: PredictionStep): Part {
  const ms = (attempts - 1) * intervalMs + (step === 'silent' ? attempts * timeoutMs : 0);
  return evenly({ minMs: ms, maxMs: ms });
}

/**
 * A model, or some of its steps in a row, as a term. `lost` is the host that failed,
 * where that is known: what keepalived takes depends on it. Names and steps are those
 * of a checked plan; one that is not there is `why`, too.
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

/** How long a term takes when each of its parts takes as long as `timeOf` says. */
export function timeOfTerm(term: Term, timeOf: (part: Part) => number): number {
  if (term.kind === 'part') return timeOf(term);
  const times = term.of.map((inner) => timeOfTerm(inner, timeOf));
  return term.kind === 'sequence' ? times.reduce((sum, ms) => sum + ms, 0) : Math.max(...times);
}

/** A model and all that it is made of; each once. */
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

/** The periods of a model whose phase at the event decides how long it takes, ms. A check that outlasts its interval has a longer one. */
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
