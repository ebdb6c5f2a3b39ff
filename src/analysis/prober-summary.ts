import { controlProbeLimitMs } from '../core/control-probe.ts';
import { roundMs } from '../core/clock.ts';
import type { ProberSummary } from '../core/summary.ts';
import { firstIssuedMs, type RunLog, wallTime } from './run-log.ts';
import { starvedHint } from '../core/control.ts';
import { degradedMsIn, degradedText, dilationNote, starvedMsIn, starvedSpans } from './degraded.ts';
import { Histogram } from './histogram.ts';
import { type MachineRecord, othersIn } from './machine-record.ts';
import { durationText } from '../core/format-duration.ts';
import { distantFuture, distantPast, type DurationMs, earliest, type RunMs } from '../core/time.ts';

/** The prober's health over the whole run. */
export function proberSummary(log: RunLog): ProberSummary {
  return {
    lanes: [...new Set(log.health.map((h) => h.lane))].sort().map((lane) => {
      const reported = log.health.filter((h) => h.lane === lane);
      return {
        lane,
        loopP99Ms: reported.reduce((max, h) => Math.max(max, h.loopP99Ms), 0),
        loopMaxMs: reported.reduce((max, h) => Math.max(max, h.loopMaxMs), 0),
      };
    }),
    controlProbe: controlProbeSummary(log),
    control: controlSummary(log),
    machines: log.machines.map((machine) => machineSummary(log, machine)),
    clockSteps: log.clockSteps.map(({ atMs, byMs, cause }) => ({ at: wallTime(log, atMs), byMs, cause })),
  };
}

function controlProbeSummary(log: RunLog): ProberSummary['controlProbe'] {
  const { controlProbe } = log;
  if (controlProbe === null) return null;
  const { probe, samples, failed, late, latency, degraded } = controlProbe;
  return {
    samples,
    failed,
    late,
    limitMs: controlProbeLimitMs(probe),
    intervalMs: probe.intervalMs,
    latency,
    degradedMs: roundMs(degraded.reduce((sum, s) => sum + earliest(s.toMs, log.endMs) - s.fromMs, 0)),
    degraded: degraded.map((span) => ({
      startAt: wallTime(log, span.fromMs),
      endAt: span.toMs === Infinity ? null : wallTime(log, span.toMs),
      ms: roundMs(earliest(span.toMs, log.endMs) - span.fromMs),
    })),
  };
}

function controlSummary(log: RunLog): ProberSummary['control'] {
  const { control } = log;
  if (control === null) return null;
  const { samples, dilation } = control;
  return {
    samples,
    dilation:
      dilation === null
        ? null
        : {
            p50: hundredths(dilation.p50Ms),
            p99: hundredths(dilation.p99Ms),
            max: hundredths(dilation.maxMs),
          },
    starvedMs: starvedMsIn(log),
    starved: starvedSpans(log).map((span) => ({
      startAt: wallTime(log, span.fromMs),
      endAt: wallTime(log, span.toMs),
      ms: roundMs(span.toMs - span.fromMs),
    })),
  };
}

/** Two decimals are enough: percentiles of the histogram are within 0.4 %. */
function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}

function machineSummary(log: RunLog, machine: MachineRecord): ProberSummary['machines'][number] {
  const issuedMs = firstIssuedMs(log);
  const others = Number.isFinite(issuedMs) ? othersIn(machine, issuedMs, log.endMs) : null;
  return {
    machine: machine.machine,
    prober: machine.prober,
    hosts: machine.hosts,
    cpuSomePct: {
      before: spreadOf(machine, 'somePct', distantPast, issuedMs),
      after: spreadOf(machine, 'somePct', issuedMs, distantFuture),
    },
    runQueue: {
      before: spreadOf(machine, 'runQueue', distantPast, issuedMs),
      after: spreadOf(machine, 'runQueue', issuedMs, distantFuture),
    },
    othersCpuPct: others === null || others.unread !== undefined ? null : others.othersPct,
  };
}

/** Median and maximum of a machine's readings in (fromMs, toMs]; null if it was not read. */
function spreadOf(
  machine: MachineRecord,
  what: 'somePct' | 'runQueue',
  fromMs: RunMs,
  toMs: RunMs,
): { readonly p50: number; readonly max: number } | null {
  const histogram = new Histogram();
  for (const reading of machine.readings(fromMs, toMs)) {
    const value = reading[what];
    if (value !== null && reading.t > fromMs) histogram.add(value);
  }
  const spread = histogram.spread();
  return spread === null ? null : { p50: tenths(spread.p50Ms), max: tenths(spread.maxMs) };
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Smallest movement of the wall clock, ms, that is derived from anchors alone. */
const anchorStepMs = 500;

/** Notes on the prober that do not change the verdict by themselves, one sentence each. */
export function proberNotes(log: RunLog): readonly string[] {
  const notes = log.clockSteps.map(({ byMs, cause }) =>
    cause === 'suspend'
      ? `the prober's machine slept for ${durationText(Math.abs(byMs))}, and the run clock stood still meanwhile`
      : movedText(byMs),
  );
  const { marks, clockSteps } = log;
  if (clockSteps.some((s) => marks.some((m) => m.t >= s.atMs)))
    notes.push(
      'log marks that were read after the movement may be shifted by it; stages that end with such a mark may be wrong by as much',
    );
  const moved = movedByAnchors(log);
  if (notes.length === 0 && Math.abs(moved) > anchorStepMs) notes.push(movedText(moved));
  if (degradedMsIn(log) > 0) notes.push(degradedText(log));
  else if (starvedMsIn(log) > 0) notes.push(starvedNote(log));
  return notes;
}

/** For a target on the prober's machine: its own load may be the cause, so its failures count. */
function starvedNote(log: RunLog): string {
  return `the machine of the prober and of the target was starved of CPU for ${durationText(starvedMsIn(log))} (${dilationNote(log.control?.dilation?.maxMs ?? null)}): the figures are valid for this machine only; ${starvedHint}`;
}

function movedText(byMs: DurationMs): string {
  return `the wall clock moved against the run clock by ${durationText(Math.abs(byMs))} (${byMs > 0 ? 'forwards' : 'backwards'}); durations are not affected`;
}

/** The largest movement of the wall clock by the anchors, ms. */
function movedByAnchors({ anchors: [first, ...later] }: RunLog): number {
  return later
    .map((a) => a.wallMs - first.wallMs - (a.t - first.t))
    .reduce((max, ms) => (Math.abs(ms) > Math.abs(max) ? ms : max), 0);
}
