import type { Measure, Stage, Summary } from '../core/summary.ts';
import type { DurationMs } from '../core/time.ts';
import { plain } from './text.ts';

type Labels = Readonly<Record<string, string>>;

/** A gauge; a series without a value is omitted. */
interface Gauge {
  readonly name: string;
  readonly help: string;
  /** Values of one drill with their labels, in addition to scenario and target. */
  readonly of: (summary: Summary) => readonly (readonly [Labels, number | null])[];
}

const verdicts = ['pass', 'fail', 'inconclusive'] as const;

/** Seconds, Prometheus' base unit, rounded to 1 µs. */
function seconds(ms: DurationMs): number {
  return Math.round(ms * 1000) / 1_000_000;
}

function one(value: number | null): readonly (readonly [Labels, number | null])[] {
  return [[{}, value]];
}

/** A measured time as three gauges: the estimate and its bounds. */
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

/** A stage's gauges: name suffix, help suffix, value. */
const stageParts: readonly (readonly [string, string, (stage: Stage) => number])[] = [
  ['', '; the stages of a drill sum to its RTO.', (s) => s.ms],
  ['_min', ': the lower bound.', (s) => s.minMs],
  ['_max', ': the upper bound.', (s) => s.maxMs],
];

const gauges: readonly Gauge[] = [
  {
    name: 'firedrill_drill_info',
    help: 'Run and release of the last drill of a scenario on a target.',
    of: ({ runId, label }) => [[{ run_id: runId, release: label ?? '' }, 1]],
  },
  {
    name: 'firedrill_drill_verdict',
    help: 'The verdict: 1 for its state, 0 for the others.',
    of: ({ verdict }) => verdicts.map((word) => [{ verdict: word }, Number(word === verdict)]),
  },
  {
    name: 'firedrill_drill_healed',
    help: '1 if the heal of every fault is proven, else 0.',
    of: ({ healed }) => one(Number(healed)),
  },
  {
    name: 'firedrill_drill_timestamp_seconds',
    help: 'End of the drill, seconds since the Unix epoch.',
    of: ({ endedAt }) => one(seconds(Date.parse(endedAt))),
  },
  {
    name: 'firedrill_drill_duration_seconds',
    help: 'Duration of the drill.',
    of: ({ startedAt, endedAt }) => one(seconds(Date.parse(endedAt) - Date.parse(startedAt))),
  },
  ...measured('firedrill_drill_rto', "From the fault's effect to the recovery that held", (s) => s.rto),
  ...measured(
    'firedrill_drill_downtime',
    'Total of the bad windows of the recovery probe after the fault',
    (s) => s.downtime,
  ),
  {
    name: 'firedrill_drill_downtime_windows',
    help: 'Number of windows of the downtime.',
    of: ({ downtime }) => one(downtime?.windows ?? null),
  },
  ...measured(
    'firedrill_drill_redundancy',
    "From the fault's effect to restored redundancy",
    (s) => s.redundancy,
  ),
  ...measured(
    'firedrill_drill_return',
    'From the start of the heal to restored redundancy',
    (s) => s.heal?.return ?? null,
  ),
  ...measured('firedrill_drill_rpo', 'From the first to the last lost acknowledged write', (s) => s.rpo),
  {
    name: 'firedrill_drill_rows',
    help: 'Rows of the writers by outcome.',
    of: ({ rpo }) =>
      rpo === null
        ? []
        : (['acked', 'lost', 'duplicated'] as const).map(
            // vocabulary: "fate" the label in 0.1.0, kept for existing queries
            (fate) => [{ fate }, rpo[fate]] as const,
          ),
  },
  ...stageParts.map(([suffix, words, pick]): Gauge => ({
    name: `firedrill_drill_stage_duration${suffix}_seconds`,
    help: `A stage of the recovery${words}`,
    of: ({ stages }) => stages.map((stage) => [{ stage: stage.name }, seconds(pick(stage))]),
  })),
  {
    name: 'firedrill_drill_check_limit_seconds',
    help: 'Upper limit of a check on a duration.',
    of: ({ checks }) =>
      checks.map(({ name, kind, limits }) => [
        { check: name, kind },
        limits?.maxMs === undefined ? null : seconds(limits.maxMs),
      ]),
  },
  {
    name: 'firedrill_drill_check_status',
    help: "A check's outcome: 1 for its state, 0 for the others.",
    of: ({ checks }) =>
      checks.flatMap(({ name, kind, status }) =>
        verdicts.map((word) => [{ check: name, kind, status: word }, Number(word === status)] as const),
      ),
  },
  {
    name: 'firedrill_drill_probe_samples',
    help: "A probe's samples by outcome.",
    of: ({ probes }) =>
      probes.flatMap(({ id, samples, failed, unknown }) => [
        [{ probe: id, outcome: 'ok' }, samples - failed - unknown] as const,
        [{ probe: id, outcome: 'fail' }, failed] as const,
        [{ probe: id, outcome: 'unknown' }, unknown] as const,
      ]),
  },
  {
    name: 'firedrill_drill_probe_windows',
    help: 'Number of bad windows of a probe during the run.',
    of: ({ probes }) => windowsOf(probes, (windows) => windows.length),
  },
  {
    name: 'firedrill_drill_probe_window_seconds',
    help: 'Total of the bad windows of a probe during the run: the estimate.',
    of: ({ probes }) => windowsOf(probes, (windows) => seconds(windows.reduce((sum, w) => sum + w.ms, 0))),
  },
  {
    name: 'firedrill_drill_probe_availability_ratio',
    help: 'Share of the run during which a probe was up: the estimate.',
    of: ({ probes }) => probes.map(({ id, availability }) => [{ probe: id }, availability?.share ?? null]),
  },
  {
    name: 'firedrill_drill_prober_sick_seconds',
    help: 'Total time during which the HTTP control of version 0.1 did not answer in time.',
    of: ({ prober }) => one(prober.controlProbe === null ? null : seconds(prober.controlProbe.degradedMs)),
  },
  {
    name: 'firedrill_drill_prober_starved_seconds',
    help: "Total time during which the prober's machine was starved of CPU.",
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
 * metrics.prom: Prometheus' text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/), without
 * timestamps, because node_exporter's textfile collector and the Pushgateway reject them. If a scenario has multiple drills
 * on a target, the last one counts.
 */
export function renderMetrics(summaries: readonly Summary[]): string {
  const last = new Map(
    summaries.map((summary) => [JSON.stringify([summary.scenario.name, summary.target]), summary]),
  );
  return gauges
    .flatMap(({ name, help, of }) => {
      // A series may occur once only: the last value of equal labels wins.
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

/** Longer label values are cut, characters. */
const longestLabel = 200;

/** A text as a label value: one line of at most 200 characters. */
export function labelValue(text: string): string {
  return plain(text).slice(0, longestLabel).toWellFormed();
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([key, value]) => `${key}="${labelValue(value).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`,
  );
  return `{${pairs.join(',')}}`;
}
