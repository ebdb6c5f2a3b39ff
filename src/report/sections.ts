import { durationText, offsetText } from '../core/format-duration.ts';
import type { RunLog } from '../analysis/run-log.ts';
import type { Analysis } from '../analysis/summarize.ts';
import { measureText } from '../analysis/format.ts';
import { dilationText } from '../core/control.ts';
import { controlWorkMs, dilationLimit, othersLimitPct } from '../core/starvation-limits.ts';
import type { CheckResult, Ownership, Spread, Summary } from '../core/summary.ts';
import { ownershipRows, ownerText, totalText } from './ownership-text.ts';
import {
  controlText,
  degradedIntervals,
  harnessText,
  laneText,
  machineName,
  machineText,
} from './prober-text.ts';
import { timelineOf } from './timeline.ts';
import { availabilityText, causeText } from './watch-text.ts';

/** A table cell, optionally strong. It holds external text unescaped: the renderer escapes it. */
export type Cell = string | { readonly strong: string };

/** A part of a section, for report.md and report.html. */
export type Block =
  | { readonly kind: 'table'; readonly head: readonly Cell[]; readonly rows: readonly (readonly Cell[])[] }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | { readonly kind: 'title'; readonly text: string };

/** A titled section of a report; a section without blocks is omitted. */
export interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
}

/** Maximum rows of tables; the rest is in summary.json and events.ndjson. */
const timelineLimit = 300;
const windowLimit = 100;
const signs = { pass: '✅ pass', fail: '❌ fail', inconclusive: '❔ inconclusive' } as const;

/** A paragraph. */
export function text(words: string): Block {
  return { kind: 'text', text: words };
}

/** A table; no block if it has no rows. */
export function table(head: readonly Cell[], rows: readonly (readonly Cell[])[]): readonly Block[] {
  return rows.length === 0 ? [] : [{ kind: 'table', head, rows }];
}

/** A table of at most `limit` rows, and a text that names the file with the rest. */
export function cutTable(
  head: readonly Cell[],
  rows: readonly (readonly Cell[])[],
  { limit, where }: { readonly limit: number; readonly where: string },
): readonly Block[] {
  const left = rows.length - limit;
  return [...table(head, rows.slice(0, limit)), ...(left > 0 ? [text(`${left} more are in ${where}.`)] : [])];
}

function list(title: string, items: readonly string[]): Section {
  return { title, blocks: items.length === 0 ? [] : [{ kind: 'list', items }] };
}

/** The reasons for the verdict. */
export function whySection({ reasons }: Summary): Section {
  return list('Why', reasons);
}

/** Notes that do not affect the verdict. */
export function noteSection({ notes }: Summary): Section {
  return list('Notes', notes);
}

/** Each check with its observation and its limit. */
export function checkSection({ checks }: Summary): Section {
  const outcome = ({ status }: CheckResult) => signs[status];
  return {
    title: 'Checks',
    blocks: table(
      ['check', 'outcome', 'observed', 'limit'],
      checks.map((c) => [c.name, outcome(c), c.observed, c.limit]),
    ),
  };
}

/** Zero of the report's offsets, as text. */
export function effectOrStart({ faults }: Summary): string {
  return faults.some((f) => f.effectAt !== null) ? "the fault's effect" : 'the start of the run';
}

/** The owners over time with the sides as columns, and the time with no owner or multiple owners. */
export function ownershipSection({ ownership, faults }: Summary): Section {
  const drilled = faults.some((f) => f.effectAt !== null);
  const zero = drilled ? "the fault's effect (middle of its bounds)" : 'the start of the run';
  const words = `Times count from ${zero}. A change lies between two samples: the table shows the middle of that interval, and half of its length after the ±. Changes of multiple hosts within each other's bounds share a row. A shorter time with no owner or multiple owners, between two samples, is unobserved: only the upper bounds include it. A “?” marks a host whose ownership is unknown: it gave no answer, its last sample was too old, or its samples contradicted each other.`;
  const tables = ownership.flatMap((thing) => ownerTables(thing, drilled ? 'after the fault' : 'in total'));
  return { title: 'Ownership', blocks: tables.length === 0 ? [] : [...tables, text(words)] };
}

function ownerTables(thing: Ownership, zero: string): Block[] {
  const rows = ownershipRows(thing).map(({ fromMs, plusMinusMs, cells }) => [
    `${offsetText(fromMs)}${plusMinusMs > 0 ? ` ±${(plusMinusMs / 1000).toFixed(3)} s` : ''}`,
    ...cells.map(({ stretch, changed }): Cell => {
      const words = stretch === null ? '' : ownerText(stretch);
      return changed ? { strong: words } : words;
    }),
  ]);
  return [
    { kind: 'title', text: thing.name },
    ...cutTable(['time', ...thing.sides.map((s) => `${s.side} by`)], rows, {
      limit: windowLimit,
      where: 'summary.json',
    }),
    ...table(
      [zero, 'no owner', 'multiple owners'],
      thing.sides.map((s) => [
        s.side,
        totalText(s.none, s.unobservedMs?.none),
        totalText(s.multiple, s.unobservedMs?.multiple),
      ]),
    ),
  ];
}

/** The scenario's variables with this drill's values. */
export function variableSection({ scenario }: Summary): Section {
  const rows = Object.entries(scenario.variables).map(([name, value]) => [name, String(value)]);
  return { title: 'Variables', blocks: table(['name', 'value'], rows) };
}

/** Every bad window of every probe, with its bounds and causes. */
export function windowSection({ probes }: Summary): Section {
  const rows = probes.flatMap((p) =>
    p.windows.map((w) => [
      p.id,
      w.state,
      w.startAt,
      w.endAt ?? 'still open',
      measureText(w),
      causeText(w.causes),
    ]),
  );
  const head = ['probe', 'state', 'from', 'to', 'duration (bounds)', 'causes'];
  return {
    title: 'Windows',
    blocks:
      rows.length === 0
        ? [text('No probe saw a bad window.')]
        : [
            ...cutTable(head, rows, { limit: windowLimit, where: 'summary.json' }),
            text(
              `The bounds contain the true duration, and the estimate is their middle. If held requests are all answered at the same moment, that moment is the estimate of the end. Windows in the state “slow” have late good answers and are not downtime.${rows.some((r) => r[1] === 'uncertain') ? ' Windows in the state “uncertain” may be no outage: their samples failed while the prober was degraded, or are missing from the log.' : ''}`,
            ),
          ],
  };
}

/** The holder of each role before and after the fault. */
export function roleSection({ roles }: Summary): Section {
  return {
    title: 'Roles',
    blocks: table(
      ['role', 'before', 'after'],
      roles.map((r) => [r.role, r.before ?? 'no single host', r.after ?? 'no single host']),
    ),
  };
}

/** The times of each fault, from issue to heal. */
export function faultSection({ faults }: Summary): Section {
  return {
    title: 'Faults',
    blocks: table(
      ['fault', 'kind', 'on', 'issued', 'acknowledged', 'effect', 'healed'],
      faults.map((f) => [
        f.id,
        f.kind,
        f.on,
        f.issuedAt,
        f.ackedAt ?? 'no',
        f.effectAt ?? 'not seen',
        f.healedAt ?? { strong: 'not proven' },
      ]),
    ),
  };
}

/** Each probe's samples, availability, and lateness, and its latency before, during, and after the outage. */
export function probeSection({ probes, probesLeftOut = [] }: Summary): Section {
  const head = [
    'probe',
    'kind',
    'samples',
    'failed',
    'unknown',
    'not sent',
    'available (bounds)',
    'lateness p50 / p99 / max',
    'latency p50 / p99 / max',
  ];
  const rows = probes.map((p) => [
    p.id,
    p.kind,
    String(p.samples),
    String(p.failed),
    String(p.unknown),
    String(p.dropped),
    p.availability === null ? 'unknown' : availabilityText(p.availability),
    spreadText(p.lateness),
    p.latency === null ? 'no good answer' : spreadText(p.latency),
  ]);
  const around = probes.flatMap((p) => {
    if (p.latencyAround === null) return [];
    const { before, during, after } = p.latencyAround;
    const cells = [before, during, after].map((s) => (s === null ? 'no good answer' : spreadText(s)));
    return [[p.id, ...cells]];
  });
  return {
    title: 'Probes',
    blocks: [
      ...table(head, rows),
      ...table(['latency p50 / p99 / max', 'before the fault', 'until recovered', 'after that'], around),
      ...(probesLeftOut.length === 0
        ? []
        : [
            text(
              `Not run, because this drill does not use them: ${probesLeftOut.join(', ')}. To run them, pass --all-probes.`,
            ),
          ]),
    ],
  };
}

/** The condition of the prober: threads, control, machines, cost, and clock. */
export function proberSection({ prober, harness }: Summary): Section {
  const { control, controlProbe, machines, lanes, clockSteps } = prober;
  const words = controlText(prober);
  const rows = [
    ...lanes.map((lane) => [`thread ${lane.lane}`, laneText(lane)]),
    ...(words === null ? [] : [['control', words]]),
    ...machines.map((machine) => [machineName(machine), machineText(machine)]),
    ...(harness === undefined ? [] : [['cost', harnessText(harness)]]),
    ...clockSteps.map((s) => [
      s.cause === 'suspend' ? 'machine slept' : 'wall clock set',
      `by ${durationText(Math.abs(s.byMs))} ${s.byMs > 0 ? 'forwards' : 'backwards'} at ${s.at}`,
    ]),
  ];
  const degraded = degradedIntervals(prober).map((s) => [
    s.startAt,
    s.endAt ?? 'the end',
    durationText(s.ms),
  ]);
  const head = [control === null ? 'degraded from' : 'starved from', 'to', 'for'];
  return {
    title: 'Prober',
    blocks: [
      ...table(['', ''], rows),
      ...cutTable(head, degraded, { limit: windowLimit, where: 'summary.json' }),
      ...(control === null ? [] : [text(controlNote(machines))]),
      ...(control !== null || controlProbe === null ? [] : [text(httpControlNote)]),
    ],
  };
}

/** Explains the control and the effect of a starved machine on samples. */
function controlNote(machines: Summary['prober']['machines']): string {
  const own = machines.some((m) => m.prober && m.hosts.length > 0);
  const meaning = own
    ? `The target runs on the same machine, so a sample that fails while the machine is starved counts as failed. A check that fails while other programs took more than ${othersLimitPct} % of its CPU is inconclusive.`
    : 'A sample that fails while the machine is starved is unknown.';
  return `The control uses ${controlWorkMs} ms of CPU time on the prober's machine twice a second. Its dilation is the wall time divided by the CPU time: about ${dilationText(1)} on a quiet machine. Above ${dilationText(dilationLimit)} the machine is starved. ${meaning}`;
}

const httpControlNote =
  'The control was a small HTTP server on the prober’s machine. A sample that failed while it did not answer in time is unknown.';

function spreadText(s: Spread): string {
  return [s.p50Ms, s.p99Ms, s.maxMs].map((ms) => `${ms.toFixed(1)} ms`).join(' / ');
}

/** The duration of each phase. */
export function phaseSection({ phases }: Summary): Section {
  return {
    title: 'Phases',
    blocks: table(
      ['phase', 'took'],
      phases.map((p) => [p.name, durationText(p.ms)]),
    ),
  };
}

/** The events of the run in order of time. */
export function timelineSection(analysis: Analysis): Section {
  const { log, recovery } = analysis;
  const zero = recovery?.effect.ms;
  const rows = timelineOf(analysis).map((e) => [offsetText(e.atMs - (zero ?? log.startMs)), e.what]);
  return {
    title: 'Event log',
    blocks: [
      text(
        zero === undefined
          ? 'Times count from the start of the run, because no fault took effect.'
          : "Times count from the fault's effect (middle of its bounds).",
      ),
      ...cutTable(['time', 'what'], rows, { limit: timelineLimit, where: 'events.ndjson' }),
    ],
  };
}

/** Identifies the run, scenario, and target. The version of firedrill is in the log only. */
export function runSection(summary: Summary, log: RunLog | undefined): Section {
  const { runId, scenario, target, startedAt, endedAt } = summary;
  const rows = [
    ['run', runId],
    ['scenario', `${scenario.path} (sha256 ${scenario.sha256})`],
    ['target', target],
    ['started', startedAt],
    ['ended', endedAt],
  ];
  if (log !== undefined)
    rows.push(['made by', `firedrill ${log.versions.firedrill}, Node ${log.versions.node}`]);
  return { title: 'Run', blocks: table(['', ''], rows) };
}
