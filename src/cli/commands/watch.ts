import { DrillError, ExitCode } from '../../core/errors.ts';
import { parseDuration } from '../../core/duration.ts';
import type { Gate, Json, Plan, PlannedProbe } from '../../core/plan.ts';
import { runWatch } from '../../engine/watch.ts';
import { renderWatchText } from '../../report/watch-text.ts';
import { defaults } from '../../scenario/defaults.ts';
import type { WatchPlan } from '../../scenario/target-planner.ts';
import { probeKind } from '../../probes/catalog.ts';
import { loadWatchPlan } from '../inputs.ts';
import { type Output, printError } from '../output.ts';
import { recordRun } from '../record-run.ts';
import { writeReports } from '../run-folder.ts';
import type { Stop } from '../stop.ts';

/** Options of `firedrill watch`. */
export interface WatchOptions {
  readonly target?: string;
  readonly url?: string;
  readonly interval?: string;
  readonly timeout?: string;
  readonly for?: string;
  readonly out: string;
  readonly json: boolean;
}

/** Probes a target, or one URL, until the time is up or a signal arrives; then prints the results. Changes nothing. */
export async function watchCommand(options: WatchOptions, stop: Stop, output: Output): Promise<number> {
  const plan = watchPlan(options);
  const forMs = options.for === undefined ? undefined : durationOption('--for', options.for);
  const { folder, log } = await recordRun(
    { name: `watch-${plan.target.name}`, secrets: plan, out: options.out, output },
    (deps) => {
      const timeUp = forMs === undefined ? [] : [AbortSignal.timeout(forMs)];
      return runWatch(plan, deps, AbortSignal.any([stop.signal, ...timeUp]));
    },
  );
  const { summary, unwritten } = writeReports(folder);
  const problems = [...(log.broken.aborted ? [log.broken.reason as DrillError] : []), ...unwritten];
  for (const problem of problems) printError(problem, output);
  if (options.json) output.data(`${JSON.stringify({ probes: summary.probes, prober: summary.prober })}\n`);
  else output.text(renderWatchText(summary));
  output.progress(`saved in ${folder}`);
  return problems.length === 0 ? ExitCode.pass : ExitCode.inconclusive;
}

function watchPlan(options: WatchOptions): Plan {
  if ((options.url === undefined) === (options.target === undefined)) {
    throw new DrillError('invalid-input', 'watch needs either --target FILE or --url URL');
  }
  const watch = options.target === undefined ? urlPlan(options) : loadWatchPlan(options.target);
  const never: Gate = { require: [], forMs: 0, withinMs: 0 };
  return {
    ...watch,
    models: {},
    writers: [],
    scenario: { name: 'watch', title: `watch of ${watch.target.name}`, path: '', sha256: '', variables: {} },
    prepare: [],
    steady: never,
    limits: { faultMs: 0 },
    faults: [],
    repair: [],
    recovery: { probe: watch.probes[0]?.name ?? '', withinMs: 0, stableForMs: 0 },
    redundancy: never,
    checks: [],
    stages: [],
    returnStages: [],
  };
}

/** A target with one URL as its only probe. */
function urlPlan(options: WatchOptions): WatchPlan {
  const url = options.url ?? '';
  const parsed = probeKind('http')?.params.safeParse({ url });
  if (parsed === undefined || !parsed.success) {
    throw new DrillError(
      'invalid-input',
      `--url: ${parsed?.error.issues[0]?.message ?? 'not usable'}: ${url}`,
    );
  }
  const intervalMs =
    options.interval === undefined ? defaults.intervalMs : durationOption('--interval', options.interval);
  const probe: PlannedProbe = {
    id: 'url',
    name: 'url',
    kind: 'http',
    // The output of a kind's own schema is JSON; this is a rule of the catalog.
    params: parsed.data as Json,
    intervalMs,
    timeoutMs:
      options.timeout === undefined
        ? Math.min(defaults.timeoutMs, intervalMs)
        : durationOption('--timeout', options.timeout),
  };
  return {
    target: { name: new URL(url).hostname, environment: 'test', path: '', sha256: '' },
    hosts: [],
    probes: [probe],
    roles: {},
    ownership: {},
  };
}

function durationOption(name: string, text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms <= 0) {
    throw new DrillError(
      'invalid-input',
      `${name}: expected a duration with a unit, such as 500ms, 5s, or 2m, found "${text}"`,
    );
  }
  return ms;
}
