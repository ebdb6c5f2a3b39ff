import { setMaxListeners } from 'node:events';
import type { Clock } from '../core/clock.ts';
import type { MachinePressure } from '../core/event.ts';
import type { Host } from '../core/host.ts';
import type { HostName } from '../core/ids.ts';
import type { LocalMachine } from './local-machine.ts';
import {
  type HostReading,
  type MachineReading,
  pressureBetween,
  readPressureLine,
  usedBetween,
} from './pressure-reading.ts';
import { pressureScript } from './pressure-script.ts';
import type { DurationMs, RunMs } from '../core/time.ts';

/** Interval of the reports on each machine, ms. */
const reportEveryMs = 1000;
/**
 * Pause before a host that ended or failed is read again, ms: a `docker exec` costs its machine about 0.1 s
 * of CPU time.
 */
const askAgainMs = 10_000;
/**
 * A host without a reading for this long counts as unread, ms. Readings come once per second, and a little
 * later on a busy machine.
 */
const readWithinMs = 3000;
/** Characters of a boot id that identify a machine in reports. */
const shortId = 8;

/** Inputs of a pressure watch. */
export interface PressureOptions {
  /** Names of the target's hosts, in the plan's order. */
  readonly hosts: readonly HostName[];
  readonly host: (name: HostName) => Pick<Host, 'follow'>;
  readonly clock: Clock;
  readonly local: LocalMachine;
  readonly onPressure: (pressure: MachinePressure) => void;
  /** Called if a defect of firedrill ends the reports. */
  readonly onBroken?: (error: unknown) => void;
}

/** A running pressure watch. */
export interface PressureWatch {
  /** Resolves when no host is followed any more. Never rejects. */
  stop(): Promise<void>;
}

/** Starts a watch over the prober's machine and the hosts' machines. */
export type StartPressure = (options: PressureOptions) => PressureWatch;

/** State of one host. */
interface Known {
  readonly name: string;
  bootId: string | undefined;
  /** Start time of its first process, in ticks since the boot: a restarted container has new counters. */
  since: string | undefined;
  latest: HostReading | undefined;
  /** The reading of its last report. */
  reported: MachineReading | undefined;
  /** CPU time since the last report, ms; undefined: never read. */
  unreportedMs: DurationMs | undefined;
  /**
   * When its CPU time was last read, on the clock; undefined: never, or the reading command has ended since.
   */
  readMs: RunMs | undefined;
  /**
   * Whether the last report lists it as unread. `lost`: its counter restarted in the meantime, so its CPU
   * time of that period is unknown.
   */
  unread: 'no' | 'yes' | 'lost';
}

/**
 * Reads the counters of the prober's machine and of every host, and reports each machine once per second.
 * Each host is read through one command that stays open. A host with the boot id of the prober's machine
 * reports only the CPU time of its own control group. An unreadable host is left out until it can be read.
 */
export const startPressure: StartPressure = ({ hosts, host, clock, local, onPressure, onBroken }) => {
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const known = hosts.map((name): Known => ({
    name,
    bootId: undefined,
    since: undefined,
    latest: undefined,
    reported: undefined,
    unreportedMs: undefined,
    readMs: undefined,
    unread: 'no',
  }));
  const sleep = (ms: DurationMs): Promise<boolean> =>
    clock.sleep(ms, stop.signal).then(
      () => true,
      () => false,
    );
  const following = known.map(async (each) => {
    do {
      await followHost(each, () => host(each.name), local.bootId, clock, stop.signal);
    } while (await sleep(askAgainMs));
  });
  const telling = (async () => {
    const prober = reportProber(local);
    while (await sleep(reportEveryMs)) {
      const nowMs = clock.nowMs();
      const pressures = [prober(known, nowMs), ...othersOf(known, local.bootId, nowMs)];
      for (const pressure of pressures) if (pressure !== null) onPressure(pressure);
    }
  })().catch((error: unknown) => onBroken?.(error));
  return {
    stop: async () => {
      stop.abort();
      await Promise.all([...following, telling]);
    },
  };
};

/** Reads a host until its command ends. */
async function followHost(
  known: Known,
  host: () => Pick<Host, 'follow'>,
  localBootId: string | undefined,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const argv = ['sh', '-c', pressureScript, pressureScript, localBootId ?? ''];
  try {
    for await (const line of host().follow(argv, signal)) {
      if (line.startsWith('boot ')) {
        const [, bootId, since] = line.trim().split(' ');
        if (bootId !== known.bootId) known.reported = undefined;
        if (since !== known.since) beginAgain(known);
        known.bootId = bootId === '-' ? undefined : bootId;
        known.since = since;
      }
      const reading = readPressureLine(line);
      if (reading !== undefined) take(known, reading, clock.nowMs());
    }
  } catch {
    // The host is off, cut off, or not readable. It is read again later, and its state is unknown until then.
  } finally {
    known.readMs = undefined;
  }
}

/**
 * Handles a restarted counter. The counter now contains all CPU time since the restart, which exceeds the
 * last second if the host was unread.
 */
function beginAgain(known: Known): void {
  if (known.latest?.usedMs == null) return;
  known.latest = { ...known.latest, usedMs: known.unread === 'no' ? 0 : null };
  if (known.unread === 'yes') known.unread = 'lost';
}

function take(known: Known, reading: HostReading, nowMs: RunMs): void {
  const beforeMs = known.latest?.usedMs ?? null;
  // The first reading of a counter shows nothing about the time before it.
  if (reading.usedMs !== null && beforeMs !== null) {
    known.unreportedMs = (known.unreportedMs ?? 0) + usedBetween(beforeMs, reading.usedMs);
    known.readMs = nowMs;
  }
  known.latest = { ...reading, usedMs: reading.usedMs ?? beforeMs };
}

/** CPU time of some hosts since the last report. */
interface Used {
  /** null: one of them was never read, or there are no hosts. */
  readonly ms: DurationMs | null;
  readonly gaps: Pick<MachinePressure, 'unreadHosts' | 'readLate'>;
}

/** CPU time of these hosts since the last call. */
function takeUsed(hosts: readonly Known[], nowMs: RunMs): Used {
  let ms: DurationMs | null = hosts.length === 0 ? null : 0;
  const unreadHosts: HostName[] = [];
  const readLate: { host: HostName; usedMs: DurationMs }[] = [];
  for (const known of hosts) {
    const usedMs = known.unreportedMs;
    if (usedMs === undefined) {
      ms = null;
      continue;
    }
    known.unreportedMs = 0;
    const isRead = known.readMs !== undefined && nowMs - known.readMs <= readWithinMs;
    if (isRead && known.unread === 'yes') readLate.push({ host: known.name, usedMs });
    else if (ms !== null) ms += usedMs;
    if (!isRead) unreadHosts.push(known.name);
    known.unread = isRead ? 'no' : known.unread === 'lost' ? 'lost' : 'yes';
  }
  return {
    ms,
    gaps: {
      ...(unreadHosts.length === 0 ? {} : { unreadHosts }),
      ...(readLate.length === 0 ? {} : { readLate }),
    },
  };
}

/** Returns a reporter of the prober's machine since its last report. */
function reportProber(
  local: LocalMachine,
): (known: readonly Known[], nowMs: RunMs) => MachinePressure | null {
  let before = local.read();
  let ownBeforeMs = local.ownCpuMs();
  return (known, nowMs) => {
    const after = local.read();
    const pressure = before === null || after === null ? null : pressureBetween(before, after);
    const ownMs = local.ownCpuMs();
    const usedMs = ownMs === null || ownBeforeMs === null ? null : usedBetween(ownBeforeMs, ownMs);
    [before, ownBeforeMs] = [after, ownMs];
    const hosts = known.filter((k) => k.bootId !== undefined && k.bootId === local.bootId);
    const used = takeUsed(hosts, nowMs);
    // A host without a known boot id may run on this machine, so its CPU time must not count as that of other
    // programs.
    const targetMs = known.some((k) => k.bootId === undefined) ? null : used.ms;
    if (pressure === null || local.bootId === undefined) return null;
    return {
      machine: local.bootId.slice(0, shortId),
      prober: true,
      hosts: hosts.map((k) => k.name),
      ...pressure,
      cpu: { ...pressure.cpu, cores: local.cores },
      targetCpuPct: ofOneCore(targetMs, pressure.overMs),
      ...used.gaps,
      harnessCpuPct: ofOneCore(usedMs, pressure.overMs),
    };
  };
}

/** Reports the other machines, each by its first host with a new reading. */
function othersOf(
  known: readonly Known[],
  localBootId: string | undefined,
  nowMs: RunMs,
): readonly MachinePressure[] {
  const ids = new Set(
    known.flatMap((k) => (k.bootId === undefined || k.bootId === localBootId ? [] : [k.bootId])),
  );
  return [...ids].flatMap((bootId) => {
    const hosts = known.filter((k) => k.bootId === bootId);
    const readings = hosts.flatMap((k) => {
      const now = k.latest?.machine ?? undefined;
      const before = k.reported;
      k.reported = now;
      return now === undefined || before === undefined ? [] : [pressureBetween(before, now)];
    });
    const pressure = readings.find((r) => r !== null);
    if (pressure === undefined) return [];
    const used = takeUsed(hosts, nowMs);
    return [
      {
        machine: bootId.slice(0, shortId),
        prober: false,
        hosts: hosts.map((k) => k.name),
        ...pressure,
        targetCpuPct: ofOneCore(used.ms, pressure.overMs),
        ...used.gaps,
      },
    ];
  });
}

/** Percent of one core, to a tenth. */
function ofOneCore(usedMs: DurationMs | null, overMs: DurationMs): number | null {
  return usedMs === null ? null : Math.round((usedMs / overMs) * 1000) / 10;
}
