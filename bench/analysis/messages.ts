/** How long the analysis of a log took; the last line of its process's output, as JSON. */
export interface AnalysisUsage {
  readonly samples: number;
  readonly readMs: number;
  /** Windows of every probe, from the log that was read. */
  readonly windowsMs: number;
  readonly windows: number;
  readonly maxRssBytes: number;
}
