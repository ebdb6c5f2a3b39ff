import type { HarnessCost } from '../core/event.ts';
import type { PlannedProbe } from '../core/plan.ts';
import { probeKind } from '../probes/catalog.ts';

/** CPU time that processes of firedrill have used, ms. */
export interface CpuTimes {
  /** This process, with all its threads. */
  readonly ownMs: number;
  /** Processes that it started and that have ended; undefined where the system does not say. */
  readonly childrenMs: number | undefined;
}

/** What the meter needs. */
export interface MeterOptions {
  readonly probes: readonly PlannedProbe[];
  readonly cpu: () => CpuTimes;
  /** Commands started on hosts so far. */
  readonly commands: () => number;
}

/** Adds up what probing the target costs. */
export interface HarnessMeter {
  /** A probe gave a sample. */
  countSample(probeId: string): void;
  /** The cost since the meter was made. */
  read(): HarnessCost;
}

/** Starts adding up. A connection is counted where a sample of its kind makes one; a kept one that broke is not. */
export function meterHarness({ probes, cpu, commands }: MeterOptions): HarnessMeter {
  const start = cpu();
  const connectionsOf = new Map(
    probes.map(({ id, kind, params }) => [id, probeKind(kind)?.cost(params).newConnections ?? 0]),
  );
  let samples = 0;
  let newConnections = 0;
  return {
    countSample(probeId) {
      const connections = connectionsOf.get(probeId);
      // The prober's own control is no sample of the target.
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
