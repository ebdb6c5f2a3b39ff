import { expect, test } from 'vitest';
import { fuzz } from './lib/fuzz.ts';

// FIREDRILL_FUZZ_SEED repeats the files of a failed run.
const seed = Number(process.env['FIREDRILL_FUZZ_SEED'] ?? Date.now() % 2 ** 31);

test(`100,000 changed files are planned, or refused with place and hint (seed ${seed})`, async () => {
  const counts = await fuzz({ seed, mutants: 100_000, typos: 20_000 });
  process.stdout.write(`seed ${seed}: ${JSON.stringify(counts)}\n`);
  expect(counts.taken + counts.refused).toBe(100_000);
  expect(counts.taken).toBeGreaterThan(2000);
  expect(counts.typos).toBeGreaterThan(12_000);
});
