import type { OutageKind } from './fault-server/messages.ts';
import { goalsOf, shareInterval, signed } from './goals.ts';
import { errorFigures, type Judged } from './judge.ts';
import type { AlarmCount } from './parts/nights.ts';
import type { Results } from './results.ts';
import type { ToolResult } from './parts/windows.ts';

const columns: readonly { readonly kind: OutageKind; readonly title: string }[] = [
  { kind: 'refused', title: 'refused' },
  { kind: 'hang', title: 'hang, then dropped' },
  { kind: 'http-503', title: '503' },
  { kind: 'late', title: 'late reply' },
  { kind: 'black-hole', title: 'SYN black hole' },
];

/** The results as Markdown; the same results give the same text. */
export function renderTable(results: Results): string {
  return [
    '# Benchmarks',
    '',
    '`npm run bench` generates this file and results.json.',
    'The cost of a sample of each probe kind is in sample-costs.json and docs/reference/probes.md.',
    '',
    ...windowLines(results),
    ...nightsLines(results),
    '## Goals',
    '',
    ...table(
      ['what', 'goal', 'measured', 'met'],
      goalsOf(results).map(({ what, goal, measured, met }) => [what, goal, measured, met ? 'yes' : '**no**']),
    ),
    '',
    '## Conditions',
    '',
    ...conditionLines(results),
    '',
  ].join('\n');
}

function windowLines({ windows }: Results): readonly string[] {
  if (windows === undefined) return [];
  const { tools, scripted, voided, truthUncertainMs, noBlackHole } = windows.result;
  return [
    '## The same outages, measured by all tools at the same time',
    '',
    'Number of outages found, and the lowest and highest error of their reported length, ms. A missed outage is an error of',
    'its whole length. The lengths are 263, 731, and 3437 ms (late replies: 437, 731, and 1437 ms; black holes: 731, 2263,',
    'and 3437 ms), at a random phase. The ratio is the total reported time divided by the total true time.',
    '',
    ...table(
      ['tool', ...columns.map(({ title }) => title), 'ratio', 'false'],
      tools.map((tool) => [
        tool.tool,
        ...columns.map(({ kind }) => cell(tool, kind)),
        tool.totalRatio === null ? '' : tool.totalRatio.toFixed(2),
        tool.outages === null || tool.outages.length === 0 ? '' : String(tool.strays),
      ]),
    ),
    '',
    ...tools.map(({ tool, reading }) => `- ${tool}: ${reading}`),
    '',
    `The true edges are known to ${truthUncertainMs.toFixed(1)} ms or better.`,
    `Not judged, because the server itself was stalled at an edge: ${voided} of ${scripted} outages.`,
    ...(noBlackHole === null ? [] : [`There was no black-hole outage: ${noBlackHole}.`]),
    '',
  ];
}

/** Alarms of the nightly gate for known true changes. */
function nightsLines({ nights }: Results): readonly string[] {
  if (nights === undefined) return [];
  const { rows, nightEffect, runNoise } = nights.result;
  const share = (count: AlarmCount): string => {
    const { low, high } = shareInterval(count);
    const at = (value: number) => (100 * value).toFixed(1);
    return `${at(count.alarms / count.of)} % (${at(low)} to ${at(high)})`;
  };
  return [
    '## Alarms of a nightly gate',
    '',
    `Simulated nights with a known true change, judged by \`--baseline\` at the default tolerance. All runs of a night share a factor`,
    `(lognormal, ${(100 * nightEffect).toFixed(0)} %), and each run has its own factor (${(100 * runNoise).toFixed(0)} %). The columns show the share of comparisons with an alarm, with Wilson's 95 %`,
    'interval. By runs: no change, but each run counts as a value, and each figure is judged alone at 2.5 %.',
    '',
    ...table(
      [
        'nights: baseline, now',
        'runs a night',
        'drills',
        'no change',
        '… without a tolerance',
        'by runs',
        '… without a tolerance',
        'all 10 % longer',
        'all 25 % longer',
        'one 50 % longer',
        'one recovers in half of its runs',
      ],
      rows.map((row) => [
        `${row.baselineNights}, ${row.nowNights}`,
        row.runs.join(' and '),
        String(row.drills),
        share(row.unchanged),
        share(row.unchangedStrict),
        share(row.byRuns),
        share(row.byRunsStrict),
        share(row.all10),
        share(row.all25),
        share(row.one50),
        share(row.oneStuck),
      ]),
    ),
    '',
  ];
}

function cell({ outages }: ToolResult, kind: OutageKind): string {
  if (outages === null) return 'absent';
  if (outages.length === 0) return 'totals only';
  const figures = errorFigures(outages.filter((o: Judged) => o.kind === kind));
  if (figures === undefined) return '';
  return `${figures.found}/${figures.outages}: ${signed(figures.lowestMs)}..${signed(figures.highestMs)}`;
}

function conditionLines(results: Results): readonly string[] {
  return Object.entries(results).map(([part, run]) => {
    const c = run.conditions;
    return (
      `- ${part}: ${c.startedAt}, ${c.cores} cores (${c.cpu}), ${c.memoryGib} GiB, ${c.system}, Linux ${c.kernel}, ` +
      `Node ${c.node}, loopback, load ${c.loadBefore.toFixed(1)} before it, seed ${run.seed}`
    );
  });
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)];
}
