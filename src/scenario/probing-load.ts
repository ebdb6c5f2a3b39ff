import type { HostName } from '../core/ids.ts';
import type { Plan, PlannedProbe, PlannedWriter } from '../core/plan.ts';
import type { Kinds } from '../core/kinds.ts';
import { builtInKinds } from '../extension/kinds.ts';

/** Load of probing and writing per second, while the stack answers. */
export interface Load {
  /** Attempts of all probes. */
  readonly samplesPerSecond: number;
  /** TCP connections opened by probes and by writers. */
  readonly newConnectionsPerSecond: number;
  /** Commands run on hosts. */
  readonly commandsPerSecond: number;
  /** Processes started on hosts: a lower bound. */
  readonly processesPerSecond: number;
  /** Rows written by all clients of all writers. */
  readonly rowsPerSecond: number;
}

/** Load of one host: from the probes and writer paths of this host, and from the commands that run on it. */
export interface HostLoad {
  readonly host: HostName;
  readonly base: Load;
  readonly burst: Load;
}

/** The load of a drill at both rates. */
export interface ProbingLoad {
  /** At the base rate, without writers: while the drill waits for the steady state. */
  readonly base: Load;
  /** At the burst rate, with the writers: from shortly before the fault until the recovery is stable. */
  readonly burst: Load;
  /** In the plan's order, without hosts that have no load. */
  readonly hosts: readonly HostLoad[];
}

/** The parts of a plan that determine the load. */
export type LoadPlan = Pick<Plan, 'hosts' | 'probes' | 'writers'>;

/** Adds up the load of probes and writers. A kind that this version does not know counts with its samples only. */
export function probingLoad(plan: LoadPlan, kinds: Kinds = builtInKinds): ProbingLoad {
  const base = [...sampleLoads(plan.probes, false, kinds)];
  const burst = [
    ...sampleLoads(plan.probes, true, kinds),
    ...plan.writers.flatMap((writer) => writerLoads(writer, kinds)),
  ];
  const of = (loads: readonly Part[], host?: string): Load => sum(loads, host);
  return {
    base: of(base),
    burst: of(burst),
    hosts: plan.hosts
      .map(({ name }) => ({ host: name, base: of(base, name), burst: of(burst, name) }))
      .filter(({ burst: load }) => Object.values(load).some((figure) => figure > 0)),
  };
}

/** A part of the load, and its host. */
interface Part {
  readonly host: HostName | undefined;
  readonly load: Partial<Load>;
}

function sampleLoads(probes: readonly PlannedProbe[], bursting: boolean, kinds: Kinds): Part[] {
  const shared = new Set<string>();
  /** True for the first call with this key. */
  const isFirst = (...key: readonly string[]): boolean => {
    const text = key.join('\n');
    const first = !shared.has(text);
    shared.add(text);
    return first;
  };
  return probes.flatMap((probe): Part[] => {
    const kind = kinds.probe(probe.kind);
    const from = probe.from ?? probe.host;
    const rate = 1000 / ((bursting ? probe.burstIntervalMs : undefined) ?? probe.intervalMs);
    // Logs of other versions may have parameters that this kind does not have.
    const cost = kind?.cost(probe.params ?? {}) ?? { newConnections: 0, commands: 0, processes: 0 };
    // Instances that are sampled together share one command.
    const asks = kind?.together !== true || isFirst('round', probe.name, from ?? '');
    const standing = cost.standingProcessesPerSecond;
    const stands = standing !== undefined && isFirst('standing', probe.kind, from ?? '');
    return [
      {
        host: probe.host,
        load: { samplesPerSecond: rate, newConnectionsPerSecond: cost.newConnections * rate },
      },
      {
        host: from,
        load: {
          commandsPerSecond: asks ? cost.commands * rate : 0,
          processesPerSecond: (asks ? cost.processes * rate : 0) + (stands ? standing : 0),
        },
      },
    ];
  });
}

function writerLoads(
  { kind, paths, clients, intervalMs, readIntervalMs }: PlannedWriter,
  kinds: Kinds,
): Part[] {
  return paths.map(({ host, params }) => {
    const rows = (clients * 1000) / intervalMs;
    const newConnections = kinds.writer(kind)?.newConnections(params ?? {}) ?? 0;
    return {
      host,
      load: {
        rowsPerSecond: rows,
        newConnectionsPerSecond: newConnections * (rows + 1000 / readIntervalMs),
      },
    };
  });
}

/** The load of one host, or of the whole stack. */
function sum(parts: readonly Part[], host: HostName | undefined): Load {
  const own = host === undefined ? parts : parts.filter((part) => part.host === host);
  const total = (figure: keyof Load): number =>
    // Rounded to six decimals: the last digits of a float sum depend on the order of its terms.
    Number(own.reduce((all, { load }) => all + (load[figure] ?? 0), 0).toFixed(6));
  return {
    samplesPerSecond: total('samplesPerSecond'),
    newConnectionsPerSecond: total('newConnectionsPerSecond'),
    commandsPerSecond: total('commandsPerSecond'),
    processesPerSecond: total('processesPerSecond'),
    rowsPerSecond: total('rowsPerSecond'),
  };
}
