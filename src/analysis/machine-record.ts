import type { MachinePressure } from '../core/event.ts';
import type { HostName } from '../core/ids.ts';
import { distantFuture, distantPast, type DurationMs, earliest, later, type RunMs } from '../core/time.ts';

/** One reading of a machine, over the `overMs` before `t`. Values in percent; null: not read. */
export interface PressureReading {
  readonly t: RunMs;
  readonly overMs: DurationMs;
  readonly somePct: number | null;
  /** CPU in use or stolen, percent of all cores. */
  readonly busyPct: number | null;
  readonly runQueue: number | null;
  readonly memoryFullPct: number | null;
  readonly ioFullPct: number | null;
  /**
   * CPU used by neither the target's hosts nor firedrill, percent of all cores. Below 0 if one reading
   * makes up for another. With `unreadHosts` it is an upper bound.
   */
  readonly othersPct: number | null;
  /** Hosts on the machine whose CPU time was read neither then nor later. */
  readonly unreadHosts: readonly HostName[];
}

type Column = Exclude<keyof PressureReading, 'unreadHosts'>;

const columns = [
  't',
  'overMs',
  'somePct',
  'busyPct',
  'runQueue',
  'memoryFullPct',
  'ioFullPct',
  'othersPct',
] as const satisfies readonly Column[];

/** All readings of a machine. */
export class MachineRecord {
  readonly machine: string;
  readonly prober: boolean;
  /** NaN stands for null: a list of numbers takes 8 bytes each, 6 MB per day. */
  readonly #columns: Readonly<Record<Column, number[]>>;
  readonly #hosts = new Set<HostName>();
  /** Unread hosts, by the index of the reading. */
  readonly #unread = new Map<number, readonly HostName[]>();
  /** Readings that lack a host since it was last read. */
  readonly #missing = new Map<HostName, number[]>();

  constructor({ machine, prober }: Pick<MachinePressure, 'machine' | 'prober'>) {
    this.machine = machine;
    this.prober = prober;
    this.#columns = Object.fromEntries(columns.map((name) => [name, []])) as unknown as Readonly<
      Record<Column, number[]>
    >;
  }

  /** Hosts of the target that ran on the machine at any reading. */
  get hosts(): readonly HostName[] {
    return [...this.#hosts];
  }

  add(t: RunMs, pressure: MachinePressure): void {
    const { overMs, cpu, memory, io, hosts } = pressure;
    for (const host of hosts) this.#hosts.add(host);
    const busyPct = cpu.busyPct === null ? null : cpu.busyPct + (cpu.stealPct ?? 0);
    const reading: Readonly<Record<Column, number | null>> = {
      t,
      overMs,
      somePct: cpu.somePct,
      busyPct,
      runQueue: cpu.runQueue,
      memoryFullPct: memory.fullPct,
      ioFullPct: io.fullPct,
      othersPct: othersOf(pressure, busyPct),
    };
    const index = this.#columns.t.length;
    for (const name of columns) this.#columns[name].push(reading[name] ?? NaN);
    this.#addGaps(index, pressure);
  }

  /**
   * Notes the hosts that a reading lacks. A later reading gives their CPU time since then, and it is
   * distributed over these readings.
   */
  #addGaps(index: number, { hosts, cpu, unreadHosts = [], readLate = [] }: MachinePressure): void {
    if (unreadHosts.length > 0) this.#unread.set(index, unreadHosts);
    for (const host of unreadHosts) {
      const missing = this.#missing.get(host) ?? [];
      this.#missing.set(host, missing);
      missing.push(index);
    }
    for (const host of hosts) {
      if (unreadHosts.includes(host)) continue;
      const missing = this.#missing.get(host) ?? [];
      this.#missing.delete(host);
      const late = readLate.find((one) => one.host === host);
      if (late === undefined || cpu.cores === null) continue;
      for (const one of missing)
        this.#unread.set(
          one,
          (this.#unread.get(one) ?? []).filter((name) => name !== host),
        );
      this.#shareOut([...missing, index], late.usedMs, cpu.cores);
    }
  }

  /** Subtracts a host's CPU time in those readings from the CPU time of other programs. */
  #shareOut(indexes: readonly number[], usedMs: DurationMs, cores: number): void {
    const { overMs, othersPct } = this.#columns;
    const ms = indexes.reduce((sum, index) => sum + (overMs[index] ?? 0), 0);
    if (ms <= 0) return;
    for (const index of indexes) othersPct[index] = (othersPct[index] ?? NaN) - (100 * usedMs) / ms / cores;
  }

  /** Readings with a time in [fromMs, toMs], in order. */
  *readings(fromMs = distantPast, toMs = distantFuture): Generator<PressureReading, void, void> {
    for (const [index, t] of this.#columns.t.entries()) {
      if (t < fromMs || t > toMs) continue;
      yield {
        ...(Object.fromEntries(
          columns.map((name) => {
            const value = this.#columns[name][index] ?? NaN;
            return [name, Number.isNaN(value) ? null : value];
          }),
        ) as unknown as Omit<PressureReading, 'unreadHosts'>),
        unreadHosts: this.#unread.get(index) ?? [],
      };
    }
  }
}

function othersOf(pressure: MachinePressure, busyPct: number | null): number | null {
  const { cpu, targetCpuPct, harnessCpuPct = null } = pressure;
  if (busyPct === null || cpu.cores === null || targetCpuPct === null || harnessCpuPct === null) return null;
  return busyPct - (targetCpuPct + harnessCpuPct) / cpu.cores;
}

/**
 * Whether firedrill runs on the same machine as hosts of the target. Hosts without a known boot id do
 * not count.
 */
export function carriesTarget(machines: readonly MachineRecord[]): boolean {
  return machines.some((m) => m.prober && m.hosts.length > 0);
}

/** Mean share of the machine's CPU that other programs used, percent of all cores. */
export interface OthersShare {
  /** With `unread` it is an upper bound: unread hosts count as idle. */
  readonly othersPct: number;
  readonly busyPct: number;
  /**
   * Hosts of the target whose CPU time was not read, and the total time without it, ms. Absent if all
   * were read.
   */
  readonly unread?: { readonly hosts: readonly HostName[]; readonly ms: DurationMs };
}

/** CPU that other programs used in (fromMs, toMs]; null if less than half of that time was read. */
export function othersIn(machine: MachineRecord, fromMs: RunMs, toMs: RunMs): OthersShare | null {
  let overMs = 0;
  let others = 0;
  let busy = 0;
  const unreadHosts = new Set<HostName>();
  let unreadMs = 0;
  for (const reading of machine.readings(fromMs, later(toMs, 1000))) {
    // A reading at the edge counts with the part of its time that is inside.
    const insideMs = earliest(reading.t, toMs) - Math.max(reading.t - reading.overMs, fromMs);
    if (reading.othersPct === null || reading.busyPct === null || insideMs <= 0) continue;
    overMs += insideMs;
    others += reading.othersPct * insideMs;
    busy += reading.busyPct * insideMs;
    if (reading.unreadHosts.length > 0) unreadMs += insideMs;
    for (const host of reading.unreadHosts) unreadHosts.add(host);
  }
  if (overMs <= 0 || overMs < (toMs - fromMs) / 2) return null;
  const share = (sum: number): number => Math.round(Math.max(0, sum / overMs) * 10) / 10;
  return {
    othersPct: share(others),
    busyPct: share(busy),
    ...(unreadHosts.size === 0 ? {} : { unread: { hosts: [...unreadHosts], ms: unreadMs } }),
  };
}
