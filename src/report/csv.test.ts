import { expect, test } from 'vitest';
import { csvRecord } from './csv.ts';

test.each<[values: readonly (string | number | undefined)[], record: string]>([
  [['a', 1.5, undefined, -2, ''], 'a,1.5,,-2,'],
  [['a,b', 'say "x"', 'line\nbreak', 'cr\rhere'], '"a,b","say ""x""","line\nbreak","cr\rhere"'],
  [['=1+1', '-x', '@x', '\tx', '\uff1dx'], "'=1+1,'-x,'@x,'\tx,'\uff1dx"],
  [['=HYPERLINK("a,b")'], '"\'=HYPERLINK(""a,b"")"'],
])('%j is a record', (values, record) => {
  expect(csvRecord(values, { escapeFormulas: true })).toBe(`${record}\n`);
});

test('formulas stay as they are without `escapeFormulas`', () => {
  expect(csvRecord(['=a', 'b'], { escapeFormulas: false })).toBe('=a,b\n');
});
