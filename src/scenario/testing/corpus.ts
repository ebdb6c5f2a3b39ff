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

/** For tests: a file as it was read, whatever its name. */
export function inputOf(name: string, text: string): TargetInput {
  return { source: parseSource(name, text), sha256: 'sha', resolveFile: (path) => `beside/${path}` };
}

/** A file that is wrong on purpose: `invalid-target-…`, `invalid-suite-…`, or of a scenario. */
export interface MalformedFile {
  readonly name: string;
  readonly text: string;
  /** The problems it has to give, each with its place: the comments `# expect: ` in its first lines. */
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

/** The problems that a file gives. A scenario goes with `target.yaml`, or with that of its comment `# target: `. */
export function problemsIn(name: string, text: string): string[] {
  return problemsOf(() => {
    if (name.startsWith('invalid-suite-')) return parseSuite(parseSource(name, text));
    if (name.startsWith('invalid-target-')) return planTarget(inputOf(name, text));
    const target = /^# target: (.*)$/m.exec(text)?.[1] ?? 'target.yaml';
    return makePlans(openScenario(inputOf(name, text)), () => inputOf(target, readTestdata(target)));
  });
}
