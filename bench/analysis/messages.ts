/** Time and memory of an analysis. The process prints it as JSON in its last line. */
export interface AnalysisUsage {
  readonly samples: number;
  readonly readMs: number;
  /** Time for the windows of all probes, without reading the log, ms. */
  readonly windowsMs: number;
  readonly windows: number;
  readonly maxRssBytes: number;
}
