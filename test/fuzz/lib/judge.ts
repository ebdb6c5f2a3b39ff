import { faultKind } from '../../../src/faults/catalog.ts';
import { drawJitter } from '../../../src/scenario/jitter.ts';
import { makePlans, openScenario } from '../../../src/scenario/planner.ts';
import { InvalidInput, parseSource } from '../../../src/scenario/source.ts';
import { parseSuite } from '../../../src/scenario/suite-schema.ts';
import { planTarget, type TargetInput } from '../../../src/scenario/target-planner.ts';
import type { ValidInput } from './valid-inputs.ts';

/** Result of reading a file. */
export type Verdict =
  { readonly taken: true } | { readonly taken: false; readonly problems: readonly string[] };

const targets = new Map<string, TargetInput>();

/**
 * Reads a file as firedrill does, without I/O.
 * @throws Error in one of these cases: firedrill throws an error other than InvalidInput; a problem has no place in the file;
 * a problem has control characters; the event log could not store the plan
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
      // `plan` also prints each fault's description.
      for (const { faults } of plans)
        for (const { kind, params } of faults) faultKind(kind)?.describe(params);
      return plans.map((plan) => drawJitter(plan, 1, 0));
    }
  }
}

function inputOf(path: string, text: string): TargetInput {
  return { source: parseSource(path, text), sha256: 'sha', resolveFile: (file) => file };
}

function problemsOf({ path, problems, message }: InvalidInput, text: string): readonly string[] {
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  if (problems.length === 0) throw new Error('refused, but without a problem');
  for (const { line, column, message } of problems) {
    const width = lines[line - 1]?.length;
    if (width === undefined || column < 1 || column > width + 1) {
      throw new Error(`${line}:${column} is not in the file: ${message}`);
    }
    // oxlint-disable-next-line no-control-regex
    if (message === '' || /[\u0000-\u001F\u007F-\u009F\u202A-\u202E]/.test(message)) {
      throw new Error(`message is empty or has control characters: ${JSON.stringify(message)}`);
    }
    // Messages of zod and of the parser do not help the author of a file.
    if (/^[^"]*(Invalid input|Too (small|big)|Maximum call stack|undefined|\[object )/.test(message)) {
      throw new Error(`message does not help: ${message}`);
    }
  }
  const reported = message.split('\n');
  if (reported.length !== problems.length || !reported.every((line) => line.startsWith(`${path}:`))) {
    throw new Error(`message must have one line for each problem: ${message}`);
  }
  return reported;
}
