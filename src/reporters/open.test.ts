import { describe, expect, test } from 'vitest';
import { reporterKinds } from './catalog.ts';
import { openReporters } from './open.ts';
import type { ReporterKind } from './reporter.ts';
import { received } from './testing/received.ts';

/** Reporter kinds that record their creation. */
function kinds(made: string[]): readonly ReporterKind[] {
  const kind = (name: string, more: Partial<ReporterKind> = {}): ReporterKind => ({
    name,
    describe: name,
    create: (value) => {
      made.push(value === undefined ? name : `${name} in ${value}`);
      return {};
    },
    ...more,
  });
  return [
    kind('list', { stdout: true }),
    kind('json', { stdout: true, value: 'file' }),
    kind('junit', { value: 'file' }),
  ];
}

function made(...requested: string[]): string[] {
  const made: string[] = [];
  openReporters(requested, received(), kinds(made));
  return made;
}

describe('--reporter', () => {
  test.each([
    [[], ['list']],
    [['junit'], ['junit']],
    [
      ['list,json=a/b.json', 'junit=x=y.xml'],
      ['list', 'json in a/b.json', 'junit in x=y.xml'],
    ],
    [
      ['junit=a,2.xml,list', 'junit=b.xml'],
      ['junit in a,2.xml', 'list', 'junit in b.xml'],
    ],
  ])('%j makes %j', (requested, expected) => {
    expect(made(...requested)).toEqual(expected);
  });

  test.each([
    [['jnuit=x.xml'], '--reporter jnuit: no such reporter; did you mean "junit"?'],
    [['list,zzzzzz'], '--reporter zzzzzz: no such reporter; known: list, json, junit'],
    [['list='], '--reporter list: takes no value'],
    [['junit='], '--reporter junit=: expected a file after the ='],
    [['list,json'], '--reporter: list and json both print on stdout'],
    [[''], '--reporter : no such reporter; known: list, json, junit'],
  ])('%j is refused: %s', (requested, message) => {
    expect(() => made(...requested)).toThrow(expect.objectContaining({ code: 'invalid-input', message }));
  });

  test('two reporters on stdout get a hint to write one to a file', () => {
    expect(() => made('json', 'list')).toThrow(
      expect.objectContaining({ hint: 'Write one of them to a file: --reporter json=FILE.' }),
    );
  });

  test('every kind of the catalog has a unique name that `--reporter` accepts', () => {
    const names = reporterKinds.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^[a-z]+$/.test(name))).toEqual([]);
  });
});
