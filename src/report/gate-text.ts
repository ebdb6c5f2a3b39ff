import type { Gate, Regression } from '../analysis/gate.ts';
import { capital, markdown, plain, wrap } from './text.ts';

/** Nothing in a line of the text goes beyond this. */
const width = 120;

const marks = { pass: 'ok', fail: 'FAIL', inconclusive: '?' } as const;

/** Whether a figure, or all of them together, are worse than the baseline's, proven. */
export function isWorse({ drills, together }: Gate): boolean {
  return together?.status === 'fail' || drills.some(({ status }) => status === 'fail');
}

/** `1 worse, 3 no worse, 8 that cannot be told` */
function countWords({ drills }: Gate): string {
  const count = (status: Regression['status']) => drills.filter((drill) => drill.status === status).length;
  return `${count('fail')} worse, ${count('pass')} no worse, ${count('inconclusive')} that cannot be told`;
}

/** What the baseline is and what came of it. */
export function gateTitle(gate: Gate): string {
  return `against the baseline ${gate.of} (allowed ${gate.tolerance}): ${countWords(gate)}`;
}

/** All drills together, then drill by drill with the sentence about it; the worse first. */
export function gateLines({
  drills,
  together,
}: Gate): readonly { readonly status: Regression['status']; readonly words: string }[] {
  const order = ['fail', 'inconclusive', 'pass'];
  const lines = [...drills]
    .sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status))
    .map(({ drill, status, why }) => ({ status, words: `${drill}: ${why}` }));
  return together == null
    ? lines
    : [{ status: together.status, words: `all drills together: ${together.why}` }, ...lines];
}

/** What the command line prints; ends with a newline. */
export function renderGateText(gate: Gate): string {
  const lines = gateLines(gate).flatMap(({ status, words }) =>
    wrap(plain(words), width - 8).map((line, i) => `  ${(i === 0 ? marks[status] : '').padEnd(4)}  ${line}`),
  );
  return `${[...wrap(plain(gateTitle(gate)), width), ...lines].join('\n')}\n`;
}

const signs = { pass: '✓', fail: '✗', inconclusive: '?' } as const;

/** The same as a section of Markdown; ends with a newline. */
export function renderGateMarkdown(gate: Gate): string {
  const lines = gateLines(gate).map(({ status, words }) => `- ${signs[status]} ${markdown(words)}`);
  return `${['## Against the baseline', '', `${markdown(capital(gateTitle(gate)))}.`, '', ...lines].join('\n')}\n`;
}
