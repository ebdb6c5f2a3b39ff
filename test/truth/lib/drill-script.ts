import type { Analysis } from '../../../src/analysis/summarize.ts';
import type { Judged } from './judged.ts';
import type { WriterKind } from '../../../src/core/writer.ts';
import type { Dice } from './dice.ts';
import type { FileContent } from './plan-text.ts';
import type { ProbedService, Stall } from './prober.ts';
import type { SimulatedTime } from './simulated-time.ts';
import type { CheckText, KnownRun } from './known-run.ts';

/** Something that happens so long after a fault's effect, or after the beginning of its heal, ms. */
export interface Step {
  readonly afterMs: number;
  readonly act: () => void;
}

/** One fault and what follows from it. */
export interface FaultScript {
  readonly id: string;
  /** From `fault.issued` to its effect, and from there to its acknowledgement, ms. */
  readonly actsAfterMs: number;
  readonly acknowledgedAfterMs: number;
  readonly effects: readonly Step[];
  /** Effects that have not happened yet when the heal begins do not happen. */
  readonly heals: readonly Step[];
  readonly healTakesMs: number;
}

/**
 * Which bounds have to hold the longest outage that no sample met: one gap between samples is as wide as they show. The RTO has
 * such an outage only where it begins within `stableFor` of the recovery; `not-rto`: it begins later.
 */
export type HoldsOneHidden = 'all' | 'not-rto';

/** What a case is made with. */
export interface Stage {
  readonly dice: Dice;
  readonly time: SimulatedTime;
  /** The stalls of the prober's thread; steps may add more. */
  readonly stalls: Stall[];
}

/** A drill to be simulated. Everything that happens follows from its seed. */
export interface DrillScript {
  readonly target: FileContent;
  /** Without checks: these follow from the truth. */
  readonly scenario: FileContent;
  /** What each probe instance probes. */
  readonly probed: (probeId: string) => Omit<ProbedService, 'probe'>;
  readonly faults: readonly FaultScript[];
  /** Steps from the run's start on. */
  readonly background?: readonly Step[];
  /** How long the run goes on after the last gate, ms. */
  readonly tailMs: number;
  /** An answer of the recovery probe that took longer was held up for all to see. */
  readonly lateMs: number;
  /** The checks of the scenario, with limits near the truth. */
  readonly checks: (known: KnownRun) => readonly CheckText[];
  /** Whether bounds have to hold the longest outage that no sample met, too. */
  readonly holdsOneHidden?: HoldsOneHidden;
  /** Whether it is up cannot be said of the service, so that its figures are not judged. */
  readonly isNotJudged?: true;
  /** What the target's writers write through. */
  readonly writerKind?: WriterKind<unknown>;
  /** Whether the log loses an event of a writer. */
  readonly losesLine?: () => boolean;
  /** Checks of the plan that the run goes by, where it needs some. */
  readonly someChecks?: readonly CheckText[];
  /** No drill, but a watch of this length, ms. */
  readonly watchMs?: number;
  /** The engine does not look at the steady state again before it acts, as older versions did not. */
  readonly actsUnseen?: true;
  /** Damages the log that the analysis reads; it has to say so, or to read it. */
  readonly damage?: (lines: readonly string[]) => readonly string[];
  /** What is true beyond the ups and downs of the probed services, a line each. */
  readonly truthWords?: () => readonly string[];
  /** Judges what only this kind of case has. */
  readonly judge?: (known: KnownRun, analysis: Analysis) => readonly Judged[];
}

/** Cases of one kind. */
export interface Family {
  readonly name: string;
  /** What its cases have in common. */
  readonly about: string;
  readonly script: (stage: Stage) => DrillScript;
}
