import type { Conditions } from '../../../bench/conditions.ts';
import {
  dilationLimit,
  othersLimitPct,
  slowBeforeFaultShare,
  standstillDilation,
} from '../../../src/core/starvation-limits.ts';
import type { DrillRecord } from './drill-record.ts';
import { judge, type Judgement, type Part } from './judge.ts';

/** Results of a trial. */
export interface Trial {
  readonly stack: string;
  readonly scenario: string;
  readonly machine: Conditions;
  /** The machine's speed before the trial, in words. */
  readonly speed: string;
  readonly drills: readonly DrillRecord[];
  /** Conditions that this machine cannot have, and why. */
  readonly skipped: ReadonlyMap<string, string>;
}

const parts = {
  'as-is': {
    title: 'False fails',
    text: 'The unchanged scenario. It passes on a quiet machine, so `fail` is false under every condition.',
  },
  'must-fail': {
    title: 'False passes',
    text: 'The same scenario with an RTO limit of 500 ms, which no run can meet, so `pass` is false.',
  },
} as const satisfies Readonly<Record<Part, { readonly title: string; readonly text: string }>>;

/** The trial as Markdown; the same trial gives the same text. */
export function renderTrial(trial: Trial): string {
  const { stack, scenario, machine: m, speed, drills, skipped } = trial;
  return [
    `# Starvation: ${stack}, ${scenario}`,
    '',
    '`npm run test:starvation` with STARVATION_REPORT=1 writes this file. Each drill runs on a machine that deliberately lacks CPU',
    'or disk. A drill may then be inconclusive because the machine was starved, but its verdict must not be false.',
    '',
    `Thresholds: dilation ${dilationLimit} x (median of five), one result of ${standstillDilation} x, other programs ${othersLimitPct} % of the CPU, p90 of the latency`,
    `before the fault ${slowBeforeFaultShare * 100} % of the timeout (\`src/core/starvation-limits.ts\`).`,
    '',
    ...(['as-is', 'must-fail'] as const).flatMap((part) =>
      partLines(
        part,
        drills.filter((drill) => drill.part === part),
      ),
    ),
    ...list(
      'Skipped conditions',
      [...skipped].map(([condition, why]) => `${condition}: ${why}`),
    ),
    ...list('False and unexplained verdicts', drills.flatMap(oddLine)),
    '## Machine',
    '',
    `${m.startedAt}, ${m.cores} cores (${m.cpu}), ${m.memoryGib} GiB, ${m.system}, Linux ${m.kernel}, Node ${m.node}, the lab on the same`,
    `machine, load ${m.loadBefore.toFixed(1)} before the trial. ${speed}.`,
  ].join('\n');
}

function partLines(part: Part, drills: readonly DrillRecord[]): readonly string[] {
  if (drills.length === 0) return [];
  const { title, text } = parts[part];
  const conditions = [...new Set(drills.map(({ condition }) => condition))];
  const of = (condition: string) => drills.filter((drill) => drill.condition === condition);
  return [
    `## ${title}`,
    '',
    text,
    '',
    ...table(
      [
        'condition',
        'drills',
        'passed',
        'inconclusive: starved',
        'inconclusive: other',
        'failed',
        'no verdict',
        'fault left',
        'false',
      ],
      conditions.map((condition) => [condition, ...counts(of(condition))]),
    ),
    '',
    'Dilation (wall time over CPU time of the control), CPU pressure (PSI some, median of a drill), CPU of other programs, and',
    'RTO by condition and verdict: min / median / max.',
    '',
    ...table(
      [
        'condition',
        'verdict',
        'drills',
        'p50 before',
        'p99 before',
        'p50 after',
        'p99 after',
        'pressure before, %',
        'pressure after, %',
        'others, %',
        'RTO, s',
        'RTO bounds, s',
      ],
      conditions.flatMap((condition) => rangeRows(condition, of(condition))),
    ),
    '',
  ];
}

function counts(drills: readonly DrillRecord[]): readonly string[] {
  const count = (is: (drill: DrillRecord) => boolean): string => String(drills.filter(is).length);
  return [
    String(drills.length),
    count(({ verdict }) => verdict === 'pass'),
    count(({ verdict, starved }) => verdict === 'inconclusive' && starved !== null),
    count(({ verdict, starved }) => verdict === 'inconclusive' && starved === null),
    count(({ verdict }) => verdict === 'fail'),
    count(({ verdict }) => verdict === null),
    count((drill) => judge(drill) === 'fault left'),
    count((drill) => isFalse(judge(drill))),
  ];
}

function isFalse(judgement: Judgement): boolean {
  return judgement === 'false fail' || judgement === 'false pass';
}

/** A row for each verdict that occurred under a condition. */
function rangeRows(condition: string, drills: readonly DrillRecord[]): readonly (readonly string[])[] {
  return (['pass', 'inconclusive', 'fail', null] as const).flatMap((verdict) => {
    const those = drills.filter((drill) => drill.verdict === verdict);
    if (those.length === 0) return [];
    const range = (value: (drill: DrillRecord) => number | null | undefined, digits = 1): string =>
      rangeText(
        those.map(value).filter((one) => one !== null && one !== undefined),
        digits,
      );
    const minS = Math.min(...those.flatMap(({ rto }) => (rto === null ? [] : [rto.minMs / 1000])));
    const maxS = Math.max(...those.flatMap(({ rto }) => (rto === null ? [] : [rto.maxMs / 1000])));
    return [
      [
        condition,
        verdict ?? 'none',
        String(those.length),
        range(({ dilation }) => dilation.before?.p50),
        range(({ dilation }) => dilation.before?.p99),
        range(({ dilation }) => dilation.after?.p50),
        range(({ dilation }) => dilation.after?.p99),
        range(({ cpuSomePct }) => cpuSomePct.before, 0),
        range(({ cpuSomePct }) => cpuSomePct.after, 0),
        range(({ othersCpuPct }) => othersCpuPct, 0),
        range(({ rto }) => (rto === null ? null : rto.ms / 1000)),
        Number.isFinite(minS) ? `${minS.toFixed(1)} to ${maxS.toFixed(1)}` : '-',
      ],
    ];
  });
}

/** `1.0 / 1.2 / 3.4`: minimum, upper median, and maximum; `-` without values. */
function rangeText(values: readonly number[], digits: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  const [min] = sorted;
  const median = sorted[Math.floor(sorted.length / 2)];
  const max = sorted.at(-1);
  if (min === undefined || median === undefined || max === undefined) return '-';
  return [min, median, max].map((value) => value.toFixed(digits)).join(' / ');
}

function oddLine(drill: DrillRecord): readonly string[] {
  const judgement = judge(drill);
  if (judgement === 'right') return [];
  const { condition, part, round, exitCode, reasons } = drill;
  const why = reasons.length === 0 ? 'no reason' : reasons.join('; ');
  return [`${condition}, ${part} ${round}: ${judgement} (exit code ${exitCode ?? 'none'}): ${why}`];
}

function list(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`## ${title}`, '', ...lines.map((line) => `- ${line}`), ''];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}
