import type { MachinePressure } from '../core/event.ts';

/** One reading of a machine: the `overMs` before `t`. Percent; null: not read. */
export interface PressureReading {
  readonly t: number;
  readonly overMs: number;
  readonly somePct: number | null;
  /** In use and stolen, of all cores. */
  readonly busyPct: number | null;
  readonly runQueue: number | null;
  readonly memoryFullPct: number | null;
  readonly ioFullPct: number | null;
  /** Used by neither the target's hosts nor firedrill, of all cores; below 0 where one reading makes up for another. */
  readonly othersPct: number | null;
}

const columns = [
  't',
  'overMs',
  'somePct',
  'busyPct',
  'runQueue',
  'memoryFullPct',
  'ioFullPct',
  'othersPct',
] as const satisfies readonly (keyof PressureReading)[];

/** All that was read of a machine. */
export class MachineRecord {
  readonly machine: string;
  readonly prober: boolean;
  /** NaN for null: a list of numbers takes 8 bytes each, 6 MB a day. */
  readonly #columns: Readonly<Record<keyof PressureReading, number[]>>;
  readonly #hosts = new Set<string>();

  constructor({ machine, prober }: Pick<MachinePressure, 'machine' | 'prober'>) {
    this.machine = machine;
    this.prober = prober;
    this.#columns = Object.fromEntries(columns.map((name) => [name, []])) as unknown as Readonly<
      Record<keyof PressureReading, number[]>
    >;
  }

  /** Hosts of the target that were ever seen on it. */
  get hosts(): readonly string[] {
    return [...this.#hosts];
  }

  add(t: number, pressure: MachinePressure): void {
    const { overMs, cpu, memory, io, hosts } = pressure;
    for (const host of hosts) this.#hosts.add(host);
    const busyPct = cpu.busyPct === null ? null : cpu.busyPct + (cpu.stealPct ?? 0);
    const reading: PressureReading = {
      t,
      overMs,
      somePct: cpu.somePct,
      busyPct,
      runQueue: cpu.runQueue,
      memoryFullPct: memory.fullPct,
      ioFullPct: io.fullPct,
      othersPct: othersOf(pressure, busyPct),
    };
    for (const name of columns) this.#columns[name].push(reading[name] ?? NaN);
  }

  /** Readings with a time in [fromMs, toMs], in order. */
  *readings(fromMs = -Infinity, toMs = Infinity): Generator<PressureReading, void, void> {
    for (const [index, t] of this.#columns.t.entries()) {
      if (t < fromMs || t > toMs) continue;
      yield Object.fromEntries(
        columns.map((name) => {
          const value = this.#columns[name][index] ?? NaN;
          return [name, Number.isNaN(value) ? null : value];
        }),
      ) as unknown as PressureReading;
    }
  }
}

function othersOf(pressure: MachinePressure, busyPct: number | null): number | null {
  const { cpu, targetCpuPct, harnessCpuPct = null } = pressure;
  if (busyPct === null || cpu.cores === null || targetCpuPct === null || harnessCpuPct === null) return null;
  return busyPct - (targetCpuPct + harnessCpuPct) / cpu.cores;
}

/** Whether firedrill runs on a machine that hosts of the target run on. Hosts of which no boot id was read count for none. */
export function carriesTarget(machines: readonly MachineRecord[]): boolean {
  return machines.some((m) => m.prober && m.hosts.length > 0);
}

/** The mean share of the machine's CPU that others took in a time, percent of all cores. */
export interface OthersShare {
  readonly othersPct: number;
  readonly busyPct: number;
}

/** What others took of a machine in (fromMs, toMs]; null where less than half of it was read. */
export function othersIn(machine: MachineRecord, fromMs: number, toMs: number): OthersShare | null {
  let overMs = 0;
  let others = 0;
  let busy = 0;
  for (const reading of machine.readings(fromMs, toMs + 1000)) {
    // A reading at the edge counts as far as it reaches into the time.
    const insideMs = Math.min(reading.t, toMs) - Math.max(reading.t - reading.overMs, fromMs);
    if (reading.othersPct === null || reading.busyPct === null || insideMs <= 0) continue;
    overMs += insideMs;
    others += reading.othersPct * insideMs;
    busy += reading.busyPct * insideMs;
  }
  if (overMs <= 0 || overMs < (toMs - fromMs) / 2) return null;
  const share = (sum: number): number => Math.round(Math.max(0, sum / overMs) * 10) / 10;
  return { othersPct: share(others), busyPct: share(busy) };
}
