import { describe, expect, test } from 'vitest';
import { listed, suggest } from './suggest.ts';

const many = Array.from({ length: 200 }, (_, i) => `stack-${i}`);

describe('a list of known words', () => {
  test('is complete up to 30 words, and then ends with a count', () => {
    expect(listed(['a', 'b'])).toBe('a, b');
    expect(listed(many.slice(0, 30))).toBe(many.slice(0, 30).join(', '));
    expect(listed(many)).toBe(`${many.slice(0, 30).join(', ')}, and 170 more`);
  });

  test('ends a message without a similar word', () => {
    expect(suggest('database', ['web', 'queue'])).toBe('; known: web, queue');
    expect(suggest('database', many)).toMatch(/^; known: stack-0, .*, and 170 more$/);
    expect(suggest('stack-1x', many)).toBe('; did you mean "stack-1"?');
  });
});
