import { durationText } from '../core/format-duration.ts';
import { measureText } from '../analysis/format.ts';
import type { ProbeSummary, Summary } from '../core/summary.ts';
import { controlText, machineName, machineText } from './prober-text.ts';
import { aligned, counted, plain } from './text.ts';

/** Causes with their counts: `refused 12, timeout 3`. */
export function causeText(causes: Readonly<Record<string, number>>): string {
  return Object.entries(causes)
    .map(([cause, count]) => `${cause} ${count}`)
    .join(', ');
}

/** A share of time, with its bounds if they differ: `99.950 % (99.940 % to 99.960 %)`. */
export function availabilityText(a: NonNullable<ProbeSummary['availability']>): string {
  const percent = (share: number) => `${(share * 100).toFixed(3)} %`;
  return a.minShare === a.maxShare
    ? percent(a.share)
    : `${percent(a.share)} (${percent(a.minShare)} to ${percent(a.maxShare)})`;
}

/** The text at the end of `watch`: each probe with its samples and its windows. Ends with a newline. */
export function renderWatchText(summary: Summary): string {
  const lines: string[] = [];
  for (const p of summary.probes) {
    const lost = [
      p.failed > 0 ? `${p.failed} failed` : '',
      p.unknown > 0 ? `${p.unknown} unknown` : '',
      p.dropped > 0 ? `${p.dropped} not sent` : '',
    ].filter(Boolean);
    const latency =
      p.latency === null
        ? ''
        : `, latency p50 ${durationText(p.latency.p50Ms)}, p99 ${durationText(p.latency.p99Ms)}`;
    const available = p.availability === null ? '' : `, available ${availabilityText(p.availability)}`;
    lines.push(
      `${plain(p.id)} (${plain(p.kind)}): ${counted(p.samples, 'sample')}${lost.length > 0 ? ` (${lost.join(', ')})` : ''}${available}${latency}`,
    );
    const rows = p.windows.map((w) => [
      `  ${w.state}`,
      measureText(w),
      `${w.startAt} to ${w.endAt ?? 'now (still open)'}`,
      causeText(w.causes),
    ]);
    const nothing =
      p.unknown === p.samples && p.samples > 0 ? '  no data: all samples unknown' : '  no outage seen';
    for (const line of rows.length === 0 ? [nothing] : aligned(rows)) lines.push(line);
  }
  const control = controlText(summary.prober);
  if (control !== null) lines.push(`prober's control: ${control}`);
  for (const machine of summary.prober.machines)
    lines.push(`${plain(machineName(machine))}: ${machineText(machine)}`);
  for (const note of summary.notes) lines.push(`note: ${plain(note)}`);
  return `${lines.join('\n')}\n`;
}
