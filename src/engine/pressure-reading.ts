import type { MachinePressure, Stall } from '../core/event.ts';
import type { DurationMs } from '../core/time.ts';

/** Counters of a machine since its boot. A counter that cannot be read is null. */
export interface MachineReading {
  /** Time since the boot, ms. */
  readonly upMs: DurationMs;
  /** Time in which some tasks, or all tasks, waited (PSI), us. */
  readonly stalls: Readonly<Record<'cpu' | 'memory' | 'io', { some: number | null; full: number | null }>>;
  /** CPU time of all cores, in the kernel's ticks. */
  readonly ticks: { readonly busy: number; readonly steal: number; readonly total: number } | null;
  readonly runQueue: number | null;
}

/** One reading of a host. */
export interface HostReading {
  /**
   * CPU time of the host's own control group since its creation, ms; null: it has no own group, or it cannot
   * be read.
   */
  readonly usedMs: DurationMs | null;
  /** null: another reader reads this machine. */
  readonly machine: MachineReading | null;
}

/** Number of machine counters in a line, after the uptime and the CPU time. */
const perMachine = 15;

/** Parses a line of `pressureScript`; undefined for any other line. */
export function readPressureLine(line: string): HostReading | undefined {
  const [word, ...rest] = line.trim().split(' ');
  if (word !== 'at') return undefined;
  const numbers = rest.map(numberOf);
  const [upS = null, usedNs = null, ...counters] = numbers;
  const usedMs = usedNs === null ? null : usedNs / 1e6;
  if (upS === null || counters.length < perMachine) return { usedMs, machine: null };
  const [cpuSome, cpuFull, memorySome, memoryFull, ioSome, ioFull, ...more] = counters;
  const runQueue = more.pop() ?? null;
  return {
    usedMs,
    machine: {
      upMs: upS * 1000,
      stalls: {
        cpu: { some: cpuSome ?? null, full: cpuFull ?? null },
        memory: { some: memorySome ?? null, full: memoryFull ?? null },
        io: { some: ioSome ?? null, full: ioFull ?? null },
      },
      ticks: ticksOf(more),
      runQueue,
    },
  };
}

function numberOf(text: string): number | null {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : null;
}

/** Fields in the order of /proc/stat: user nice system idle iowait irq softirq steal (proc_stat(5)). */
function ticksOf(values: readonly (number | null)[]): MachineReading['ticks'] {
  const known = values.filter((v) => v !== null);
  if (known.length < values.length || values.length < 8) return null;
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = known;
  const busy = user + nice + system + irq + softirq;
  return { busy, steal, total: busy + idle + iowait + steal };
}

/** Pressure between two readings of one boot; null if the second reading is not later than the first. */
export function pressureBetween(
  before: MachineReading,
  after: MachineReading,
): Pick<MachinePressure, 'overMs' | 'cpu' | 'memory' | 'io'> | null {
  const overMs = after.upMs - before.upMs;
  if (overMs <= 0) return null;
  const share = (from: number | null, to: number | null): number | null =>
    from === null || to === null || to < from ? null : percent((to - from) / 1000, overMs);
  const stall = (of: 'cpu' | 'memory' | 'io'): Stall => ({
    somePct: share(before.stalls[of].some, after.stalls[of].some),
    fullPct: share(before.stalls[of].full, after.stalls[of].full),
  });
  const totalTicks = (after.ticks?.total ?? 0) - (before.ticks?.total ?? 0);
  const ticks = (of: 'busy' | 'steal'): number | null =>
    before.ticks === null || after.ticks === null || totalTicks <= 0
      ? null
      : percent(after.ticks[of] - before.ticks[of], totalTicks);
  return {
    overMs,
    cpu: {
      somePct: stall('cpu').somePct,
      busyPct: ticks('busy'),
      stealPct: ticks('steal'),
      runQueue: after.runQueue,
      cores: null,
    },
    memory: stall('memory'),
    io: stall('io'),
  };
}

/** Percent in [0, 100], to a tenth. */
function percent(part: number, whole: number): number {
  return Math.round(Math.min(1, Math.max(0, part / whole)) * 1000) / 10;
}

/** CPU time between two readings of a counter that restarts with its host, ms. */
export function usedBetween(beforeMs: DurationMs, afterMs: DurationMs): DurationMs {
  return afterMs >= beforeMs ? afterMs - beforeMs : afterMs;
}
