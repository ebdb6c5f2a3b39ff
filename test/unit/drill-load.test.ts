import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadPlans } from '../../src/cli/inputs.ts';
import { loadAdvice } from '../../src/scenario/load-text.ts';
import { ourFiles, root } from './lib/our-files.ts';

const scenarios = ourFiles()
  .filter(({ kind, path }) => kind === 'scenario' && path.startsWith('scenarios/'))
  .map(({ path }) => path);

test.each(scenarios)('%s: `plan` prints no warning about the load of probing', (path) => {
  const advice = loadPlans(join(root, path)).flatMap((plan) => loadAdvice(plan));
  expect(advice.map(({ text }) => text)).toEqual([]);
});
