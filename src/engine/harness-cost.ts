import type { HarnessCost } from '../core/event.ts';
import type { ProbeId } from '../core/ids.ts';
import type { Kinds } from '../core/kinds.ts';
import type { PlannedProbe } from '../core/plan.ts';
import type { DurationMs } from '../core/time.ts';

/** CPU time that processes of firedrill have used, ms. */
export interface CpuTimes {
  /** This process with all its threads. */
  readonly ownMs: DurationMs;
  /** Ended child processes of this process; undefined if the system does not report it. */
  readonly childrenMs: DurationMs | undefined;
}

/** What the meter needs. */
export interface MeterOptions {
  readonly probes: readonly PlannedProbe[];
  readonly kinds: Kinds;
  readonly cpu: () => CpuTimes;
  /** Commands started on hosts so far. */
  readonly commands: () => number;
}

/** Counts what the probing costs. */
export interface HarnessMeter {
  /** Counts one sample of a probe. */
  countSample(probeId: ProbeId): void;
  /** The cost since the meter was created. */
  read(): HarnessCost;
}

/**
 * Starts the count. New connections are counted per sample by the probe's kind; a reconnect after a broken
 * kept connection is not counted.
 */
export function meterHarness({ probes, kinds, cpu, commands }: MeterOptions): HarnessMeter {
  const start = cpu();
  const connectionsOf = new Map(
    probes.map(({ id, kind, params }) => [id, kinds.probe(kind)?.cost(params).newConnections ?? 0]),
  );
  let samples = 0;
  let newConnections = 0;
  return {
    countSample(probeId) {
      const connections = connectionsOf.get(probeId);
      // A sample of the prober's own control is not a sample of the target.
      if (connections === undefined) return;
      samples += 1;
      newConnections += connections;
    },
    read() {
      const now = cpu();
      const childCpuMs =
        now.childrenMs === undefined ? undefined : Math.round(now.childrenMs - (start.childrenMs ?? 0));
      return {
        cpuMs: Math.round(now.ownMs - start.ownMs),
        ...(childCpuMs === undefined ? {} : { childCpuMs }),
        samples,
        newConnections,
        commands: commands(),
      };
    },
  };
}
