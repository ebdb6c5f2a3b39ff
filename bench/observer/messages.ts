/** Input of the measuring process. */
export interface ObserverInput {
  /** Servers in other processes. */
  readonly httpPort: number;
  readonly csvPort: number;
  readonly dnsAddress: string;
  readonly linePort: number;
  /** A folder that the user of PostgreSQL may enter. */
  readonly folder: string;
  /** Samples of each series. */
  readonly samples: number;
}

/** The cost of one sample of a series. */
export interface SampleCostRow {
  /** The probe kind, also for a tool that does the same. */
  readonly kind: string;
  readonly what: string;
  /** True for another tool. */
  readonly peer: boolean;
  /** CPU time on the prober's machine, ms: of its process, and of its commands there. */
  readonly proberCpuMs: number;
  /** CPU time on the probed host, ms: of its server, or of commands there; null if it was not measured. */
  readonly hostCpuMs: number | null;
  /** Processes and threads that were started, on both sides. */
  readonly processes: number;
}

/** A probe kind or another tool that was not measured. */
export interface NotMeasured {
  readonly kind: string;
  readonly why: string;
}

/** Result of the measuring process. */
export interface ObserverResult {
  /** Samples of each row. */
  readonly samples: number;
  readonly rows: readonly SampleCostRow[];
  readonly absent: readonly NotMeasured[];
  /** Whether only processes of the measurement were counted. */
  readonly countedAlone: boolean;
  /** Version of the probed PostgreSQL server; null without one. */
  readonly postgres: string | null;
}
