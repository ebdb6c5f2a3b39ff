// The public API. What is not exported here is not public: `exports` in package.json names this file only. Its types are
// in docs/reference/api.d.ts.txt.
export * from './extension/extension-api.ts';
export { drill } from './api/drill.ts';
export type { DrillOptions, DrillResult, LoggedEvent } from './api/drill.ts';
export type { PlanOptions } from './api/options.ts';
export { plan } from './api/plan.ts';
export type { PlannedDrill } from './api/plan.ts';
export { report } from './api/report.ts';
export type { ReportOptions } from './api/report.ts';
export type { Place } from './core/errors.ts';
export type {
  CheckResult,
  Measure,
  ProbeSummary,
  Rpo,
  Stage,
  Summary,
  VerdictWord,
  Window,
} from './core/summary.ts';
