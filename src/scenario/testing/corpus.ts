import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { makePlans, openScenario } from '../planner.ts';
import { parseSource } from '../source.ts';
import { parseSuite } from '../suite-schema.ts';
import { planTarget, type TargetInput } from '../target-planner.ts';
import { problemsOf } from './problems-of.ts';

const testdata = join(import.meta.dirname, '..', 'testdata');

/** For tests: the text of a file of `testdata`. */
export const readTestdata = (name: string): string => readFileSync(join(testdata, name), 'utf8');

/** For tests: a file under any name, as if it were read from disk. */
export function inputOf(name: string, text: string): TargetInput {
  return { source: parseSource(name, text), sha256: 'sha', resolveFile: (path) => `beside/${path}` };
}

/** A file that is invalid on purpose: a target (`invalid-target-…`), a suite (`invalid-suite-…`), or a scenario. */
export interface MalformedFile {
  readonly name: string;
  readonly text: string;
  /** The expected problems with their positions, from the comments `# expect: ` in the file's first lines. */
  readonly expected: readonly string[];
}

/** Every such file. */
export function malformedFiles(): MalformedFile[] {
  return readdirSync(testdata)
    .filter((name) => name.startsWith('invalid-'))
    .map((name) => {
      const text = readTestdata(name);
      const expected = [...text.matchAll(/^# expect: (.*)$/gm)].map(([, problem]) => `${name}:${problem}`);
      return { name, text, expected };
    });
}

/** The problems of a file. A scenario uses `target.yaml`, or the target that its comment `# target: ` names. */
export function problemsIn(name: string, text: string): string[] {
  return problemsOf(() => {
    if (name.startsWith('invalid-suite-')) return parseSuite(parseSource(name, text));
    if (name.startsWith('invalid-target-')) return planTarget(inputOf(name, text));
    const target = /^# target: (.*)$/m.exec(text)?.[1] ?? 'target.yaml';
    return makePlans(openScenario(inputOf(name, text)), () => inputOf(target, readTestdata(target)));
  });
}
