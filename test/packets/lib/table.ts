import type { Conditions } from '../../../bench/conditions.ts';
import type { VerdictWord } from '../../../src/core/summary.ts';
import type { DrillTruth, EdgeTruth } from './window-truth.ts';

/** One drill of the suite. */
export interface DrillRow extends DrillTruth {
  readonly scenario: string;
  readonly round: number;
  readonly verdict: VerdictWord;
}

/** Results of a run of the suite; results.json. */
export interface PacketResults {
  readonly conditions: Conditions;
  /** Number of drills in the suite; a drill without a measurement is not in `drills`. */
  readonly planned: number;
  readonly drills: readonly DrillRow[];
}

/** The results as Markdown; the same results give the same text. */
export function renderTable({ conditions: c, planned, drills }: PacketResults): string {
  const windows = drills.flatMap(({ windows }) => windows);
  const edges = windows.flatMap(({ start, end }) => [start, end]);
  const agree = drills.filter(({ faults, windows }) => faults.length === 0 && windows.length > 0).length;
  return [
    '# Outage windows and packets',
    '',
    '`npm run test:packets` writes this file and results.json.',
    '',
    `**${agree} of ${planned} drills agree** with a packet capture at the prober. This covers ${windows.length} outage windows. A window agrees if`,
    'its estimated start and end are within one probe interval of the packets, or within the time that the packets leave open,',
    'and if its bounds contain the times of the packets. The comparison is in `test/packets/lib`: window-truth.ts, outages.ts,',
    'and attempts.ts.',
    '',
    `Starts differ by ${range(windows.map(({ start }) => apart(start)))} ms, ends by ${range(windows.map(({ end }) => apart(end)))} ms; the probe`,
    `interval was ${[...new Set(edges.map(({ intervalMs }) => intervalMs))].sort((a, b) => a - b).join(' or ')} ms. Differences are firedrill's estimate minus the packets'; the table is in ms.`,
    '',
    ...table(
      [
        'drill',
        'probe',
        'outage by packets',
        'by firedrill',
        'start',
        'end',
        'interval',
        'in bounds',
        'RTO by packets',
        'by firedrill',
      ],
      drills.flatMap(drillLines),
    ),
    '',
    ...drills.flatMap(({ scenario, round, faults }) =>
      faults.length === 0 ? [] : [`${scenario} ${round}:`, '', ...faults.map((fault) => `- ${fault}`), ''],
    ),
    `${c.startedAt}, ${c.cores} cores (${c.cpu}), ${c.memoryGib} GiB, ${c.system}, Linux ${c.kernel}, Node ${c.node}, lab \`wazuh-lb\` on`,
    `the same machine, load ${c.loadBefore.toFixed(1)} before the run.`,
    '',
  ].join('\n');
}

function drillLines({ scenario, round, probe, windows, rto }: DrillRow): readonly (readonly string[])[] {
  const name = `${scenario} ${round}`;
  if (windows.length === 0) return [[name, probe, 'none', 'none', '', '', '', '', '', '']];
  return windows.map(({ start, end, recovery }, index) => [
    index === 0 ? name : '',
    index === 0 ? probe : '',
    ms(end.byPacketsMs - start.byPacketsMs),
    ms(end.byFiredrillMs - start.byFiredrillMs),
    signed(apart(start)),
    signed(apart(end)),
    [...new Set([start.intervalMs, end.intervalMs])].join(', '),
    start.isWithin && end.isWithin ? 'yes' : '**no**',
    recovery && rto !== null ? ms(rto.byPacketsMs) : '',
    recovery && rto !== null ? ms(rto.byFiredrillMs) : '',
  ]);
}

function apart({ byFiredrillMs, byPacketsMs }: EdgeTruth): number {
  return byFiredrillMs - byPacketsMs;
}

function range(values: readonly number[]): string {
  return values.length === 0 ? '0' : `${signed(Math.min(...values))} to ${signed(Math.max(...values))}`;
}

function ms(value: number): string {
  return String(Math.round(value));
}

function signed(value: number): string {
  const whole = Math.round(value);
  return whole > 0 ? `+${whole}` : String(whole).replace('-', '−');
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)];
}
