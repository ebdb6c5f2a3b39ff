import { expect, test } from 'vitest';
import { fuzz } from '../fuzz/lib/fuzz.ts';
import { judge } from '../fuzz/lib/judge.ts';
import { validInputs } from '../fuzz/lib/valid-inputs.ts';

test('the files that firedrill ships are valid', () => {
  const inputs = validInputs();
  for (const valid of inputs) expect(judge(valid, valid.text), valid.path).toEqual({ taken: true });
  expect(new Set(inputs.map(({ kind }) => kind))).toEqual(new Set(['scenario', 'suite', 'target']));
});

// `npm run test:fuzz` tests more changes.
test('a changed file is planned, or refused with the place of the error and a hint', async () => {
  const counts = await fuzz({ seed: 1, mutants: 300, typos: 100 });
  expect(counts.taken + counts.refused).toBe(300);
  expect(counts.taken).toBeGreaterThan(15);
  expect(counts.refused).toBeGreaterThan(150);
  expect(counts.typos).toBeGreaterThan(60);
});
