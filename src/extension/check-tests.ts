import type { ExtensionTests } from './define-tests.ts';

const lists = [
  'faults',
  'probes',
  'writers',
  'transports',
] as const satisfies readonly (keyof ExtensionTests)[];
const expectations: readonly unknown[] = ['ok', 'fail', 'unknown', 'silent'];

/** What is wrong with the default export of a file of tests, with the edit that fixes it; undefined if it is usable. */
export function testsProblem(exported: unknown): string | undefined {
  // Without a default export, it is the module itself.
  if (
    typeof exported !== 'object' ||
    exported === null ||
    Reflect.get(exported, Symbol.toStringTag) === 'Module'
  )
    return 'it has no default export; write `export default defineTests({ faults: […] })`';
  const stray = Object.keys(exported).find((key) => !lists.some((list) => list === key));
  if (stray !== undefined) return `it has an unknown field "${stray}"; one of ${lists.join(', ')}`;
  for (const list of lists) {
    const tests: unknown = Reflect.get(exported, list) ?? [];
    if (!Array.isArray(tests)) return `its \`${list}\` is not a list; write \`${list}: [{ kind, … }]\``;
    for (const [i, test] of tests.entries()) {
      const problem = testProblem(list, test);
      if (problem !== undefined) return `${list}[${i}] ${problem}`;
    }
  }
  return undefined;
}

function testProblem(list: (typeof lists)[number], test: unknown): string | undefined {
  if (typeof test !== 'object' || test === null) return 'is not an object';
  if (typeof Reflect.get(test, 'kind') !== 'string')
    return 'has no `kind`; write the name of the kind that it tries';
  if (list !== 'probes') return setUpProblem(test);
  const situations: unknown = Reflect.get(test, 'situations');
  if (!Array.isArray(situations) || situations.length === 0)
    return 'has no `situations`; write `situations: [{ name, expect, setUp }]`';
  for (const [i, situation] of situations.entries()) {
    const problem = situationProblem(situation);
    if (problem !== undefined) return `situations[${i}] ${problem}`;
  }
  return undefined;
}

function situationProblem(situation: unknown): string | undefined {
  if (typeof situation !== 'object' || situation === null) return 'is not an object';
  if (typeof Reflect.get(situation, 'name') !== 'string') return 'has no `name`';
  const expected: unknown = Reflect.get(situation, 'expect');
  if (!expectations.includes(expected))
    return `has \`expect: ${JSON.stringify(expected)}\`; write one of ${expectations.join(', ')}`;
  return setUpProblem(situation);
}

function setUpProblem(test: object): string | undefined {
  return typeof Reflect.get(test, 'setUp') === 'function'
    ? undefined
    : 'has no function `setUp`; write `setUp() { return { params: {…} }; }`';
}
