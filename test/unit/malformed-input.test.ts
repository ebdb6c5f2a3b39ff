import { expect, test } from 'vitest';
import { fuzz } from '../fuzz/lib/fuzz.ts';
import { judge } from '../fuzz/lib/judge.ts';
import { validInputs } from '../fuzz/lib/valid-inputs.ts';

test('the files that come with firedrill are taken as they are', () => {
  const inputs = validInputs();
  for (const valid of inputs) expect(judge(valid, valid.text), valid.path).toEqual({ taken: true });
  expect(new Set(inputs.map(({ kind }) => kind))).toEqual(new Set(['scenario', 'suite', 'target']));
});

// The same at length: npm run test:fuzz.
test('changed files are planned or refused with the place and the mend, whatever is changed', async () => {
  const counts = await fuzz({ seed: 1, mutants: 300, typos: 100 });
  expect(counts.taken + counts.refused).toBe(300);
  expect(counts.taken).toBeGreaterThan(15);
  expect(counts.refused).toBeGreaterThan(150);
  expect(counts.typos).toBeGreaterThan(60);
});
