import { describe, expect, test } from 'vitest';
import { faultKinds } from '../faults/catalog.ts';
import { probeKinds } from '../probes/catalog.ts';
import { writerKinds } from '../writers/catalog.ts';
import { knownFields } from './known-fields.ts';
import { scenarioSchema } from './scenario-schema.ts';
import { parseSource } from './source.ts';
import { malformedFiles, problemsIn, readTestdata } from './testing/corpus.ts';
import { ruleMessages } from './testing/rules.ts';

const files = malformedFiles();

describe('a malformed file', () => {
  // The first comment lines of each file hold the exact messages it must give.
  test.each(files)('$name', ({ name, text, expected }) => {
    expect(expected).not.toEqual([]);
    expect(problemsIn(name, text)).toEqual(expected);
  });

  test('is refused for its length before it is parsed', () => {
    expect(problemsIn('scenario.yaml', 'a'.repeat(100_001))).toEqual([
      'scenario.yaml:1:1: the file is longer than 100000 characters',
    ]);
  });

  test('has right positions with a byte order mark and with any kind of line end', () => {
    const [, , ...lines] = readTestdata('invalid-unknown-field.yaml').split('\n');
    const text = `\uFEFF${['name: db-crash', ...lines].join('\r\n')}`;
    expect(problemsIn('s.yaml', text)).toEqual(problemsIn('s.yaml', text.slice(1).replaceAll('\r', '')));
    expect(problemsIn('s.yaml', text)).toContain(
      's.yaml:4:53: unknown field "contaner"; did you mean "container"?',
    );
  });

  test('cannot put control characters into a message, nor make it endless', () => {
    const [problem = ''] = problemsIn(
      's.yaml',
      `${readTestdata('valid.yaml')}"\\e]0;a\\a\\n\\u202e${'x'.repeat(900)}": 1\n`,
    );
    expect(problem).toMatch(/^s\.yaml:9:1: unknown field "\\u001b\]0;a\\u0007\\u000a\\u202exxx/);
    expect(problem.length).toBeLessThan(1100);
  });
});

describe('every rule has a file', () => {
  const given = files.flatMap(({ expected }) => expected).join('\n');

  /** Messages that no file has, and why. */
  const elsewhere: Readonly<Record<string, string>> = {
    'the file is longer than … characters': 'a test above makes such a text',
    'Invalid input': 'from zod; our messages replace it',
    'No matching discriminator': 'from zod; our messages replace it',
  };

  const rules = ruleMessages();

  test.each(rules.map((rule) => [`${rule.file}: ${rule.written}`, rule] as const))('%s', (_name, rule) => {
    expect(rule.pattern.test(given)).toBe(elsewhere[rule.written] === undefined);
  });

  test('the extraction finds rules in each folder', () => {
    const count = (prefix: string): number => rules.filter(({ file }) => file.startsWith(prefix)).length;
    expect(count('scenario/')).toBeGreaterThan(60);
    for (const folder of ['core/', 'faults/', 'probes/', 'writers/'])
      expect(count(folder)).toBeGreaterThan(0);
  });

  test.each([
    ...faultKinds.map(({ kind }) => `invalid-fault-${kind}.yaml`),
    ...probeKinds.map(({ kind }) => `invalid-target-probe-${kind}.yaml`),
    ...writerKinds.map(({ kind }) => `invalid-target-writer-${kind}.yaml`),
  ])('kind: %s', (name) => {
    expect(files.map((file) => file.name)).toContain(name);
  });
});

describe('known fields', () => {
  const fields = (path: (string | number)[]) =>
    knownFields(scenarioSchema).at(parseSource('s.yaml', readTestdata('valid.yaml')).value, path);

  test('are those of the kind in the file', () => {
    expect(fields(['faults', 0])).toContain('process');
    expect(fields(['faults', 0])).not.toContain('graceSeconds');
    expect(fields(['recovery']).toSorted()).toEqual([
      'keptConnection',
      'onFaultHost',
      'probe',
      'quietFor',
      'stableFor',
      'until',
      'within',
    ]);
  });

  test('are empty for a map with free keys', () => {
    expect(fields(['variables'])).toEqual([]);
    expect(fields(['matrix', 0])).toEqual([]);
  });
});
