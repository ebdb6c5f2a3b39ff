import { durationWords, limitWords } from '../analysis/words.ts';
import type { HarnessSummary, ProberSummary } from '../core/summary.ts';
import { counted } from './text.ts';

type CanarySummary = NonNullable<ProberSummary['canary']>;

/** How the canary fared, in a line: `240 looks, p50 0.6 ms, p99 2.1 ms, never sick`. */
export function canaryWords({ looks, failed, late, limitMs, latency, sick, sickMs }: CanarySummary): string {
  return [
    counted(looks, 'look'),
    ...(latency === null
      ? ['no good answer']
      : [`p50 ${latency.p50Ms.toFixed(1)} ms`, `p99 ${latency.p99Ms.toFixed(1)} ms`]),
    ...(failed + late === 0 ? [] : [`${failed} failed`, `${late} took more than ${limitWords(limitMs)}`]),
    sick.length === 0
      ? 'never sick'
      : `sick for ${durationWords(sickMs)} in ${counted(sick.length, 'interval')}`,
  ].join(', ');
}

/** What firedrill itself cost, in a line: `4.2 s of CPU in 94.3 s (4 % of a core), 1240 samples (13.1 a second), …`. */
export function harnessWords(harness: HarnessSummary): string {
  const { ms, cpuMs, childCpuMs, samples, samplesPerSecond, newConnections, commands } = harness;
  const share = ms > 0 ? ` (${((cpuMs / ms) * 100).toFixed(1)} % of a core)` : '';
  return [
    `${durationWords(cpuMs)} of CPU in ${durationWords(ms)}${share}`,
    ...(childCpuMs === null || childCpuMs === 0
      ? []
      : [`${durationWords(childCpuMs)} more in commands on its own machine`]),
    `${counted(samples, 'sample')} (${samplesPerSecond.toFixed(1)} a second)`,
    counted(newConnections, 'new connection'),
    `${counted(commands, 'command')} on hosts`,
  ].join(', ');
}

/** How punctual a thread of the prober was. */
export function laneWords({ loopP99Ms, loopMaxMs }: ProberSummary['lanes'][number]): string {
  return `ticks at most ${durationWords(loopMaxMs)} late, p99 ${loopP99Ms.toFixed(1)} ms`;
}
