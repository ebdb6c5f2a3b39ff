import { describeCondition } from '../../core/condition.ts';
import type { Json, PlannedFault } from '../../core/plan.ts';
import type { CheckResult, Summary } from '../../core/summary.ts';
import { earliest, later, latest, type WallMs } from '../../core/time.ts';
import type { FinishedDrill } from '../reporter.ts';
import { faultStretch, phasesOf, recoveryOf, type Stretch, wallMsOf } from './moments.ts';

/** An activity of a Chaos Toolkit experiment; only hypotheses have a `tolerance`. */
export interface Activity {
  readonly type: 'action' | 'probe';
  readonly name: string;
  readonly tolerance?: boolean | string;
  readonly provider: {
    readonly type: 'process';
    readonly path: 'firedrill';
    readonly arguments: Readonly<Record<string, Json>>;
  };
}

/** A completed activity. Dates are UTC without a time zone, as Python's `utcnow().isoformat()` writes them; `duration` is in seconds. */
export interface ActivityRun {
  readonly activity: Activity;
  readonly output: unknown;
  readonly status: 'succeeded' | 'failed';
  readonly start: string;
  readonly end: string;
  readonly duration: number;
  readonly tolerance_met?: boolean | null;
}

interface Hypothesis {
  readonly steady_state_met: boolean | null;
  readonly probes: readonly ActivityRun[];
}

/** journal.json as chaostoolkit-lib 1.19 writes it (chaoslib/run.py, hypothesis.py, activity.py). */
export interface Journal {
  readonly 'chaoslib-version': string;
  readonly platform: string;
  readonly node: string;
  readonly experiment: {
    readonly version: '1.0.0';
    readonly title: string;
    readonly description: string;
    readonly tags: readonly string[];
    readonly 'steady-state-hypothesis': { readonly title: string; readonly probes: readonly Activity[] };
    readonly method: readonly Activity[];
    readonly rollbacks: readonly Activity[];
  };
  readonly start: string;
  readonly end: string;
  readonly duration: number;
  readonly status: 'completed' | 'failed' | 'aborted' | 'interrupted';
  readonly deviated: boolean;
  readonly steady_states: {
    readonly before: Hypothesis;
    readonly after: Hypothesis | null;
    readonly during: readonly Hypothesis[];
  };
  readonly run: readonly ActivityRun[];
  readonly rollbacks: readonly ActivityRun[];
}

/** Version of the journal format: readers select their expectations by it. */
const journalVersion = '1.19.0';

/**
 * A drill as a Chaos Toolkit journal. The steady state is the hypothesis before the method, the checks are the hypothesis
 * after it. Faults are actions, recovery and stages are probes of the method, heals are rollbacks. A failed verdict is a
 * deviation. An inconclusive drill is `interrupted` (refused by a guard rail), `failed` (not steady), or `aborted`.
 */
export function journalOf(
  { plan, summary }: FinishedDrill,
  machine: { readonly platform: string; readonly node: string },
): Journal {
  const faults = summary.faults.map((fault) => {
    const planned = plan.faults.find((p) => p.id === fault.id);
    return { fault, planned, activity: faultActivity(fault, planned) };
  });
  const before = steadyBefore(plan.steady.require.map(describeCondition), summary);
  const after = faults.length === 0 ? null : steadyAfter(summary);
  const run = [
    ...faults.map(({ fault, activity }) =>
      carriedOut(activity, {
        fromMs: wallMsOf(fault.issuedAt),
        toMs: wallMsOf(fault.effectAt ?? fault.ackedAt ?? fault.issuedAt),
        succeeded: fault.effectAt !== null,
        output: { ...fault },
      }),
    ),
    ...recoveryRuns(summary),
  ];
  const rollbacks = faults.map(({ fault, planned }) => healRun(fault, planned, summary));
  return {
    'chaoslib-version': journalVersion,
    ...machine,
    experiment: {
      version: '1.0.0',
      title: summary.scenario.title,
      description: descriptionOf(summary),
      tags: ['firedrill', `scenario:${summary.scenario.name}`, `target:${summary.target}`],
      'steady-state-hypothesis': {
        title: 'The steady state holds before the fault, and the checks pass after it',
        probes: [...before.probes, ...(after?.probes ?? [])].map((probe) => probe.activity),
      },
      method: run.map((one) => one.activity),
      rollbacks: rollbacks.map((one) => one.activity),
    },
    start: pythonDate(wallMsOf(summary.startedAt)),
    end: pythonDate(wallMsOf(summary.endedAt)),
    duration: seconds({ fromMs: wallMsOf(summary.startedAt), toMs: wallMsOf(summary.endedAt) }),
    status: statusOf(summary),
    deviated: summary.verdict === 'fail',
    steady_states: { before, after, during: [] },
    run,
    rollbacks,
  };
}

function statusOf({ verdict, faults, refused }: Summary): Journal['status'] {
  switch (verdict) {
    case 'pass':
      return 'completed';
    case 'fail':
      return 'failed';
    case 'inconclusive':
      if (refused === true) return 'interrupted';
      return faults.length === 0 ? 'failed' : 'aborted';
  }
}

function descriptionOf({ scenario, target, runId, verdict, reasons }: Summary): string {
  const why = reasons.length === 0 ? '' : `: ${reasons.join('; ')}`;
  return `firedrill drill ${scenario.name} on ${target}, run ${runId}, verdict ${verdict}${why}`;
}

/** The hypothesis before the method. Faults are issued only if all conditions hold. */
function steadyBefore(conditions: readonly string[], summary: Summary): Hypothesis {
  const met = summary.faults.length > 0 || summary.verdict === 'pass';
  const stretch = phasesOf(summary).find((phase) => phase.name === 'steady') ?? {
    fromMs: wallMsOf(summary.startedAt),
    toMs: wallMsOf(summary.endedAt),
  };
  return {
    steady_state_met: met,
    probes: conditions.map((condition) => ({
      ...carriedOut(
        { ...activity('probe', condition, { condition }), tolerance: true },
        { ...stretch, succeeded: true, output: met },
      ),
      tolerance_met: met ? true : null,
    })),
  };
}

function steadyAfter(summary: Summary): Hypothesis {
  const atMs = wallMsOf(summary.endedAt);
  const all = (status: CheckResult['status']) => summary.checks.every((check) => check.status === status);
  const failed = summary.checks.some((check) => check.status === 'fail');
  return {
    steady_state_met: failed ? false : all('pass') ? true : null,
    probes: summary.checks.map((check) => ({
      ...carriedOut(
        { ...activity('probe', check.name, { check: check.kind }), tolerance: check.limit },
        { fromMs: atMs, toMs: atMs, succeeded: check.status !== 'inconclusive', output: check.observed },
      ),
      tolerance_met: check.status === 'inconclusive' ? null : check.status === 'pass',
    })),
  };
}

function faultActivity(fault: Summary['faults'][number], planned: PlannedFault | undefined): Activity {
  return activity('action', `${fault.id}: ${fault.kind} on ${fault.on}`, {
    fault: fault.kind,
    on: fault.on,
    params: planned?.params ?? null,
  });
}

function recoveryRuns(summary: Summary): readonly ActivityRun[] {
  const recovery = recoveryOf(summary);
  if (recovery === undefined) return [];
  const { rto, stages } = summary;
  return [
    carriedOut(activity('probe', 'recovery', { measures: 'rto' }), {
      ...recovery,
      succeeded: true,
      output: rto,
    }),
    ...stages.map((stage) => {
      const fromMs = wallMsOf(stage.startAt);
      return carriedOut(activity('probe', `stage: ${stage.name}`, { measures: 'stage' }), {
        fromMs,
        toMs: later(fromMs, stage.ms),
        succeeded: true,
        output: stage,
      });
    }),
  ];
}

/** A rollback. It starts when the heal is due: after the fault's own duration, or else at the start of the return. */
function healRun(
  fault: Summary['faults'][number],
  planned: PlannedFault | undefined,
  summary: Summary,
): ActivityRun {
  const { toMs } = faultStretch(fault, summary);
  const timedMs =
    planned?.forMs === undefined || fault.effectAt === null
      ? undefined
      : later(wallMsOf(fault.effectAt), planned.forMs);
  const dueMs = timedMs ?? (summary.heal === null ? toMs : wallMsOf(summary.heal.startedAt));
  return carriedOut(activity('action', `heal ${fault.id}`, { heal: fault.kind, on: fault.on }), {
    fromMs: earliest(dueMs, toMs),
    toMs,
    succeeded: fault.healedAt !== null,
    output: { healed: fault.healedAt !== null },
  });
}

function activity(type: Activity['type'], name: string, given: Readonly<Record<string, Json>>): Activity {
  return { type, name, provider: { type: 'process', path: 'firedrill', arguments: given } };
}

function carriedOut(
  of: Activity,
  { succeeded, output, ...stretch }: Stretch & { readonly succeeded: boolean; readonly output: unknown },
): ActivityRun {
  return {
    activity: of,
    output,
    status: succeeded ? 'succeeded' : 'failed',
    start: pythonDate(stretch.fromMs),
    end: pythonDate(latest(stretch.fromMs, stretch.toMs)),
    duration: Math.max(0, seconds(stretch)),
  };
}

function seconds({ fromMs, toMs }: Stretch): number {
  return Math.round(toMs - fromMs) / 1000;
}

function pythonDate(ms: WallMs): string {
  return new Date(ms).toISOString().replace('Z', '000');
}
