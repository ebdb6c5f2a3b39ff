import { describe, expect, test } from 'vitest';
import { hostileTexts } from '../testing/hostile-drill.ts';
import { html, pathData } from './template.ts';

describe('a template', () => {
  test('escapes its values in an element and in an attribute', () => {
    const text = `<b> & "x" 'y'`;
    expect(html`<p title="${text}">${text}</p>`.toString()).toBe(
      '<p title="&lt;b&gt; &amp; &quot;x&quot; &#39;y&#39;">&lt;b&gt; &amp; &quot;x&quot; &#39;y&#39;</p>',
    );
  });

  test.each(hostileTexts)('neutralizes %j', (text) => {
    const inside = html`${text}`.toString();
    expect(inside).not.toMatch(/[<>"']/);
    expect(inside).not.toMatch(/&(?!(amp|lt|gt|quot|#39);)/);
    // oxlint-disable-next-line no-control-regex -- asserts that these characters are removed
    expect(inside).not.toMatch(/[\u0000-\u0008\u000e-\u001f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800]/);
  });

  test('inserts templates and lists as they are, and renders null, undefined, and false as nothing', () => {
    const items = ['a', 'b<'].map((item) => html`<li>${item}</li>`);
    expect(
      html`<ul>
        ${items}${null}${undefined}${false}${0}
      </ul>`.toString(),
    ).toBe('<ul>\n<li>a</li><li>b&lt;</li>0\n</ul>');
  });

  test('cuts a long text and reports how many characters it cut', () => {
    const text = html`${'x'.repeat(100_000)}`.toString();
    expect(text).toBe(`${'x'.repeat(2000)}… (98000 more characters)`);
  });

  test("drops its source's indentation", () => {
    expect(
      html`<p>
        <b>${' a '}</b>
      </p>`.toString(),
    ).toBe('<p>\n<b> a </b>\n</p>');
  });
});

describe('a path', () => {
  test('is of any length', () => {
    expect(pathData('M0,1.5L-2,3Z'.repeat(1000)).toString()).toHaveLength(12_000);
  });

  test.each(['M0"', 'M0<', 'M0 onload=x', 'url(x)'])('is not %j', (text) => {
    expect(() => pathData(text)).toThrow(RangeError);
  });
});
