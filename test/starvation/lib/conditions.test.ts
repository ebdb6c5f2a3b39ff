import { expect, test } from 'vitest';
import { chosenConditions, conditionNames, putInForce } from './conditions.ts';

test("all conditions, or some in the trial's order", () => {
  expect(chosenConditions(undefined)).toEqual(conditionNames);
  expect(chosenConditions('')).toEqual(conditionNames);
  expect(chosenConditions('neighbour-1, quiet')).toEqual(['quiet', 'neighbour-1']);
  expect(() => chosenConditions('quiet,loud')).toThrow(/^STARVATION_ONLY: unknown condition loud\nhint: /);
});

test('neighbours run until they are undone', async () => {
  const inForce = await putInForce('neighbour-1', 'wazuh-lb');
  if ('unavailable' in inForce) throw new Error(inForce.unavailable);
  expect(inForce.holds()).toBe(true);
  inForce.undo();
  inForce.undo();
  await expect.poll(() => inForce.holds()).toBe(false);
});
