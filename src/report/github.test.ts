import { describe, expect, test } from 'vitest';
import { summarize } from '../analysis/summarize.ts';
import { vipFailover } from '../analysis/testing/vip-failover.ts';
import { type Annotation, annotationLine, drillAnnotation, fitted, shownAnnotations } from './github.ts';

const base = summarize(vipFailover().read());

describe('annotations', () => {
  test.each([
    [{ verdict: 'pass', healed: true }, 'notice', 'PASS'],
    [{ verdict: 'fail', healed: true }, 'error', 'FAIL'],
    [{ verdict: 'inconclusive', healed: true }, 'warning', 'INCONCLUSIVE'],
    [{ verdict: 'pass', healed: false }, 'error', 'PASS, NOT HEALED'],
  ] as const)('%j is a line of level %s at the scenario', (parts, level, word) => {
    const annotation = drillAnnotation({ ...base, ...parts, reasons: ['because'] });
    expect(annotation).toMatchObject({
      level,
      file: base.scenario.path,
      line: 1,
      title: `${word}: ${base.scenario.name}`,
    });
    expect(annotation.message).toMatch(/^RTO .*\(.*\)\ntarget lab\nbecause$/);
  });

  // The cases of actions/toolkit's command.test.ts, and texts that would end a command or start another.
  test.each([
    ['%', '::error title=%25::%25'],
    ['a\r\nb', '::error title=a b::a%0D%0Ab'],
    ['a:b,c', '::error title=a%3Ab%2Cc::a:b,c'],
    ['%25::x', '::error title=%2525%3A%3Ax::%2525::x'],
    ['x\n::warning::y', '::error title=x %3A%3Awarning%3A%3Ay::x%0A::warning::y'],
  ])('%j is escaped', (text, line) => {
    expect(annotationLine({ level: 'error', title: text, message: text })).toBe(line);
  });

  test('an annotation has file, line, and column', () => {
    expect(
      annotationLine({ level: 'error', file: 'a,b.yaml', line: 3, column: 5, title: 't', message: 'm' }),
    ).toBe('::error file=a%2Cb.yaml,line=3,col=5,title=t::m');
  });

  test('the tenth annotation of a level sums up the rest', () => {
    const all = Array.from({ length: 23 }, (_, i): Annotation => ({
      level: i < 12 ? 'error' : 'notice',
      title: `t${i}`,
      message: 'm',
    }));
    const shown = shownAnnotations(all);
    expect(shown.filter((one) => one.level === 'error')).toHaveLength(10);
    expect(shown.filter((one) => one.level === 'notice')).toHaveLength(10);
    expect(shown[9]).toEqual({ level: 'error', title: 'and 3 more drills', message: 't9\nt10\nt11' });
    expect(shownAnnotations(all.slice(0, 10))).toEqual(all.slice(0, 10));
  });
});

describe('a text with a size limit', () => {
  test.each([
    ['a\nbb\nccc\n', 9, 'a\nbb\nccc\n'],
    ['a\nbb\nccc\n', 8, 'a\nbb\n…'],
    ['é\né\né\n', 8, 'é\n…'],
    ['aaaaaaaaa\n', 3, '…'],
    ['aaaaaaaaa\n', 2, ''],
  ])('%j in %i bytes is %j', (text, bytes, expected) => {
    expect(fitted(text, bytes, '…')).toBe(expected);
    expect(Buffer.byteLength(fitted(text, bytes, '…'))).toBeLessThanOrEqual(bytes);
  });
});
