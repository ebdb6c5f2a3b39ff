import { starvedSpans } from '../../analysis/degraded.ts';
import type { MachineRecord, PressureReading } from '../../analysis/machine-record.ts';
import type { RunLog } from '../../analysis/run-log.ts';
import { durationText, offsetText } from '../../core/format-duration.ts';
import { pressedPct, starvedPct } from '../../core/starvation-limits.ts';
import { earlier, type RunMs } from '../../core/time.ts';
import { machineName } from '../prober-text.ts';
import type { Lane, Piece } from './lanes.ts';

type Level = 'calm' | 'pressed' | 'starved';

const levelText: Readonly<Record<Level, string>> = {
  calm: 'enough CPU',
  pressed: 'short of CPU',
  starved: 'starved of CPU',
};

/** A band for each machine: its CPU pressure, and on the prober's machine also the control's starved times. */
export function machineLanes(log: RunLog, zeroMs: RunMs): readonly Lane[] {
  const lanes = log.machines.map((machine) => {
    const starved = machine.prober ? starvedPieces(log, zeroMs) : [];
    return laneOf(machineName(machine), [...pressurePieces(machine, zeroMs), ...starved]);
  });
  const isAlone = log.control !== null && !log.machines.some((m) => m.prober);
  const own = { prober: true, hosts: [] };
  return isAlone ? [laneOf(machineName(own), starvedPieces(log, zeroMs)), ...lanes] : lanes;
}

function laneOf(label: string, pieces: readonly Piece[]): Lane {
  const words = (['pressed', 'starved'] as const).flatMap((level) => {
    const ms = pieces.reduce((sum, p) => sum + (p.kind === level ? p.toMs - p.fromMs : 0), 0);
    return ms === 0 ? [] : [`${levelText[level]} for ${durationText(ms)}`];
  });
  return { label, words: words.join(', ') || 'never short of CPU', pieces };
}

/** Merges touching readings of one level into a piece with their highest pressure. */
function pressurePieces(machine: MachineRecord, zeroMs: RunMs): readonly Piece[] {
  const runs: { fromMs: RunMs; toMs: RunMs; level: Level; maxPct: number | null }[] = [];
  for (const reading of machine.readings()) {
    const level = levelOf(reading);
    if (level === null) continue;
    const fromMs = earlier(reading.t, reading.overMs);
    const last = runs.at(-1);
    // Readings are about 1 s apart; a gap shorter than one reading does not split a piece.
    if (last?.level === level && fromMs - last.toMs < reading.overMs) {
      last.toMs = reading.t;
      last.maxPct = higher(last.maxPct, reading.somePct);
    } else runs.push({ fromMs, toMs: reading.t, level, maxPct: reading.somePct });
  }
  return runs.map(({ fromMs, toMs, level, maxPct }) => ({
    fromMs,
    toMs,
    kind: level,
    title: `${levelText[level]}${maxPct === null ? '' : `, CPU pressure up to ${Math.round(maxPct)} %`}, ${rangeText(fromMs, toMs, zeroMs)}`,
  }));
}

/** The level by CPU pressure, or by CPU use if there is no pressure. null: neither was read. */
function levelOf({ somePct, busyPct }: PressureReading): Level | null {
  if (somePct !== null) return somePct >= starvedPct ? 'starved' : somePct >= pressedPct ? 'pressed' : 'calm';
  if (busyPct === null) return null;
  return busyPct >= 95 ? 'pressed' : 'calm';
}

function higher(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

function starvedPieces(log: RunLog, zeroMs: RunMs): readonly Piece[] {
  return starvedSpans(log).map(({ fromMs, toMs, samples }) => ({
    fromMs,
    toMs,
    kind: 'starved',
    title: `${samples === 0 ? 'the control reported nothing' : 'starved of CPU, measured by the control'}, ${rangeText(fromMs, toMs, zeroMs)}`,
  }));
}

function rangeText(fromMs: RunMs, toMs: RunMs, zeroMs: RunMs): string {
  return `${offsetText(fromMs - zeroMs, 2)} to ${offsetText(toMs - zeroMs, 2)} (${durationText(toMs - fromMs)})`;
}
