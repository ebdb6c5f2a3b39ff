import { runningText } from '../../core/format-duration.ts';
import { isFresh } from '../../core/freshness.ts';
import type { Plan, PlannedProbe } from '../../core/plan.ts';
import type { DurationMs, RunMs } from '../../core/time.ts';
import { fit, type Line, type Size, type Span, widthOf } from './line.ts';
import { type LiveState, type LiveSample, type ProbeHistory, recoveryProbeId } from './state.ts';

/** Most samples in a sparkline. Older samples are not useful in a live view. */
const maxSamples = 100;

/** The last samples of each probe, as far as there is room. The recovery probe and probes that are not ok have priority. */
export function probeLines(state: LiveState, plan: Plan, nowMs: RunMs, { columns, rows }: Size): Line[] {
  const { probes } = plan;
  if (rows < 1) return [];
  const shown = probes.length <= rows ? probes : choose(state, probes, rows - 1);
  const isNarrow = columns < 60;
  const longest = Math.max(...probes.map(({ id }) => widthOf(id)));
  const nameWidth = Math.min(longest, Math.floor(isNarrow ? columns / 2 : columns / 3));
  const textWidth = isNarrow ? 10 : 24;
  const sparkWidth = Math.min(maxSamples, columns - nameWidth - textWidth - 4);
  const lines = shown.map((probe): Line => {
    const history = state.probes.get(probe.id);
    const samples = sparkWidth < 1 ? [] : (history?.samples ?? []).slice(-sparkWidth);
    return [
      { text: `  ${fit(probe.id, nameWidth)} ` },
      { text: ' '.repeat(Math.max(0, sparkWidth - samples.length)) },
      ...sparkline(samples, probe.timeoutMs),
      { text: ' ' },
      stateSpan(probe, history, nowMs),
    ];
  });
  if (shown.length < probes.length) return [...lines, restLine(state, probes, shown)];
  const legend: Line = [{ text: '  ▁▂▅█ latency up to the timeout, x failed, ? unknown', style: 'dim' }];
  return lines.length < rows ? [...lines, legend] : lines;
}

/** The probes with the highest priority, in the plan's order. */
function choose(state: LiveState, probes: readonly PlannedProbe[], most: number): readonly PlannedProbe[] {
  const recovery = recoveryProbeId(state);
  const rank = (probe: PlannedProbe): number => (probe.id === recovery ? 0 : isWell(state, probe) ? 2 : 1);
  const first = new Set([...probes].sort((a, b) => rank(a) - rank(b)).slice(0, most));
  return probes.filter((probe) => first.has(probe));
}

function isWell(state: LiveState, { id }: PlannedProbe): boolean {
  return state.probes.get(id)?.samples.at(-1)?.status === 'ok';
}

function restLine(state: LiveState, probes: readonly PlannedProbe[], shown: readonly PlannedProbe[]): Line {
  const rest = probes.filter((probe) => !shown.includes(probe));
  const well = rest.filter((probe) => isWell(state, probe)).length;
  const how = well === rest.length ? 'all ok' : `${well} ok, ${rest.length - well} not`;
  return [{ text: `  … ${rest.length} more probes: ${how}`, style: 'dim' }];
}

function sparkline(samples: readonly LiveSample[], timeoutMs: DurationMs): Span[] {
  const spans: { text: string; style: 'red' | 'yellow' | 'green' }[] = [];
  for (const sample of samples) {
    const text =
      sample.status === 'ok' ? level(sample.latencyMs / timeoutMs) : sample.status === 'fail' ? 'x' : '?';
    const style = sample.status === 'ok' ? 'green' : sample.status === 'fail' ? 'red' : 'yellow';
    const last = spans.at(-1);
    if (last?.style === style) last.text += text;
    else spans.push({ text, style });
  }
  return spans;
}

function level(share: number): string {
  if (share < 0.1) return '▁';
  if (share < 0.3) return '▂';
  return share < 0.6 ? '▅' : '█';
}

function stateSpan(probe: PlannedProbe, history: ProbeHistory | undefined, nowMs: RunMs): Span {
  if (history === undefined) return { text: 'no answer yet', style: 'dim' };
  const { last, badSinceMs } = history;
  if (!isFresh(probe, last, nowMs)) return { text: 'no fresh answer', style: 'yellow' };
  if (last.status === 'unknown') return { text: `unknown: ${last.message ?? ''}`, style: 'yellow' };
  if (last.status === 'fail')
    return {
      text: `bad ${runningText(nowMs - (badSinceMs ?? last.sendMs))} ${last.cause ?? ''}`,
      style: 'red',
    };
  return { text: last.value ?? `${Math.round(last.finishMs - last.sendMs)} ms` };
}
