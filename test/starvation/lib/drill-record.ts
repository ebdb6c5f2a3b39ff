import { readFileSync, readdirSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { type ControlSample, dilationOf } from '../../../src/core/control.ts';
import type { DrillEvent } from '../../../src/core/event.ts';
import type { Summary } from '../../../src/core/summary.ts';
import { killedLog } from '../../lab/lib/killed-log.ts';
import type { JudgedDrill, Part } from './judge.ts';
import { starvedReason } from '../../starvation.ts';

/** Dilations (wall time over CPU time) of the control's samples. */
export interface Dilations {
  readonly p50: number;
  readonly p99: number;
}

/** Results of one drill, and the load of its machine. null: not measured. */
export interface DrillRecord extends JudgedDrill {
  /** Counts from 1 within its condition and part. */
  readonly round: number;
  readonly reasons: readonly string[];
  readonly rto: Summary['rto'];
  readonly dilation: { readonly before: Dilations | null; readonly after: Dilations | null };
  /** CPU pressure (PSI some) of the prober's machine, the median of each side of the fault, percent. */
  readonly cpuSomePct: { readonly before: number | null; readonly after: number | null };
  /** CPU that neither the target's hosts nor firedrill took after the fault, percent of all cores. */
  readonly othersCpuPct: number | null;
}

/** Names a drill of the trial. */
export interface DrillOf {
  readonly condition: string;
  readonly part: Part;
  readonly round: number;
}

/** Reads the one run in a folder; a run without a summary has no verdict. */
export function readDrill(of: DrillOf, out: string, exitCode: number | undefined): DrillRecord {
  const [run] = existsSync(out) ? readdirSync(out) : [];
  const path = join(out, run ?? '.', 'summary.json');
  const summary = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Summary) : undefined;
  return { ...of, ...recordOf(killedLog(out).events, summary), exitCode };
}

/** The record of a drill from its events and its summary. */
export function recordOf(
  events: readonly DrillEvent[],
  summary: Pick<Summary, 'verdict' | 'reasons' | 'rto' | 'prober'> | undefined,
): Omit<DrillRecord, keyof DrillOf | 'exitCode'> {
  const issuedMs = events.find(({ type }) => type === 'fault.issued')?.t ?? Infinity;
  const samples = events.filter((event) => event.type === 'control.sample');
  const machine = summary?.prober.machines.find(({ prober }) => prober);
  return {
    verdict: summary?.verdict ?? null,
    starved: (summary === undefined ? undefined : starvedReason(summary)) ?? null,
    reasons: summary?.reasons ?? [],
    rto: summary?.rto ?? null,
    dilation: {
      before: dilationsOf(samples.filter(({ finishMs }) => finishMs <= issuedMs)),
      after: dilationsOf(samples.filter(({ finishMs }) => finishMs > issuedMs)),
    },
    cpuSomePct: {
      before: machine?.cpuSomePct.before?.p50 ?? null,
      after: machine?.cpuSomePct.after?.p50 ?? null,
    },
    othersCpuPct: machine?.othersCpuPct ?? null,
  };
}

/** Percentiles by nearest rank; null without samples. */
function dilationsOf(samples: readonly ControlSample[]): Dilations | null {
  const sorted = samples.map(dilationOf).sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 1;
  return sorted.length === 0 ? null : { p50: at(0.5), p99: at(0.99) };
}
