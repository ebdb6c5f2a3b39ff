import { expect, test } from 'vitest';
import { splitNameValue } from './name-value.ts';

test.each([
  ['a=b', 'a', 'b'],
  ['a=b=c', 'a', 'b=c'],
  ['a=', 'a', ''],
  ['=b', '', 'b'],
  ['a', 'a', undefined],
])('%s', (text, name, value) => {
  expect(splitNameValue(text)).toEqual({ name, value });
});
