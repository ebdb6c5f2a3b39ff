import type { Analysis } from '../../../src/analysis/summarize.ts';
import type { Judged } from './judged.ts';
import type { WriterKind } from '../../../src/core/writer.ts';
import type { Dice } from './dice.ts';
import type { FileContent } from './plan-text.ts';
import type { ProbedService, Stall } from './prober.ts';
import type { SimulatedTime } from './simulated-time.ts';
import type { CheckText, KnownRun } from './known-run.ts';

/** An action `afterMs` after a fault's effect, or after the start of its heal. */
export interface Step {
  readonly afterMs: number;
  readonly act: () => void;
}

/** One fault and its consequences. */
export interface FaultScript {
  readonly id: string;
  /** From `fault.issued` to its effect, and from there to its acknowledgement, ms. */
  readonly actsAfterMs: number;
  readonly acknowledgedAfterMs: number;
  readonly effects: readonly Step[];
  /** Steps of the heal. Effects after the start of the heal do not happen. */
  readonly heals: readonly Step[];
  readonly healTakesMs: number;
}

/**
 * Which bounds must contain the longest outage that no sample met, which fits in the gap between two samples. The RTO includes
 * such an outage only if it begins within `stableFor` of the recovery; `not-rto`: it begins later.
 */
export type HoldsOneHidden = 'all' | 'not-rto';

/** The tools to build a case. */
export interface Stage {
  readonly dice: Dice;
  readonly time: SimulatedTime;
  /** The stalls of the prober's thread; steps may add more. */
  readonly stalls: Stall[];
}

/** A drill to simulate. Everything in it follows from its seed. */
export interface DrillScript {
  readonly target: FileContent;
  /** The scenario without checks, which are derived from the truth. */
  readonly scenario: FileContent;
  /** The service of each probe instance. */
  readonly probed: (probeId: string) => Omit<ProbedService, 'probe'>;
  readonly faults: readonly FaultScript[];
  /** Steps, with times from the start of the run. */
  readonly background?: readonly Step[];
  /** Duration of the run after the last gate, ms. */
  readonly tailMs: number;
  /** A longer answer of the recovery probe is certainly held, ms. */
  readonly lateMs: number;
  /** The checks of the scenario, with limits near the truth. */
  readonly checks: (known: KnownRun) => readonly CheckText[];
  /** Which bounds must also contain the longest outage that no sample met. */
  readonly holdsOneHidden?: HoldsOneHidden;
  /** The service is not clearly up or down, so its figures are not judged. */
  readonly isNotJudged?: true;
  /** Kind of the target's writers. */
  readonly writerKind?: WriterKind<unknown>;
  /** Whether the log loses an event of a writer. */
  readonly losesLine?: () => boolean;
  /** Checks in the plan during the run, if the run needs some. */
  readonly someChecks?: readonly CheckText[];
  /** A watch of this duration instead of a drill, ms. */
  readonly watchMs?: number;
  /** The engine does not check the steady state again before the fault, like older versions. */
  readonly actsUnobserved?: true;
  /** Damages the log before the analysis, which must read it or refuse it with a message. */
  readonly damage?: (lines: readonly string[]) => readonly string[];
  /** Additional truth about the case, one line each. */
  readonly truthText?: () => readonly string[];
  /** Judges the figures of this kind of case. */
  readonly judge?: (known: KnownRun, analysis: Analysis) => readonly Judged[];
}

/** Cases of one kind. */
export interface Family {
  readonly name: string;
  /** Description of its cases. */
  readonly about: string;
  readonly script: (stage: Stage) => DrillScript;
}
