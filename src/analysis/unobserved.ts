import type { Condition } from '../core/condition.ts';
import type { HostName, ProbeId } from '../core/ids.ts';
import { faultFacts } from '../extension/facts.ts';
import { seriesOf } from './intervals.ts';
import { isPathFailure, type KeptSample, lastAnswerMs } from './kept-samples.ts';
import type { FaultRecord, ProbeSeries, RunLog } from './run-log.ts';
import { distantFuture, distantPast, later, type RunMs } from '../core/time.ts';

/** A time in which a probe instance's host may have been in any state. Offsets in ms. */
export interface UnobservedSpan {
  readonly probe: ProbeId;
  readonly fromMs: RunMs;
  readonly toMs: RunMs;
}

/** Two views of a log for the truth of a condition. */
export interface Views {
  /** Without `is`, a failed sample means that the condition did not hold, whatever its cause. */
  readonly asCounted: RunLog;
  /** Samples without an answer are marked `silent`: their result is open. */
  readonly asObserved: RunLog;
  readonly unobserved: readonly UnobservedSpan[];
}

/**
 * The log for a condition's instances, with their unobserved times: runs of one or more timeouts and unreachables. A host that
 * does not answer the prober may still serve other clients.
 *
 * The exception is a host without power: a sample without an answer, or one that the prober lost, proves that nothing runs on it.
 * That time lasts from the effect of a power fault until the first answer after its heal. Before the effect, the machine may
 * still be shutting down. After the heal began, the machine may run. If another fault may then block its answers, missing
 * answers prove nothing.
 */
export function viewsOf(log: RunLog, condition: Condition): Views {
  const counted = new Map(log.series);
  const observed = new Map(log.series);
  const unobserved: UnobservedSpan[] = [];
  const parts = [condition, ...(condition.and ?? [])];
  for (const series of new Set(parts.flatMap((part) => seriesOf(log, part)))) {
    const { id, host } = series.probe;
    const acted = [...log.faults, ...log.preparations].filter((f) => f.effect !== null);
    const powerFaults = acted.filter((f) => f.host === host && takesPower(log, f));
    const offs = powerFaults.map((f) => offOf(log, f, host, acted));
    const off = new Set<KeptSample>();
    const blind = new Set<KeptSample>();
    for (const run of unreachableRuns(series)) {
      for (const sample of run) if (isOff(sample, run, offs)) off.add(sample);
      const rest = run.filter((s) => !off.has(s) && s.status !== 'unknown');
      const [first] = rest;
      const last = rest.at(-1);
      if (first === undefined || last === undefined) continue;
      const toMs = later(lastAnswerMs(last), last.finishMs - last.sendMs);
      unobserved.push({ probe: id, fromMs: first.sendMs, toMs });
      for (const sample of rest) blind.add(sample);
    }
    const samples = series.samples.map((s): KeptSample =>
      off.has(s) ? { ...s, status: 'fail', provenDown: true } : s,
    );
    counted.set(id, { ...series, samples });
    const marked = samples.map((s, i): KeptSample =>
      blind.has(series.samples[i]!) ? { ...s, silent: true } : s,
    );
    observed.set(id, { ...series, samples: marked });
  }
  return {
    asCounted: { ...log, series: counted },
    asObserved: { ...log, series: observed },
    unobserved,
  };
}

/**
 * Whether a fault's kind takes the power of a machine, or stops its server, and leaves it off. A
 * machine that boots by itself is off for an unknown time.
 */
function takesPower({ plan }: RunLog, fault: FaultRecord): boolean {
  const facts = faultFacts(plan, fault.kind);
  return facts.takesPower === true && facts.untilHealed === true;
}

/** Whether a fault may block a host's answers while the host runs. */
function maySilence(log: RunLog, fault: FaultRecord, host: HostName | undefined): boolean {
  const cuts = fault.kind.startsWith('network.') || faultFacts(log.plan, fault.kind).changesNetwork === true;
  return !takesPower(log, fault) && (fault.host === host || cuts);
}

/** When missing answers prove that nothing runs on a host, ms: in samples that finish after `fromMs`. */
interface Off {
  readonly fromMs: RunMs;
  /** A sample sent later proves it only if its run of missing answers began by `beganByMs`. */
  readonly untilMs: RunMs;
  /** -Infinity: no such run proves it. */
  readonly beganByMs: RunMs;
}

function offOf(
  log: RunLog,
  fault: FaultRecord,
  host: HostName | undefined,
  acted: readonly FaultRecord[],
): Off {
  const untilMs = fault.healStartedMs ?? distantFuture;
  const others = acted.filter((f) => maySilence(log, f, host) && (f.healedMs ?? distantFuture) > untilMs);
  return {
    fromMs: fault.effect?.notAfterMs ?? distantFuture,
    untilMs,
    beganByMs: others.length > 0 ? distantPast : (fault.healedMs ?? distantFuture),
  };
}

/** Runs of samples without an answer, in send order. */
function unreachableRuns(series: ProbeSeries): readonly (readonly KeptSample[])[] {
  const runs: KeptSample[][] = [];
  let open: KeptSample[] | undefined;
  for (const sample of series.samples) {
    const isUnreachable = sample.status === 'unknown' || isPathFailure(sample);
    if (!isUnreachable) open = undefined;
    else if (open === undefined) runs.push((open = [sample]));
    else open.push(sample);
  }
  return runs;
}

/**
 * Whether a sample of such a run was sent while its host had no power, or before the first answer
 * after that.
 */
function isOff(sample: KeptSample, run: readonly KeptSample[], offs: readonly Off[]): boolean {
  const beganMs = run[0]?.sendMs ?? sample.sendMs;
  return offs.some(
    ({ fromMs, untilMs, beganByMs }) =>
      sample.finishMs >= fromMs && (sample.sendMs <= untilMs || beganMs <= beganByMs),
  );
}
