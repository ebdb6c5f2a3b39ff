import { faultKind } from '../../../src/faults/catalog.ts';
import { drawMoments } from '../../../src/scenario/draw.ts';
import { makePlans, openScenario } from '../../../src/scenario/planner.ts';
import { InvalidInput, parseSource } from '../../../src/scenario/source.ts';
import { parseSuite } from '../../../src/scenario/suite-schema.ts';
import { planTarget, type TargetInput } from '../../../src/scenario/target-planner.ts';
import type { ValidInput } from './valid-inputs.ts';

/** What became of a file. */
export type Verdict =
  { readonly taken: true } | { readonly taken: false; readonly problems: readonly string[] };

const targets = new Map<string, TargetInput>();

/**
 * Reads a file as firedrill does, as far as that touches nothing.
 * @throws Error for whatever a user must never see: anything thrown but problems, one without its place in the file, one
 * that a terminal would obey, a plan that the event log cannot hold
 */
export function judge(valid: ValidInput, text: string): Verdict {
  try {
    const plan = planOf(valid, text);
    JSON.stringify(plan, (key, value: unknown) => {
      if (typeof value === 'number' && !Number.isFinite(value))
        throw new Error(`${key} is ${value} in the plan`);
      return value;
    });
    return { taken: true };
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    return { taken: false, problems: problemsOf(error, text) };
  }
}

function planOf(valid: ValidInput, text: string): unknown {
  switch (valid.kind) {
    case 'suite':
      return parseSuite(parseSource(valid.path, text));
    case 'target':
      return planTarget(inputOf(valid.path, text));
    case 'scenario': {
      const file = valid.target ?? '';
      const target = targets.get(file) ?? inputOf('target.yaml', file);
      targets.set(file, target);
      const plans = makePlans(openScenario(inputOf(valid.path, text)), () => target);
      // What `plan` prints of a fault is part of reading it.
      for (const { faults } of plans)
        for (const { kind, params } of faults) faultKind(kind)?.describe(params);
      return plans.map((plan) => drawMoments(plan, 1, 0));
    }
  }
}

function inputOf(path: string, text: string): TargetInput {
  return { source: parseSource(path, text), sha256: 'sha', resolveFile: (file) => file };
}

function problemsOf({ path, problems, message }: InvalidInput, text: string): readonly string[] {
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  if (problems.length === 0) throw new Error('refused without a problem');
  for (const { line, column, message } of problems) {
    const width = lines[line - 1]?.length;
    if (width === undefined || column < 1 || column > width + 1) {
      throw new Error(`${line}:${column} is not in the file: ${message}`);
    }
    // oxlint-disable-next-line no-control-regex
    if (message === '' || /[\u0000-\u001F\u007F-\u009F\u202A-\u202E]/.test(message)) {
      throw new Error(`not for a terminal: ${JSON.stringify(message)}`);
    }
    // zod's and the parser's own words say nothing to people who write files.
    if (/^[^"]*(Invalid input|Too (small|big)|Maximum call stack|undefined|\[object )/.test(message)) {
      throw new Error(`says nothing: ${message}`);
    }
  }
  const told = message.split('\n');
  if (told.length !== problems.length || !told.every((line) => line.startsWith(`${path}:`))) {
    throw new Error(`not a line for each problem: ${message}`);
  }
  return told;
}
