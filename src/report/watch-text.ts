import { durationWords, measureWords } from '../analysis/words.ts';
import type { Summary } from '../core/summary.ts';
import { aligned, counted, plain } from './text.ts';

/** Causes with their counts: `refused 12, timeout 3`. */
export function causeWords(causes: Readonly<Record<string, number>>): string {
  return Object.entries(causes)
    .map(([cause, count]) => `${cause} ${count}`)
    .join(', ');
}

/** What `watch` prints at its end: each probe with its samples and its windows. Ends with a newline. */
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
        : `, latency p50 ${durationWords(p.latency.p50Ms)}, p99 ${durationWords(p.latency.p99Ms)}`;
    lines.push(
      `${plain(p.id)} (${plain(p.kind)}): ${counted(p.samples, 'sample')}${lost.length > 0 ? ` (${lost.join(', ')})` : ''}${latency}`,
    );
    const rows = p.windows.map((w) => [
      `  ${w.state}`,
      measureWords(w),
      `${w.startAt} to ${w.endAt ?? 'now (still open)'}`,
      causeWords(w.causes),
    ]);
    lines.push(...(rows.length === 0 ? ['  no outage seen'] : aligned(rows)));
  }
  for (const note of summary.notes) lines.push(`note: ${plain(note)}`);
  return `${lines.join('\n')}\n`;
}
