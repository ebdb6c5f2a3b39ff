import { durationText, limitText } from '../core/format-duration.ts';
import type { HarnessSummary, ProberSummary } from '../core/summary.ts';
import { dilationText } from '../core/control.ts';
import { counted } from './text.ts';

/** The control's samples in a line: `240 samples, dilation p50 1.1 x, p99 1.9 x, max 3.2 x, never starved`; null without a control. */
export function controlText(prober: Pick<ProberSummary, 'control' | 'controlProbe'>): string | null {
  const { control, controlProbe } = prober;
  if (control !== null) {
    const { samples, dilation, starved, starvedMs } = control;
    return [
      counted(samples, 'sample'),
      dilation === null
        ? 'no dilation'
        : `dilation p50 ${dilationText(dilation.p50)}, p99 ${dilationText(dilation.p99)}, max ${dilationText(dilation.max)}`,
      starved.length === 0
        ? 'never starved'
        : `starved for ${durationText(starvedMs)} in ${counted(starved.length, 'interval')}`,
    ].join(', ');
  }
  return controlProbe === null ? null : httpControlText(controlProbe);
}

/** The line for the HTTP control of version 0.1. */
function httpControlText(controlProbe: NonNullable<ProberSummary['controlProbe']>): string {
  const { samples, failed, late, limitMs, latency, degraded, degradedMs } = controlProbe;
  return [
    counted(samples, 'HTTP request'),
    ...(latency === null
      ? ['no good answer']
      : [`p50 ${latency.p50Ms.toFixed(1)} ms`, `p99 ${latency.p99Ms.toFixed(1)} ms`]),
    ...(failed + late === 0 ? [] : [`${failed} failed`, `${late} took more than ${limitText(limitMs)}`]),
    degraded.length === 0
      ? 'never degraded'
      : `degraded for ${durationText(degradedMs)} in ${counted(degraded.length, 'interval')}`,
  ].join(', ');
}

/** firedrill's own cost in a line: `4.2 s of CPU in 94.3 s (4 % of a core), 1240 samples (13.1 a second), …`. */
export function harnessText(harness: HarnessSummary): string {
  const { ms, cpuMs, childCpuMs, samples, samplesPerSecond, newConnections, commands } = harness;
  const share = ms > 0 ? ` (${((cpuMs / ms) * 100).toFixed(1)} % of a core)` : '';
  return [
    `${durationText(cpuMs)} of CPU in ${durationText(ms)}${share}`,
    ...(childCpuMs === null || childCpuMs === 0
      ? []
      : [`${durationText(childCpuMs)} more in commands on its own machine`]),
    `${counted(samples, 'sample')} (${samplesPerSecond.toFixed(1)} a second)`,
    counted(newConnections, 'new connection'),
    `${counted(commands, 'command')} on hosts`,
  ].join(', ');
}

/** Name of a machine: `machine (node-a, node-b)`, `prober's machine`. */
export function machineName({
  prober,
  hosts,
}: Pick<ProberSummary['machines'][number], 'prober' | 'hosts'>): string {
  const own = prober ? "prober's machine" : 'machine';
  return hosts.length === 0 ? own : `${own} (${hosts.join(', ')})`;
}

/** Before and after the fault. */
type Around = ProberSummary['machines'][number]['cpuSomePct'];

/**
 * A machine's load: `CPU pressure p50 12 %, max 31 % before the fault, p50 64 %, max 92 % after it, other programs took 3 %
 * of its CPU after the fault`; the run queue if the kernel reports no pressure.
 */
export function machineText({
  cpuSomePct,
  runQueue,
  othersCpuPct,
}: Omit<ProberSummary['machines'][number], 'machine'>): string {
  const used = aroundText('CPU pressure', ' %', cpuSomePct) ?? aroundText('run queue', '', runQueue);
  return [
    used ?? 'CPU pressure not read',
    ...(othersCpuPct === null
      ? []
      : [`other programs took ${Math.round(othersCpuPct)} % of its CPU after the fault`]),
  ].join(', ');
}

function aroundText(what: string, unit: string, { before, after }: Around): string | null {
  const spread = (of: Around['before'], when: string): string[] =>
    of === null ? [] : [`p50 ${Math.round(of.p50)}${unit}, max ${Math.round(of.max)}${unit}${when}`];
  const both = before !== null && after !== null;
  const words = [
    ...spread(before, both ? ' before the fault' : ''),
    ...spread(after, both ? ' after it' : ''),
  ];
  return words.length === 0 ? null : `${what} ${words.join(', ')}`;
}

/** The times when the prober's machine was starved, or when the HTTP control did not answer in time. */
export function degradedIntervals({
  control,
  controlProbe,
}: Pick<ProberSummary, 'control' | 'controlProbe'>): NonNullable<ProberSummary['controlProbe']>['degraded'] {
  return control?.starved ?? controlProbe?.degraded ?? [];
}

/** How late the ticks of a prober thread were. */
export function laneText({ loopP99Ms, loopMaxMs }: ProberSummary['lanes'][number]): string {
  return `ticks at most ${durationText(loopMaxMs)} late, p99 ${loopP99Ms.toFixed(1)} ms`;
}
