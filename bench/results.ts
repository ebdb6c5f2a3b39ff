import type { Conditions } from './conditions.ts';
import type { AnalysisResult } from './parts/analysis.ts';
import type { RateResult } from './parts/capacity.ts';
import type { HostileResult } from './parts/hostile.ts';
import type { IsolationResult } from './parts/isolation.ts';
import type { LightResult } from './parts/light.ts';
import type { NightsResult } from './parts/nights.ts';
import type { OperationsResult } from './parts/operations.ts';
import type { OverloadLevel } from './parts/overload.ts';
import type { RtoTrial } from './parts/rto.ts';
import type { SoakResult } from './parts/soak.ts';
import type { WindowsResult } from './parts/windows.ts';

/** Raw results by part. */
export interface PartResults {
  readonly windows: WindowsResult;
  readonly operations: OperationsResult;
  readonly rto: readonly RtoTrial[];
  readonly light: LightResult;
  readonly capacity: readonly RateResult[];
  readonly isolation: IsolationResult;
  readonly hostile: HostileResult;
  readonly overload: readonly OverloadLevel[];
  readonly analysis: AnalysisResult;
  readonly soak: SoakResult;
  readonly nights: NightsResult;
}

/** One run of a part. */
export interface PartRun<R> {
  readonly conditions: Conditions;
  readonly seed: number;
  readonly result: R;
}

/** results.json: parts may come from different runs, each with its conditions. */
export type Results = { readonly [P in keyof PartResults]?: PartRun<PartResults[P]> };
