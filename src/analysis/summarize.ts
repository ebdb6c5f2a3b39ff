import { roundMs } from '../core/clock.ts';
import type { DrillEvent } from '../core/event.ts';
import type { HostName, ProbeId, RoleName } from '../core/ids.ts';
import type { HarnessSummary, Summary } from '../core/summary.ts';
import { judgeChecks } from './checks.ts';
import { analyseHeal, type HealAnalysis } from './heal.ts';
import { ownersAt } from './intervals.ts';
import { withUncertainty, marksText, unproven, withMarksShifted } from './uncertainty.ts';
import { lostText, withLost } from './lost-samples.ts';
import { withoutOthers } from './others.ts';
import { longerThan } from './longer-than.ts';
import { type Evidence, isComplete, type JudgedCheck } from './outcome.ts';
import { analyseOwnership } from './ownership.ts';
import { predictionNotes } from './prediction-notes.ts';
import { probeSummary } from './probe-summary.ts';
import { proberSummary } from './prober-summary.ts';
import { type RunLog, wallTime, watchedUntil } from './run-log.ts';
import { analyseRedundancy, type RedundancyAnalysis } from './redundancy.ts';
import { analyseRecovery, type RecoveryAnalysis } from './rto.ts';
import { steadinessUncertainties } from './steadiness.ts';
import { returnStagesOf, stagesOf, toSummaryStages, wholePredicted } from './stages.ts';
import { degradedText, withoutDegraded } from './degraded.ts';
import { isWatch, judgeDrill, judgeWatch, notesOf } from './verdict.ts';
import { summarizeRows } from './rows-summary.ts';
import { rowNotes } from './row-checks.ts';
import { analyseRows } from './written-rows.ts';
import { middle } from './moment.ts';
import { type BadWindow, badWindows } from './windows.ts';
import { distantFuture, distantPast, type RunMs } from '../core/time.ts';

/** The complete analysis of a log, on the run clock. Reports are made from it. */
export interface Analysis {
  readonly log: RunLog;
  /** By probe id. */
  readonly windows: ReadonlyMap<ProbeId, readonly BadWindow[]>;
  /** null: no fault took effect. */
  readonly recovery: RecoveryAnalysis | null;
  readonly redundancy: RedundancyAnalysis;
  /** null: no fault took effect, or none was healed. */
  readonly heal: HealAnalysis | null;
  readonly summary: Summary;
}

/** The only owner of a role at a moment; null if there is none, more than one, or if it is unknown. */
function soleOwner(log: RunLog, role: RoleName, atMs: RunMs): HostName | null {
  const condition = log.plan.roles[role];
  if (condition === undefined) return null;
  const { owners } = ownersAt(log, condition, atMs);
  return owners.length === 1 ? (owners[0] ?? null) : null;
}

/**
 * The owner of each role before the first fault: as the engine resolved it, or else by the samples just before. If the steady
 * state was lost and met again, roles may have moved, so earlier resolutions do not count.
 */
function rolesBefore(log: RunLog): ReadonlyMap<RoleName, HostName | null> {
  const issuedMs = log.faults.find((f) => f.issuedMs !== null)?.issuedMs ?? null;
  const steadyMs =
    log.gates.findLast((g) => g.gate === 'steady' && g.state === 'met' && g.t <= (issuedMs ?? distantFuture))
      ?.t ?? distantPast;
  return new Map(
    Object.keys(log.plan.roles).map((role) => {
      const resolved = log.roles.findLast(
        (r) => r.role === role && r.t >= steadyMs && (issuedMs === null || r.t <= issuedMs),
      );
      if (resolved !== undefined) return [role, resolved.host];
      const gate = log.gates.find((g) => g.gate === 'steady')?.t;
      return [role, soleOwner(log, role, issuedMs ?? gate ?? watchedUntil(log))];
    }),
  );
}

function faultSummaries(log: RunLog): Summary['faults'] {
  const at = (atMs: RunMs | null) => (atMs === null ? null : wallTime(log, atMs));
  return log.faults.flatMap((f) =>
    f.issuedMs === null
      ? []
      : [
          {
            id: f.id,
            kind: f.kind,
            on: f.host ?? 'unknown',
            issuedAt: wallTime(log, f.issuedMs),
            ackedAt: at(f.ackedMs),
            effectAt: f.effect === null ? null : at(middle(f.effect.notBeforeMs, f.effect.notAfterMs)),
            healedAt: at(f.healedMs),
          },
        ],
  );
}

function phaseDurations(log: RunLog): Summary['phases'] {
  return log.phases.map((p, index) => ({
    name: p.phase,
    ms: roundMs((log.phases[index + 1]?.t ?? log.endMs) - p.t),
  }));
}

function healSummary(log: RunLog, heal: HealAnalysis): Summary['heal'] {
  return {
    startedAt: wallTime(log, heal.began.ms),
    return: heal.return.state === 'restored' ? heal.return.after : null,
    outage: { ...heal.outage, windows: heal.windows },
    stages: toSummaryStages(log, returnStagesOf(log, heal)),
  };
}

/** Collects the data that checks are judged by. */
function evidenceOf(log: RunLog, watch: boolean): Evidence {
  const recovery = watch ? null : analyseRecovery(log);
  const stoppedMs = log.phases.find(({ phase }) => phase === 'read-back')?.t;
  return {
    log,
    recovery,
    redundancy: analyseRedundancy(log, recovery?.effect ?? null),
    heal: watch ? null : analyseHeal(log, recovery),
    roleBefore: rolesBefore(log),
    rows: [...log.writing.values()].map((record) => analyseRows(record, stoppedMs)),
  };
}

/** Judges the checks. Those whose status depends on uncertain data become inconclusive. */
function judgeWithUncertainty(evidence: Evidence, reported: RunLog): readonly JudgedCheck[] {
  const { log } = evidence;
  let checks = withoutOthers(evidence, judgeChecks(evidence));
  if (log !== reported)
    checks = withUncertainty(checks, judgeChecks(evidenceOf(reported, false)), degradedText(log));
  const shifted = withMarksShifted(log);
  if (shifted !== log)
    checks = withUncertainty(checks, judgeChecks({ ...evidence, log: shifted }), marksText(log));
  return steadinessUncertainties(log).length === 0 ? checks : unproven(checks);
}

/** Makes checks inconclusive whose status would change if the log's lost samples had failed. */
function withLostUncertain(checks: readonly JudgedCheck[], whole: RunLog): readonly JudgedCheck[] {
  const words = lostText(whole);
  if (words === null) return checks;
  return withUncertainty(checks, judgeChecks(evidenceOf(withLost(whole, 'failed'), false)), words);
}

/** Analyzes a complete log. Pure: the same log gives the same result on any machine at any time. */
export function analyse(whole: RunLog): Analysis {
  const reported = withLost(whole, 'unknown');
  const log = withoutDegraded(reported);
  const windows = new Map([...log.series].map(([id, series]) => [id, badWindows(log, series)]));
  const watch = isWatch(log);
  const evidence = evidenceOf(log, watch);
  const { recovery, redundancy, heal, roleBefore, rows } = evidence;
  const checks = watch ? [] : withLostUncertain(judgeWithUncertainty(evidence, reported), whole);
  const { verdict, reasons, healed } = watch ? judgeWatch(log, windows) : judgeDrill(evidence, checks);
  const { scenario } = log.plan;
  const unobservedEnds = watch ? undefined : longerThan(evidence);
  const rto =
    recovery?.rto == null
      ? null
      : { ...recovery.rto, first: recovery.first === null ? null : recovery.first };
  const stages = toSummaryStages(log, stagesOf(log, recovery));
  const restored = redundancy.state === 'restored' ? redundancy.after : null;
  const back = heal === null ? null : healSummary(log, heal);
  const predicted = watch ? {} : wholePredicted(log);
  const summary: Summary = {
    schemaVersion: 2,
    runId: log.runId,
    scenario: {
      name: scenario.name,
      title: scenario.title,
      path: scenario.path,
      sha256: scenario.sha256,
      variables: scenario.variables,
    },
    target: log.plan.target.name,
    ...(log.label === undefined ? {} : { label: log.label }),
    startedAt: wallTime(log, log.startMs),
    endedAt: wallTime(log, log.endMs),
    verdict,
    reasons,
    ...(log.aborted?.refused === true ? { refused: true as const } : {}),
    healed,
    notes: [
      ...notesOf(log, evidence),
      ...predictionNotes({ rto, redundancy: restored, stages, heal: back, ...predicted }),
      ...rowNotes(rows),
    ],
    rto,
    ...(unobservedEnds === undefined ? {} : { longerThan: unobservedEnds }),
    ...(watch || isComplete(log) ? {} : { cutShort: true as const }),
    downtime: recovery === null ? null : { ...recovery.downtime, windows: recovery.windows.length },
    redundancyRestoredMs: restored?.ms ?? null,
    redundancy: restored,
    heal: back,
    ...summarizeRows(log, rows, recovery?.effect ?? null),
    roles: Object.keys(log.plan.roles).map((role) => ({
      role,
      before: roleBefore.get(role) ?? null,
      after: soleOwner(log, role, watchedUntil(log)),
    })),
    ownership: analyseOwnership(log, recovery?.effect ?? null),
    faults: faultSummaries(log),
    prober: proberSummary(log),
    ...(log.cost === null ? {} : { harness: harnessSummary(log.cost, log.startMs) }),
    probes: [...withoutDegraded(whole).series].map(([id, series]) =>
      probeSummary(log, series, windows.get(id) ?? [], recovery),
    ),
    ...(log.plan.probesLeftOut === undefined ? {} : { probesLeftOut: log.plan.probesLeftOut }),
    stages,
    checks: checks.map((c) => c.result),
    ...predicted,
    phases: phaseDurations(log),
  };
  return { log, windows, recovery, redundancy, heal, summary };
}

/** The summary of a run, from its log. */
export function summarize(log: RunLog): Summary {
  return analyse(log).summary;
}

/** The cost of firedrill itself, by the last `harness.cost` event. */
function harnessSummary(cost: Extract<DrillEvent, { type: 'harness.cost' }>, startMs: RunMs): HarnessSummary {
  const { t, cpuMs, childCpuMs, samples, newConnections, commands } = cost;
  const ms = roundMs(t - startMs);
  const samplesPerSecond = ms > 0 ? Math.round((samples * 10_000) / ms) / 10 : 0;
  return { ms, cpuMs, childCpuMs: childCpuMs ?? null, samples, samplesPerSecond, newConnections, commands };
}
