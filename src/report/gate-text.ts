import type { BaselineGate, Regression } from '../analysis/gate.ts';
import { capital, markdown, plain, wrap } from './text.ts';

/** Maximum line width of the text, characters. */
const width = 120;

const marks = { pass: 'ok', fail: 'FAIL', inconclusive: '?' } as const;

/** Whether a figure, or all figures together, are significantly worse than the baseline. */
export function isWorse({ drills, together }: BaselineGate): boolean {
  return together?.status === 'fail' || drills.some(({ status }) => status === 'fail');
}

/** `1 worse, 3 not worse, 8 inconclusive` */
function countText({ drills }: BaselineGate): string {
  const count = (status: Regression['status']) => drills.filter((drill) => drill.status === status).length;
  return `${count('fail')} worse, ${count('pass')} not worse, ${count('inconclusive')} inconclusive`;
}

/** The baseline, the tolerance, and the number of figures by outcome. */
export function gateTitle(gate: BaselineGate): string {
  return `against the baseline ${gate.of} (allowed ${gate.tolerance}): ${countText(gate)}`;
}

/** All drills together, then each drill with its reason; failed drills first. */
export function gateLines({
  drills,
  together,
}: BaselineGate): readonly { readonly status: Regression['status']; readonly words: string }[] {
  const order = ['fail', 'inconclusive', 'pass'];
  const lines = [...drills]
    .sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status))
    .map(({ drill, status, why }) => ({ status, words: `${drill}: ${why}` }));
  return together == null
    ? lines
    : [{ status: together.status, words: `all drills together: ${together.why}` }, ...lines];
}

/** The text for the terminal; ends with a newline. */
export function renderGateText(gate: BaselineGate): string {
  const lines = gateLines(gate).flatMap(({ status, words }) =>
    wrap(plain(words), width - 8).map((line, i) => `  ${(i === 0 ? marks[status] : '').padEnd(4)}  ${line}`),
  );
  return `${[...wrap(plain(gateTitle(gate)), width), ...lines].join('\n')}\n`;
}

const signs = { pass: '✓', fail: '✗', inconclusive: '?' } as const;

/** The Markdown section of the same gate; ends with a newline. */
export function renderGateMarkdown(gate: BaselineGate): string {
  const lines = gateLines(gate).map(({ status, words }) => `- ${signs[status]} ${markdown(words)}`);
  return `${['## Against the baseline', '', `${markdown(capital(gateTitle(gate)))}.`, '', ...lines].join('\n')}\n`;
}
