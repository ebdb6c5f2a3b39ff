import type { RunLog } from '../analysis/read-log.ts';
import { dominantStage } from '../analysis/stages.ts';
import { analyse } from '../analysis/summarize.ts';
import { durationWords, measureWords } from '../analysis/words.ts';
import type { Predicted, Ownership, Stage, Summary } from '../core/summary.ts';
import { offsetWords, ownershipRows, ownerWords, totalWords } from './ownership-text.ts';
import { rowTables, rpoWords } from './rows-text.ts';
import { bar, capital, counted, markdown } from './text.ts';
import { timelineOf } from './timeline.ts';
import { hasReturn, predictedWords, returnWords, verdictWords } from './verdict-text.ts';
import { availabilityWords, causeWords } from './watch-text.ts';

const barWidth = 20;
/** More lines than this nobody reads; the rest is in summary.json and events.ndjson. */
const timelineLimit = 300;
const windowLimit = 100;
const signs = { pass: '✅ pass', fail: '❌ fail', inconclusive: '❔ inconclusive' } as const;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line), ''];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`## ${title}`, '', ...lines];
}

function list(items: readonly string[]): string[] {
  return items.length === 0 ? [] : [...items.map((i) => `- ${markdown(i)}`), ''];
}

function headline(summary: Summary): string[] {
  const { rto, downtime, redundancyRestoredMs } = summary;
  const besides = (predicted: Predicted | undefined) =>
    predicted === undefined ? '' : `, predicted ${predictedWords(predicted)}`;
  const parts = [`**${verdictWords(summary)}**`];
  const limit = summary.checks.find((c) => c.kind === 'rto')?.limit;
  if (rto !== null)
    parts.push(
      `RTO **${measureWords(rto)}**${limit === undefined ? '' : `, limit ${markdown(limit)}`}${besides(summary.predicted?.rto)}`,
    );
  else if (summary.faults.length > 0) parts.push('RTO not measured');
  if (downtime !== null)
    parts.push(`downtime ${measureWords(downtime)} in ${counted(downtime.windows, 'window')}`);
  if (redundancyRestoredMs !== null)
    parts.push(
      `redundancy restored after ${durationWords(redundancyRestoredMs)}${besides(summary.predicted?.redundancy)}`,
    );
  const rpo = rpoWords(summary);
  if (rpo !== undefined) parts.push(`RPO ${rpo}`);
  return [parts.join(' · '), ''];
}

/** A chain's stages, which sum to `total` (of what `sum` names). */
function stageTable(stages: readonly Stage[], total: number, sum: string): string[] {
  const dominant = dominantStage(stages);
  if (dominant === undefined) return [];
  const predicted = stages.some((s) => s.predicted !== undefined);
  return [
    ...table(
      ['stage', 'ms', ...(predicted ? ['predicted'] : []), 'share', '', 'includes, their end not seen'],
      stages.map((s) => {
        const share = total > 0 ? s.ms / total : 0;
        const name = markdown(s.name);
        return [
          s === dominant ? `**${name}**` : name,
          s.ms.toFixed(3),
          ...(predicted ? [s.predicted === undefined ? '' : predictedWords(s.predicted)] : []),
          `${(share * 100).toFixed(1)} %`,
          bar(share, barWidth),
          s.includes.map(markdown).join(', '),
        ];
      }),
    ),
    `The stages sum to the ${sum}, ${total.toFixed(3)} ms. The longest is ${markdown(dominant.name)}.`,
    '',
    ...(predicted
      ? [
          `Predicted is what follows from the settings, without the time that passes until a probe sees it.${stages.some((s) => s.predicted?.measured) ? ' Where (measured) stands, times that no setting gives are in it, as they were measured before.' : ''}`,
          '',
        ]
      : []),
  ];
}

function returnSection({ heal }: Summary): string[] {
  if (!hasReturn(heal)) return [];
  return section('Return', [
    `${capital(returnWords(heal))}. The heal began at ${heal.startedAt}.`,
    '',
    ...stageTable(heal.stages, heal.return?.ms ?? 0, 'return'),
  ]);
}

/** What offsets are from. */
function effectOrStart({ faults }: Summary): string {
  return faults.some((f) => f.effectAt !== null) ? "the fault's effect" : 'the start of the run';
}

/** Who owned what when: the sides next to each other, and for how long it had no owner or several. */
function ownershipSection({ ownership, faults }: Summary): string[] {
  if (ownership.length === 0) return [];
  const drilled = faults.some((f) => f.effectAt !== null);
  const zero = drilled ? "the fault's effect (middle of its bounds)" : 'the start of the run';
  return section('Ownership', [
    ...ownership.flatMap((thing) => ownerTables(thing, drilled ? 'after the fault' : 'in all')),
    `Times are from ${zero}. A change lies between two looks and is shown at the middle, with half of that time after the ±. Changes of several hosts that lie within each other's bounds are one row: whether there was nobody, or more than one, for a moment in between could not be seen, and counts in the upper bounds only. A \`?\` marks a host of which it is not known: it gave no answer, was not asked for too long, or its looks disagreed one after another.`,
    '',
  ]);
}

function ownerTables(thing: Ownership, zero: string): string[] {
  const rows = ownershipRows(thing);
  const left = rows.length - windowLimit;
  return [
    `### ${markdown(thing.name)}`,
    '',
    ...table(
      ['time', ...thing.sides.map((s) => `${markdown(s.side)} by`)],
      rows.slice(0, windowLimit).map(({ fromMs, plusMinusMs, cells }) => [
        `${offsetWords(fromMs)}${plusMinusMs > 0 ? ` ±${(plusMinusMs / 1000).toFixed(3)} s` : ''}`,
        ...cells.map(({ stretch, changed }) => {
          const words = stretch === null ? '' : markdown(ownerWords(stretch));
          return changed ? `**${words}**` : words;
        }),
      ]),
    ),
    ...(left > 0 ? [`${left} more are in summary.json.`, ''] : []),
    ...table(
      [zero, 'by nobody', 'by several'],
      thing.sides.map((s) => [markdown(s.side), totalWords(s.nobody), totalWords(s.several)]),
    ),
  ];
}

function variableSection({ scenario }: Summary): string[] {
  const rows = Object.entries(scenario.variables).map(([name, value]) => [
    markdown(name),
    markdown(String(value)),
  ]);
  return section('Variables', rows.length === 0 ? [] : table(['name', 'value'], rows));
}

function windowSection(summary: Summary): string[] {
  const rows = summary.probes.flatMap((p) =>
    p.windows.map((w) => [
      markdown(p.id),
      markdown(w.state),
      w.startAt,
      w.endAt ?? 'still open',
      measureWords(w),
      markdown(causeWords(w.causes)),
    ]),
  );
  return section(
    'Windows',
    rows.length === 0
      ? ['No probe saw a bad window.', '']
      : [
          ...table(
            ['probe', 'state', 'from', 'to', 'duration (bounds)', 'causes'],
            rows.slice(0, windowLimit),
          ),
          ...(rows.length > windowLimit
            ? [`${rows.length - windowLimit} more are in summary.json.`, '']
            : []),
          'Bounds contain the truth; the estimate is their middle. `slow` windows are late good answers and no downtime.',
          '',
        ],
  );
}

function faultSection(summary: Summary): string[] {
  if (summary.faults.length === 0) return [];
  return section(
    'Faults',
    table(
      ['fault', 'kind', 'on', 'issued', 'acknowledged', 'effect', 'healed'],
      summary.faults.map((f) => [
        markdown(f.id),
        markdown(f.kind),
        markdown(f.on),
        f.issuedAt,
        f.ackedAt ?? 'no',
        f.effectAt ?? 'not seen',
        f.healedAt ?? '**not proven**',
      ]),
    ),
  );
}

function probeSection(summary: Summary): string[] {
  return section('Probes', [
    ...table(
      [
        'probe',
        'kind',
        'samples',
        'failed',
        'unknown',
        'not sent',
        'available (bounds)',
        'lateness p50 / p99 / max',
        'latency p50 / p99 / max',
      ],
      summary.probes.map((p) => [
        markdown(p.id),
        markdown(p.kind),
        String(p.samples),
        String(p.failed),
        String(p.unknown),
        String(p.dropped),
        p.availability === null ? 'not seen' : availabilityWords(p.availability),
        spreadWords(p.lateness),
        p.latency === null ? 'no good answer' : spreadWords(p.latency),
      ]),
    ),
    ...latencyTable(summary),
  ]);
}

/** What answers took before, during and after the outage. */
function latencyTable({ probes }: Summary): string[] {
  const rows = probes.flatMap((p) => {
    if (p.latencyAround === null) return [];
    const { before, during, after } = p.latencyAround;
    const cells = [before, during, after].map((s) => (s === null ? 'no good answer' : spreadWords(s)));
    return [[markdown(p.id), ...cells]];
  });
  return rows.length === 0
    ? []
    : table(['latency p50 / p99 / max', 'before the fault', 'until recovered', 'after that'], rows);
}

function spreadWords(s: { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number }): string {
  return [s.p50Ms, s.p99Ms, s.maxMs].map((ms) => `${ms.toFixed(1)} ms`).join(' / ');
}

function timelineSection(log: RunLog): string[] {
  const analysis = analyse(log);
  const zero = analysis.recovery?.effect.ms;
  const entries = timelineOf(analysis);
  const shown = entries.slice(0, timelineLimit);
  const left = entries.length - shown.length;
  return section('Timeline', [
    zero === undefined
      ? 'Times are from the start of the run: no fault took effect.'
      : "Times are from the fault's effect (middle of its bounds).",
    '',
    ...table(
      ['time', 'what'],
      shown.map((e) => [offsetWords(e.atMs - (zero ?? log.startMs)), markdown(e.what)]),
    ),
    ...(left > 0 ? [`${left} more are in events.ndjson.`, ''] : []),
  ]);
}

/**
 * report.md. With the log also the timeline; without it everything that
 * summary.json holds. The same input gives the same bytes.
 */
export function renderMarkdown(summary: Summary, log?: RunLog): string {
  const { scenario } = summary;
  const lines = [
    `# ${markdown(scenario.title === '' ? scenario.name : scenario.title)}`,
    '',
    ...headline(summary),
    ...section('Why', list(summary.reasons)),
    ...section('Notes', list(summary.notes)),
    ...section(
      'Checks',
      summary.checks.length === 0
        ? []
        : table(
            ['check', 'outcome', 'observed', 'limit'],
            summary.checks.map((c) => [
              markdown(c.name),
              signs[c.status],
              markdown(c.observed),
              markdown(c.limit),
            ]),
          ),
    ),
    ...section('Stages of the recovery', stageTable(summary.stages, summary.rto?.ms ?? 0, 'RTO')),
    ...returnSection(summary),
    ...ownershipSection(summary),
    ...section('Written rows', rowTables(summary, table, effectOrStart(summary))),
    ...windowSection(summary),
    ...section(
      'Roles',
      summary.roles.length === 0
        ? []
        : table(
            ['role', 'before', 'after'],
            summary.roles.map((r) => [
              markdown(r.role),
              markdown(r.before ?? 'nobody alone'),
              markdown(r.after ?? 'nobody alone'),
            ]),
          ),
    ),
    ...variableSection(summary),
    ...faultSection(summary),
    ...probeSection(summary),
    ...section(
      'Phases',
      summary.phases.length === 0
        ? []
        : table(
            ['phase', 'took'],
            summary.phases.map((p) => [markdown(p.name), durationWords(p.ms)]),
          ),
    ),
    ...(log === undefined ? [] : timelineSection(log)),
    ...section('Run', [
      ...table(
        ['', ''],
        [
          ['run', markdown(summary.runId)],
          ['scenario', `${markdown(scenario.path)} (sha256 ${markdown(scenario.sha256)})`],
          ['target', markdown(summary.target)],
          ['started', summary.startedAt],
          ['ended', summary.endedAt],
          ...(log === undefined
            ? []
            : [
                [
                  'made by',
                  `firedrill ${markdown(log.versions.firedrill)}, Node ${markdown(log.versions.node)}`,
                ],
              ]),
        ],
      ),
    ]),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}
