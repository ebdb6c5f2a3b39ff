/** What the measuring process is given. */
export interface ObserverInput {
  /** Servers in processes of their own. */
  readonly httpPort: number;
  readonly csvPort: number;
  readonly dnsAddress: string;
  readonly linePort: number;
  /** A folder that the user of PostgreSQL may enter. */
  readonly folder: string;
  /** Samples of each series. */
  readonly samples: number;
}

/** What one sample of a series cost. */
export interface SampleCostRow {
  /** The kind of probe, also of a tool that asks the same. */
  readonly kind: string;
  readonly what: string;
  /** True of another tool. */
  readonly peer: boolean;
  /** CPU time on the prober's machine, ms: of its process, and of commands that it started there. */
  readonly proberCpuMs: number;
  /** CPU time on the host that was asked, ms: of its server, or of commands there; null where it was not measured. */
  readonly hostCpuMs: number | null;
  /** Processes and threads that were started, anywhere. */
  readonly processes: number;
}

/** A kind of probe, or a tool beside it, that was not measured. */
export interface NotMeasured {
  readonly kind: string;
  readonly why: string;
}

/** What came of it. */
export interface ObserverResult {
  /** Samples of each row. */
  readonly samples: number;
  readonly rows: readonly SampleCostRow[];
  readonly absent: readonly NotMeasured[];
  /** Whether only what the measurement itself started was counted. */
  readonly countedAlone: boolean;
  /** Version of the PostgreSQL server that was asked; null without one. */
  readonly postgres: string | null;
}
