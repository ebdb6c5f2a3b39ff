import type { Measure, Stage, Summary } from '../core/summary.ts';
import { plain } from './text.ts';

type Labels = Readonly<Record<string, string>>;

/** A gauge: without a value there is no line for it. */
interface Gauge {
  readonly name: string;
  readonly help: string;
  /** Of one drill, by labels besides scenario and target. */
  readonly of: (summary: Summary) => readonly (readonly [Labels, number | null])[];
}

const verdicts = ['pass', 'fail', 'inconclusive'] as const;

/** Times are in seconds, Prometheus' base unit; to the microsecond. */
function seconds(ms: number): number {
  return Math.round(ms * 1000) / 1_000_000;
}

function one(value: number | null): readonly (readonly [Labels, number | null])[] {
  return [[{}, value]];
}

/** A measured time as three gauges: the estimate and the bounds that hold the truth. */
function measured(name: string, help: string, of: (summary: Summary) => Measure | null): readonly Gauge[] {
  const part = (suffix: string, words: string, pick: (m: Measure) => number): Gauge => ({
    name: `${name}${suffix}_seconds`,
    help: `${help}${words}`,
    of: (summary) => {
      const measure = of(summary);
      return one(measure === null ? null : seconds(pick(measure)));
    },
  });
  return [
    part('', ': the estimate.', (m) => m.ms),
    part('_min', ': the lower bound.', (m) => m.minMs),
    part('_max', ': the upper bound.', (m) => m.maxMs),
  ];
}

/** Of a stage: what follows the name, the words, the value. */
const stageParts: readonly (readonly [string, string, (stage: Stage) => number])[] = [
  ['', '; the stages of a drill sum to its RTO.', (s) => s.ms],
  ['_min', ': the lower bound.', (s) => s.minMs],
  ['_max', ': the upper bound.', (s) => s.maxMs],
];

const gauges: readonly Gauge[] = [
  {
    name: 'firedrill_drill_info',
    help: 'The last drill of a scenario on a target: its run, and the release that was drilled.',
    of: ({ runId, label }) => [[{ run_id: runId, release: label ?? '' }, 1]],
  },
  {
    name: 'firedrill_drill_verdict',
    help: 'Whether this is the verdict: one of the states is 1.',
    of: ({ verdict }) => verdicts.map((word) => [{ verdict: word }, Number(word === verdict)]),
  },
  {
    name: 'firedrill_drill_healed',
    help: 'Whether all that was broken is proven healed.',
    of: ({ healed }) => one(Number(healed)),
  },
  {
    name: 'firedrill_drill_timestamp_seconds',
    help: 'When the drill ended, since the epoch.',
    of: ({ endedAt }) => one(seconds(Date.parse(endedAt))),
  },
  {
    name: 'firedrill_drill_duration_seconds',
    help: 'How long the whole drill took.',
    of: ({ startedAt, endedAt }) => one(seconds(Date.parse(endedAt) - Date.parse(startedAt))),
  },
  ...measured('firedrill_drill_rto', 'From the effect of the fault to the recovery that held', (s) => s.rto),
  ...measured(
    'firedrill_drill_downtime',
    'All bad windows of the recovery probe after the fault',
    (s) => s.downtime,
  ),
  {
    name: 'firedrill_drill_downtime_windows',
    help: 'How many windows that downtime has.',
    of: ({ downtime }) => one(downtime?.windows ?? null),
  },
  ...measured(
    'firedrill_drill_redundancy',
    'From the effect of the fault to restored redundancy',
    (s) => s.redundancy,
  ),
  ...measured(
    'firedrill_drill_return',
    'From the beginning of the heal to restored redundancy',
    (s) => s.heal?.return ?? null,
  ),
  ...measured('firedrill_drill_rpo', 'The time whose acknowledged writes were lost', (s) => s.rpo),
  {
    name: 'firedrill_drill_rows',
    help: 'What became of the rows that the writers wrote.',
    of: ({ rpo }) =>
      rpo === null
        ? []
        : [
            [{ fate: 'acked' }, rpo.acked],
            [{ fate: 'lost' }, rpo.lost],
            [{ fate: 'duplicated' }, rpo.duplicated],
          ],
  },
  ...stageParts.map(([suffix, words, pick]): Gauge => ({
    name: `firedrill_drill_stage_duration${suffix}_seconds`,
    help: `A stage of the recovery${words}`,
    of: ({ stages }) => stages.map((stage) => [{ stage: stage.name }, seconds(pick(stage))]),
  })),
  {
    name: 'firedrill_drill_check_limit_seconds',
    help: 'The longest that a check on a duration lets pass.',
    of: ({ checks }) =>
      checks.map(({ name, kind, limits }) => [
        { check: name, kind },
        limits?.maxMs === undefined ? null : seconds(limits.maxMs),
      ]),
  },
  {
    name: 'firedrill_drill_check_status',
    help: 'Whether this is what came of the check: one of the states is 1.',
    of: ({ checks }) =>
      checks.flatMap(({ name, kind, status }) =>
        verdicts.map((word) => [{ check: name, kind, status: word }, Number(word === status)] as const),
      ),
  },
  {
    name: 'firedrill_drill_probe_samples',
    help: 'How often a probe looked, by what it saw.',
    of: ({ probes }) =>
      probes.flatMap(({ id, samples, failed, unknown }) => [
        [{ probe: id, outcome: 'ok' }, samples - failed - unknown] as const,
        [{ probe: id, outcome: 'fail' }, failed] as const,
        [{ probe: id, outcome: 'unknown' }, unknown] as const,
      ]),
  },
  {
    name: 'firedrill_drill_probe_windows',
    help: 'Bad windows of a probe in the whole run.',
    of: ({ probes }) => windowsOf(probes, (windows) => windows.length),
  },
  {
    name: 'firedrill_drill_probe_window_seconds',
    help: 'How long the bad windows of a probe were in all: the estimates.',
    of: ({ probes }) => windowsOf(probes, (windows) => seconds(windows.reduce((sum, w) => sum + w.ms, 0))),
  },
  {
    name: 'firedrill_drill_probe_availability_ratio',
    help: 'The share of the run without an outage, as the probe saw it: the estimate.',
    of: ({ probes }) => probes.map(({ id, availability }) => [{ probe: id }, availability?.share ?? null]),
  },
  {
    name: 'firedrill_drill_prober_sick_seconds',
    help: 'For how long the HTTP control of version 0.1 did not answer in time.',
    of: ({ prober }) => one(prober.canary === null ? null : seconds(prober.canary.sickMs)),
  },
  {
    name: 'firedrill_drill_prober_starved_seconds',
    help: "For how long the prober's machine was starved of CPU.",
    of: ({ prober }) => one(prober.control === null ? null : seconds(prober.control.starvedMs)),
  },
  {
    name: 'firedrill_drill_prober_dilation',
    help: "Wall time of the control's work on the prober's machine divided by its CPU time.",
    of: ({ prober: { control } }) =>
      control?.dilation == null
        ? []
        : [
            [{ stat: 'p50' }, control.dilation.p50] as const,
            [{ stat: 'p99' }, control.dilation.p99] as const,
            [{ stat: 'max' }, control.dilation.max] as const,
          ],
  },
];

function windowsOf(
  probes: Summary['probes'],
  of: (windows: Summary['probes'][number]['windows']) => number,
): readonly (readonly [Labels, number])[] {
  return probes.flatMap(({ id, windows }) =>
    [...new Set(windows.map(({ state }) => state))].map(
      (state) => [{ probe: id, state }, of(windows.filter((w) => w.state === state))] as const,
    ),
  );
}

/**
 * metrics.prom: Prometheus' text format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/), as node_exporter's textfile collector and a
 * Pushgateway read it: without times of its own. Of several drills of a scenario on a target it has the last.
 */
export function renderMetrics(summaries: readonly Summary[]): string {
  const last = new Map(
    summaries.map((summary) => [JSON.stringify([summary.scenario.name, summary.target]), summary]),
  );
  return gauges
    .flatMap(({ name, help, of }) => {
      // A series can be there once only: of two that are called the same, the last.
      const series = new Map(
        [...last.values()].flatMap((summary) =>
          of(summary).flatMap(([labels, value]) =>
            value === null || !Number.isFinite(value)
              ? []
              : [
                  [
                    labelText({ scenario: summary.scenario.name, target: summary.target, ...labels }),
                    value,
                  ] as const,
                ],
          ),
        ),
      );
      if (series.size === 0) return [];
      return [
        `# HELP ${name} ${help}\n`,
        `# TYPE ${name} gauge\n`,
        ...[...series].map(([labels, value]) => `${name}${labels} ${value}\n`),
      ];
    })
    .join('');
}

/** Longer names are cut: a label is no place for a page. Characters. */
const longestLabel = 200;

/** A text as the value of a label: one line. */
export function labelValue(text: string): string {
  return plain(text).slice(0, longestLabel).toWellFormed();
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([key, value]) => `${key}="${labelValue(value).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`,
  );
  return `{${pairs.join(',')}}`;
}
