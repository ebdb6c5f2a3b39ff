import type { Condition } from '../core/condition.ts';
import { faultKind } from '../faults/catalog.ts';
import { seriesOf } from './intervals.ts';
import { isMute, type KeptSample, lastSaidMs } from './kept-samples.ts';
import type { FaultRecord, ProbeSeries, RunLog } from './read-log.ts';

/** A stretch in which a probe instance's host could have been in any state. Offsets in ms. */
export interface UnobservedSpan {
  readonly probe: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** A log as a condition's truth may be read from it, twice. */
export interface Views {
  /** Without `is`, a failed look says that the condition did not hold, whatever its cause. */
  readonly asCounted: RunLog;
  /** Samples without an answer are marked `silent`: what they could have seen is open. */
  readonly asObserved: RunLog;
  readonly unobserved: readonly UnobservedSpan[];
}

/**
 * The log seen by a condition's instances, with their unobserved stretches: runs of
 * time-outs and unreachables, also of a single one. A host that does not answer us may
 * well serve others.
 *
 * Not so while its power is off: from the effect of a power fault until the first
 * answer after its heal, every look without an answer, a broken one too, says
 * that nothing is there. Until its effect the machine may still be at shutting down. Once its heal
 * began it may run, so that where another fault may keep its answers back, silence says nothing from then on.
 */
export function viewsOf(log: RunLog, condition: Condition): Views {
  const counted = new Map(log.series);
  const observed = new Map(log.series);
  const unobserved: UnobservedSpan[] = [];
  const parts = [condition, ...(condition.and ?? [])];
  for (const series of new Set(parts.flatMap((part) => seriesOf(log, part)))) {
    const { id, host } = series.probe;
    const acted = [...log.faults, ...log.preparations].filter((f) => f.effect !== null);
    const powerFaults = acted.filter((f) => f.host === host && takesPower(f));
    const offs = powerFaults.map((f) => offOf(f, host, acted));
    const off = new Set<KeptSample>();
    const blind = new Set<KeptSample>();
    for (const run of muteRuns(series)) {
      for (const sample of run) if (isOff(sample, run, offs)) off.add(sample);
      const rest = run.filter((s) => !off.has(s) && s.status !== 'unknown');
      const [first] = rest;
      const last = rest.at(-1);
      if (first === undefined || last === undefined) continue;
      const toMs = lastSaidMs(last) + last.finishMs - last.sendMs;
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

/** Kinds that act on a machine's power, or on its server, and leave it off: what comes back by itself is off for an unknown time. */
function takesPower(fault: FaultRecord): boolean {
  const kind = faultKind(fault.kind);
  return kind?.needs !== undefined && kind.healAfter === 'recovery';
}

/** Whether a fault may keep a host's answers back while the host runs. */
function maySilence(fault: FaultRecord, host: string | undefined): boolean {
  return !takesPower(fault) && (fault.host === host || fault.kind.startsWith('network.'));
}

/** When the silence of a host says that nothing is there, ms: in looks that end after `fromMs`. */
interface Off {
  readonly fromMs: number;
  /** Looks that are sent later say so only in a run that began by `beganByMs`. */
  readonly untilMs: number;
  /** -Infinity: none does. */
  readonly beganByMs: number;
}

function offOf(fault: FaultRecord, host: string | undefined, acted: readonly FaultRecord[]): Off {
  const untilMs = fault.healStartedMs ?? Infinity;
  const others = acted.filter((f) => maySilence(f, host) && (f.healedMs ?? Infinity) > untilMs);
  return {
    fromMs: fault.effect?.notAfterMs ?? Infinity,
    untilMs,
    beganByMs: others.length > 0 ? -Infinity : (fault.healedMs ?? Infinity),
  };
}

/** Runs of looks to which nothing answered, in send order. */
function muteRuns(series: ProbeSeries): readonly (readonly KeptSample[])[] {
  const runs: KeptSample[][] = [];
  let open: KeptSample[] | undefined;
  for (const sample of series.samples) {
    const mute = sample.status === 'unknown' || isMute(sample);
    if (!mute) open = undefined;
    else if (open === undefined) runs.push((open = [sample]));
    else open.push(sample);
  }
  return runs;
}

/** Whether a look of a mute run came while its host had no power, or before the first answer after that. */
function isOff(sample: KeptSample, run: readonly KeptSample[], offs: readonly Off[]): boolean {
  const beganMs = run[0]?.sendMs ?? sample.sendMs;
  return offs.some(
    ({ fromMs, untilMs, beganByMs }) =>
      sample.finishMs >= fromMs && (sample.sendMs <= untilMs || beganMs <= beganByMs),
  );
}
