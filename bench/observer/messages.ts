/** What the measuring process is given. */
export interface ObserverInput {
  /** Servers in processes of their own. */
  readonly httpPort: number;
  readonly csvPort: number;
  readonly dnsAddress: string;
  /** A folder that the user of PostgreSQL may enter. */
  readonly folder: string;
  /** Samples of each series. */
  readonly samples: number;
}

/** What one sample of a series cost. */
export interface SampleCostRow {
  /** What is compared: `http`, `sql`, and so on. */
  readonly group: string;
  readonly what: string;
  /** Another tool, or firedrill. */
  readonly peer: boolean;
  readonly samples: number;
  /** CPU of the prober's process and of the commands that it started, ms. */
  readonly proberCpuMs: number;
  /** CPU of the server that was asked, ms; null where it was not measured. */
  readonly serverCpuMs: number | null;
  /** Processes and threads that were started, anywhere. */
  readonly processes: number;
}

/** What came of it. */
export interface ObserverResult {
  readonly rows: readonly SampleCostRow[];
  /** What was not measured, and why. */
  readonly absent: readonly string[];
  /** Whether only what the measurement itself started was counted. */
  readonly countedAlone: boolean;
}
