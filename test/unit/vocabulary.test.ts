import { describe, expect, test } from 'vitest';
import { findRetiredWords } from '../../scripts/lib/find-retired-words.ts';
import { wordsOfSource } from '../../scripts/lib/source-text.ts';

/** The lines and words that the check reports. */
function reported(path: string, text: string): string[] {
  return findRetiredWords(path, text).map(({ line, found }) => `${line}: ${found}`);
}

describe('the check for retired words', () => {
  test('finds them in names, texts, and comments of a source file', () => {
    const source = [
      'import { mend } from "./mend.ts";',
      'interface Doubt { readonly toldMs: number }',
      '// Measured anew.',
      'const hint = `the ${mend} stands in a file`;',
      'const message = "a sick prober";',
    ].join('\n');
    expect(reported('a.ts', source)).toEqual(['2: Doubt', '2: toldMs', '3: anew', '4: stands in', '5: sick']);
  });

  test('reports a name where it is declared, and not where it is used', () => {
    expect(reported('a.ts', 'print(told);\nprint(x.told);')).toEqual([]);
    expect(reported('a.ts', 'function told(mend: string) {}\nconst { fate: anew } = x;')).toEqual([
      '1: told',
      '1: mend',
      '2: anew',
    ]);
  });

  test('finds each name that a pattern, an import, a catch, or a type parameter declares', () => {
    const source = [
      "import { world, aim as mend } from 'x';",
      'const [told, ...owed] = world;',
      'try { print(told); } catch (sick) { print(sick); }',
      'type Of<Canary> = [doubt: Canary];',
      'const TOLD_MS = 1;',
      'function lookAgain() {}',
    ].join('\n');
    expect(reported('a.ts', source)).toEqual([
      '1: mend',
      '2: told',
      '2: owed',
      '3: sick',
      '4: Canary',
      '4: doubt',
      '5: TOLD_MS',
      '6: lookAgain',
    ]);
  });

  test('finds them in the name of a source file', () => {
    expect(reported('src/faults/dead-man.ts', '')).toEqual(['1: dead-man.ts']);
    expect(reported('src/net/name-lookup.ts', '')).toEqual([]);
  });

  test('finds every one on a line, and one that goes over the end of a line', () => {
    expect(reported('a.ts', "const text = 'anew, and Anew';")).toEqual(['1: anew', '1: Anew']);
    expect(reported('a.ts', '// The prober is\n// told of it.\nconst x = 1;')).toEqual(['1: is told']);
    expect(reported('a.ts', '/**\n * Each sample of the next\n * look.\n */')).toEqual(['2: next look']);
    expect(reported('a.md', 'The prober is\ntold so.')).toEqual(['1: is told']);
    expect(reported('a.md', '> An engine stands\n> in a file.')).toEqual(['1: stands in']);
    expect(reported('a.md', 'The prober is\n\ntold so.')).toEqual([]);
    expect(reported('a.ts', '// What it is\nconst told = 1;')).toEqual(['2: told']);
  });

  test('is not misled by a code block in a code block', () => {
    const page = ['````', '```', 'anew', '````', 'anew', '~~~', '```', '~~~', 'sick'].join('\n');
    expect(reported('a.md', page)).toEqual(['5: anew', '9: sick']);
  });

  test('finds them in the prose of a page, and not in its code', () => {
    const page = ['Look at `told` beside it.', '```', 'mend: told', '```', 'It is told twice.'].join('\n');
    expect(reported('a.md', page)).toEqual(['1: beside', '5: is told']);
  });

  test('finds them in descriptions of a schema, and not in its values', () => {
    const schema = '{\n  "const": "sick",\n  "description": "Whoever is sick."\n}';
    expect(reported('a.json', schema)).toEqual(['3: sick', '3: Whoever']);
  });

  test('passes a word that a comment with a reason names', () => {
    const allowed = '// vocabulary: "control_probe.started" the event of 0.1.0\n';
    expect(reported('a.ts', `${allowed}const type = 'canary started';`)).toEqual(['2: canary']);
    expect(reported('a.ts', '// vocabulary: "canary" the event of 0.1.0\nconst type = "canary";')).toEqual(
      [],
    );
    expect(reported('a.ts', '// vocabulary: "canary" the event of 0.1.0\n\nconst type = "canary";')).toEqual([
      '3: canary',
    ]);
  });
});

describe('the texts of a source file', () => {
  test('are errors, hints, descriptions, and others', () => {
    const source = [
      'throw new DrillError("refused", `${host.name}: cannot stop ${nameOf(unit)}`, { hint: "Run `x`." });',
      'const p = z.string().describe(isOn ? "When on." : "When off.");',
      'const q = z.string().regex(/x/, { error: "expected an x" });',
      'new Option("--x <n>", "how many");',
      'const line = "nothing else";',
    ].join('\n');
    expect(wordsOfSource('a.ts', source).texts.map(({ line, kind, text }) => [line, kind, text])).toEqual([
      [1, 'error', 'refused'],
      [1, 'error', '{name}: cannot stop {unit}'],
      [1, 'hint', 'Run `x`.'],
      [2, 'description', 'When on.'],
      [2, 'description', 'When off.'],
      [3, 'error', 'expected an x'],
      [4, 'description', '--x <n>'],
      [4, 'description', 'how many'],
      [5, 'text', 'nothing else'],
    ]);
  });

  test('are none of the paths of its imports', () => {
    const source = 'import a from "./a.ts";\nexport * from "./b.ts";\nconst c = await import("./c.ts");';
    expect(wordsOfSource('a.ts', source).texts).toEqual([]);
  });
});
