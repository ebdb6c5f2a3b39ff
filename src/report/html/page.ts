// oxlint-disable-next-line no-restricted-imports -- a hash is arithmetic, no I/O
import { createHash } from 'node:crypto';
import type { VerdictWord } from '../../core/summary.ts';
import { verdictText } from '../verdict-text.ts';
import { html, type Html } from './template.ts';
import { style } from './style.ts';

/** Content security policy: allows only the page's own style by its hash; no script, no request, no form. */
function policyFor(own: string): string {
  const hash = createHash('sha256').update(own).digest('base64');
  return `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'`;
}

/** SVG patterns that all charts of the page use. */
const patterns = html`<svg class="hidden" aria-hidden="true">
  <defs>
    <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
      <rect class="hatch-ground" width="6" height="6" />
      <rect class="hatch-line" width="2.5" height="6" />
    </pattern>
    <pattern id="edge" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
      <rect class="edge-line" width="1.5" height="5" />
    </pattern>
    <pattern id="might" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
      <rect class="might-line" width="1.5" height="5" />
    </pattern>
    <pattern id="cross" width="6" height="6" patternUnits="userSpaceOnUse">
      <rect class="cross-ground" width="6" height="6" />
      <path class="cross-line" d="M0 0L6 6M6 0L0 6" />
    </pattern>
    <pattern id="dots" width="5" height="5" patternUnits="userSpaceOnUse">
      <circle class="dot" cx="2" cy="2" r="1.2" />
    </pattern>
    <pattern id="stripes" width="5" height="5" patternUnits="userSpaceOnUse">
      <rect class="stripe" width="2.5" height="5" />
    </pattern>
  </defs>
</svg>`;

const marks = { pass: '✓', fail: '✗', inconclusive: '?' } as const;

/** The verdict badge at the top of a page. */
export function badge(verdict: VerdictWord, healed: boolean): Html {
  const kind = healed ? verdict : 'fail';
  return html`<p class="verdict ${kind}">${marks[kind]} ${verdictText({ verdict, healed })}</p>`;
}

/** An outcome in a table: `words` with a mark, because color alone is not accessible. */
export function outcomeHtml(verdict: VerdictWord, words: string): Html {
  return html`<span class="outcome ${verdict}">${marks[verdict]} ${words}</span>`;
}

/** A complete page in one file. Its content security policy forbids all requests. `more` is additional style. */
export function page(title: string, body: Html, more = ''): string {
  const own = style + more;
  const parts = [
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n',
    `<meta http-equiv="Content-Security-Policy" content="${policyFor(own)}">\n`,
    html`<meta name="viewport" content="width=device-width, initial-scale=1" /><meta
        name="color-scheme"
        content="light dark"
      /><meta name="referrer" content="no-referrer" /><link rel="icon" href="data:," />
      <title>${title}</title> `.toString(),
    `<style>${own}</style></head>\n`,
    html`<body>${patterns}
${body}</body></html>
`.toString(),
  ];
  return parts.join('');
}
