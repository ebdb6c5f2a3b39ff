/** An outage of one probe, or an interval in which a condition held: bounds contain the truth. All ms. */
export interface Window {
  /** `unsure`: an outage, if there was any: all samples that failed did so while the prober was degraded, or samples are lost from the log. */
  readonly state: string;
  readonly startAt: string;
  /** null: still open when the log ends. */
  readonly endAt: string | null;
  /** Best estimate: the middle of the bounds, or, of an outage, up to the moment at which late answers came together. */
  readonly ms: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly causes: Readonly<Record<string, number>>;
}

/** A duration: the best estimate and the bounds that contain the truth, ms. */
export interface Measure {
  readonly ms: number;
  readonly minMs: number;
  readonly maxMs: number;
}

/** A verdict and its parts; see product terms in README. */
export type VerdictWord = 'pass' | 'fail' | 'inconclusive';

/** The outcome of one check, with observed value and limit in words. */
export interface CheckResult {
  readonly name: string;
  /** The check's kind: `rto`, `downtime`, `never`, ... */
  readonly kind: string;
  readonly status: VerdictWord;
  readonly observed: string;
  readonly limit: string;
  /** The duration that was judged, where it is one and was seen to its end. */
  readonly measured?: Measure;
  /** What a duration may be, ms; absent for checks on something else, and in runs of older versions. */
  readonly limits?: { readonly minMs?: number; readonly maxMs?: number };
}

/** summary.json: what other programs read. Fields are added, never renamed. */
export interface Summary {
  readonly schemaVersion: 1;
  readonly runId: string;
  readonly scenario: {
    readonly name: string;
    readonly title: string;
    readonly path: string;
    readonly sha256: string;
    /** The values of the scenario's variables in this drill. */
    readonly variables: Readonly<Record<string, string | number | boolean>>;
  };
  readonly target: string;
  /** The release that was drilled, as `--label` names it. */
  readonly label?: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly verdict: VerdictWord;
  /** Why the verdict is what it is, one sentence each; empty for a plain pass. */
  readonly reasons: readonly string[];
  /** A guard rail cut the run short; left out otherwise. */
  readonly refused?: true;
  /** False when any injected fault is not proven healed. */
  readonly healed: boolean;
  /** Things to know that do not change the verdict, one sentence each. */
  readonly notes: readonly string[];
  /**
   * To the recovery that held. null: no fault took effect, or no such recovery was
   * seen. `first` is to the first sign of recovery, which may not have held.
   */
  readonly rto: (Measure & { readonly first: Measure | null }) | null;
  /**
   * By figure, as failure tables name them (`rto`, `first`, `downtime`, `redundancy`, `return`, `heal-outage`): what it was longer
   * than, ms, because its end was not seen. Absent where none is; without a figure that was not measured at all.
   */
  readonly longerThan?: Readonly<Record<string, number>>;
  /** The run was ended before its drill was over; absent otherwise, and in runs of older versions. */
  readonly cutShort?: true;
  /** Sum of the recovery probe's bad windows after the fault. */
  readonly downtime: (Measure & { readonly windows: number }) | null;
  /** From the fault's effect until full redundancy held again. */
  readonly redundancyRestoredMs: number | null;
  /** The same with its bounds. */
  readonly redundancy: Measure | null;
  /** The return: what the heal did to the service. null when nothing was healed while the run watched. */
  readonly heal: {
    readonly startedAt: string;
    /** From the beginning of the heal to restored redundancy; null when that was not seen. */
    readonly return: Measure | null;
    /** The recovery probe's bad windows from the beginning of the heal on: the outage that the return itself costs. */
    readonly outage: Measure & { readonly windows: number };
    readonly stages: readonly Stage[];
  } | null;
  /** Over all writers, as long as the longest; null where nobody wrote, or what was written could not be read back. */
  readonly rpo: Rpo | null;
  /** What became of the rows that were written while the drill ran, in the order of the target file. */
  readonly writers: readonly WriterSummary[];
  readonly roles: readonly {
    readonly role: string;
    readonly before: string | null;
    readonly after: string | null;
  }[];
  /** Who owned what exactly one host should own, in the order of the target file. */
  readonly ownership: readonly Ownership[];
  readonly faults: readonly {
    readonly id: string;
    readonly kind: string;
    readonly on: string;
    readonly issuedAt: string;
    readonly ackedAt: string | null;
    readonly effectAt: string | null;
    readonly healedAt: string | null;
  }[];
  readonly prober: ProberSummary;
  /** What firedrill itself cost; absent in runs of older versions. */
  readonly harness?: HarnessSummary;
  readonly probes: readonly ProbeSummary[];
  /** Names of the target's probes that did not run, as nothing in the drill uses them; absent where all ran. */
  readonly probesLeftOut?: readonly string[];
  readonly stages: readonly Stage[];
  readonly checks: readonly CheckResult[];
  /** What the models say of the whole: the RTO, the time to redundancy. Absent where they say nothing. */
  readonly predicted?: { readonly rto?: Predicted; readonly redundancy?: Predicted };
  /** Of `run --repeat`: the RTO of this drill and of those of the same scenario before it. On stdout only: a run's own file knows nothing of the others. */
  readonly repeats?: Repeats;
  /** How long each phase of the run took, ms. */
  readonly phases: readonly { readonly name: string; readonly ms: number }[];
}

/**
 * The recovery point, as it was found: how long the time was whose acknowledged writes are missing afterwards, from
 * the first that is lost to the last. 0 with `maxMs` 0: none is.
 */
export interface Rpo extends Measure {
  readonly acked: number;
  readonly lost: number;
  readonly duplicated: number;
}

/** The rows of one writer. */
export interface WriterSummary {
  readonly id: string;
  readonly kind: string;
  readonly paths: readonly string[];
  /** Of all paths. */
  readonly clients: number;
  /** Between two writes of one path: a shorter loss may not be seen. */
  readonly spacingMs: number;
  readonly written: number;
  readonly acked: number;
  readonly refused: number;
  readonly indeterminate: number;
  /** null: not read back. */
  readonly found: {
    /** Acknowledged and there. */
    readonly present: number;
    /** Acknowledged and not there. */
    readonly lost: number;
    /** There more than once. */
    readonly duplicated: number;
    /** There though refused, or though never written. */
    readonly unasked: number;
    readonly indeterminatePresent: number;
    readonly indeterminateAbsent: number;
  } | null;
  /** null: not read back. */
  readonly rpo: Measure | null;
  /** Times whose acknowledged writes through one path were lost. */
  readonly losses: readonly RowLoss[];
  readonly reads: {
    readonly count: number;
    readonly failed: number;
    /** Missed a row that had been acknowledged before the read was sent, and that was there in the end. */
    readonly stale: number;
    /** The longest time that such a row had been acknowledged for; null without any. */
    readonly behindMs: number | null;
    readonly staleFor: Measure;
    readonly windows: readonly StaleWindow[];
  };
}

/** Acknowledged writes through one path that were lost one after another. `fromMs` is from the fault's effect, without one from the run's start. */
export interface RowLoss extends Measure {
  readonly path: string;
  readonly startAt: string;
  readonly endAt: string;
  readonly fromMs: number;
  readonly rows: number;
  /** How many of them the paths' hosts held before anything was healed; only those that could be read. */
  readonly copies?: Readonly<Record<string, number>>;
}

/** A time in which reads through one path were stale. `fromMs` is from the fault's effect, without one from the run's start. */
export interface StaleWindow extends Measure {
  readonly path: string;
  readonly startAt: string;
  /** null: still so when the reading ended. */
  readonly endAt: string | null;
  readonly fromMs: number;
  readonly reads: number;
  readonly behindMs: number;
}

/** Who owned a thing when, seen from each side. */
export interface Ownership {
  readonly name: string;
  readonly sides: readonly OwnershipSide[];
}

/**
 * Who owned a thing when, seen from one side. All `...Ms` offsets are from the
 * fault's effect (negative before it), without one from the run's start.
 */
export interface OwnershipSide {
  readonly side: string;
  /** From the steady state before the fault to the end; they touch. */
  readonly spans: readonly OwnershipStretch[];
  /** Times after the fault without an owner. */
  readonly nobody: readonly OwnershipWindow[];
  /** Times after the fault with two owners or more. */
  readonly several: readonly OwnershipWindow[];
  /**
   * For how long more there may have been none, or several, between two samples. It is in the upper bound of checks on these
   * times once. Absent in summaries of older versions.
   */
  readonly unseenMs?: { readonly nobody: number; readonly several: number };
}

/** A time in which the owners did not change, as far as was seen. The estimate of an edge is the middle of its bounds. */
export interface OwnershipStretch {
  readonly startAt: string;
  /** null: still so when the log ends. */
  readonly endAt: string | null;
  readonly fromMs: number;
  readonly fromMinMs: number;
  readonly fromMaxMs: number;
  readonly toMs: number;
  readonly toMinMs: number;
  readonly toMaxMs: number;
  /** Surely. None here and in `maybe`: nobody. Two or more: several owners. */
  readonly owners: readonly string[];
  /** Hosts of which it is not known: without an answer, not asked for too long, or with looks that disagreed one after another. */
  readonly maybe: readonly string[];
}

/** A time in which nobody, or several, owned a thing; `maxMs` is from the earliest possible beginning to the latest possible end. */
export interface OwnershipWindow extends Measure {
  readonly startAt: string;
  /** null: still so when the log ends. */
  readonly endAt: string | null;
  readonly fromMs: number;
  /** False: it may have been so between two looks, but none proves it. */
  readonly certain: boolean;
}

/** Percentiles of durations, ms: within 1/256 of the true ones, the maximum exact. */
export interface Spread {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** What one probe instance saw. */
export interface ProbeSummary {
  readonly id: string;
  readonly kind: string;
  readonly samples: number;
  readonly dropped: number;
  /** Slots of which the log says nothing; absent without any. */
  readonly lost?: number;
  readonly unknown: number;
  readonly failed: number;
  /** Send time minus due time. */
  readonly lateness: Spread;
  /** Finish minus send of the ok samples; null without any. */
  readonly latency: Spread | null;
  /**
   * The same by when they were sent: before the first fault was issued, from then until
   * the service had recovered (or was waited for no longer), after that. null: no fault took effect.
   */
  readonly latencyAround: {
    readonly before: Spread | null;
    readonly during: Spread | null;
    readonly after: Spread | null;
  } | null;
  /** The share of the run's time without an outage (`down`), with its bounds, 0 to 1; null: the probe gave no evidence. */
  readonly availability: {
    readonly share: number;
    readonly minShare: number;
    readonly maxShare: number;
  } | null;
  readonly windows: readonly Window[];
}

/** What firedrill itself cost, from the run's start until `ms` later. */
export interface HarnessSummary {
  readonly ms: number;
  /** CPU time of firedrill's process with all its threads. */
  readonly cpuMs: number;
  /** CPU time of processes that it started on its own machine and that have ended; null where the system did not say. */
  readonly childCpuMs: number | null;
  readonly samples: number;
  readonly samplesPerSecond: number;
  readonly newConnections: number;
  /** Commands on hosts, of probes and faults. */
  readonly commands: number;
}

/** Whether what looked was fit to look. */
export interface ProberSummary {
  /** How late ticks of each thread's event loop came: `network` has the probes on sockets, `host` those that run commands. The p99 is the worst of 5 s. */
  readonly lanes: readonly {
    readonly lane: string;
    readonly loopP99Ms: number;
    readonly loopMaxMs: number;
  }[];
  /** The control of version 0.1: a small HTTP server on the prober's machine, probed. null: there was none, as in runs of other versions. */
  readonly canary: {
    readonly looks: number;
    /** Without a good answer. */
    readonly failed: number;
    /** Answered well, but after more than `limitMs`. */
    readonly late: number;
    readonly limitMs: number;
    readonly intervalMs: number;
    /** Of the good answers; null without any. */
    readonly latency: Spread | null;
    /** All degraded times together. */
    readonly sickMs: number;
    /** From the last good look before bad ones to the next good one: what failed then is not known to be down. `endAt` null: to the end. */
    readonly sick: readonly {
      readonly startAt: string;
      readonly endAt: string | null;
      readonly ms: number;
    }[];
  } | null;
  /** Work of firedrill on the prober's machine at ordinary priority: how much longer it took than its CPU time. null: there was none, as in runs of older versions. */
  readonly control: {
    readonly samples: number;
    /** Wall time divided by CPU time; null without samples. */
    readonly dilation: { readonly p50: number; readonly p99: number; readonly max: number } | null;
    /** All starved times together. */
    readonly starvedMs: number;
    /** When the machine was starved of CPU, or the control reported nothing. */
    readonly starved: readonly {
      readonly startAt: string;
      readonly endAt: string;
      readonly ms: number;
    }[];
  } | null;
  /** The machines of the prober and of the target's hosts; hosts that share a kernel are on one. Empty in runs of older versions. */
  readonly machines: readonly {
    /** The beginning of its boot id. */
    readonly machine: string;
    /** firedrill ran on it. */
    readonly prober: boolean;
    /** The target's hosts on it. */
    readonly hosts: readonly string[];
    /** CPU pressure (PSI some), percent of each second, before the first fault and after it; null: not read. */
    readonly cpuSomePct: {
      readonly before: { readonly p50: number; readonly max: number } | null;
      readonly after: { readonly p50: number; readonly max: number } | null;
    };
    /** Tasks that ran or could run, at each reading. */
    readonly runQueue: {
      readonly before: { readonly p50: number; readonly max: number } | null;
      readonly after: { readonly p50: number; readonly max: number } | null;
    };
    /** CPU that neither the target's hosts nor firedrill took after the first fault, percent of all cores; null: not known. */
    readonly othersCpuPct: number | null;
  }[];
  /** Movements of the wall clock against the run clock: no duration has them in it. `suspend`: the machine slept. */
  readonly clockSteps: readonly {
    readonly at: string;
    readonly byMs: number;
    readonly cause: 'step' | 'suspend';
  }[];
}

/** One stage of the recovery; the stages of a run sum to its RTO. */
export interface Stage extends Measure {
  /** `not attributed`: no stage of the plan accounts for it. */
  readonly name: string;
  readonly startAt: string;
  readonly endAt: string;
  /** Stages before this one that were not seen to end: if they happened, their time is in here. */
  readonly includes: readonly string[];
  /** What the settings say it should take, with the stages that it includes. */
  readonly predicted?: Predicted;
}

/** A time as models predict it: bounds of all trials, and where 5 %, half and 95 % of them lie. ms. */
export interface Predicted {
  readonly minMs: number;
  readonly p5Ms: number;
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly maxMs: number;
  /** Some of it follows from no setting: it was measured before, and the bounds hold as far as that does. */
  readonly measured?: true;
}

/**
 * What repeats of one drill came to, as if its moments were drawn independently; those of a fault with a
 * jitter over the slowest detection period are. ms.
 */
export interface Repeats {
  readonly drills: number;
  /** Drills that measured it, to its end or as longer than they waited. */
  readonly count: number;
  /** Drills of these whose end was not seen, and what the shortest of them was longer than; absent where there is none. */
  readonly unended?: { readonly count: number; readonly longerThanMs: number };
  /** Of the estimates; null: longer than was waited. */
  readonly minMs: number | null;
  readonly medianMs: number | null;
  readonly maxMs: number | null;
  /** Holds the median with this probability, whatever the distribution; 0.95 at least where there are enough drills. `highMs` null: nothing bounds it. */
  readonly medianInterval: {
    readonly lowMs: number;
    readonly highMs: number | null;
    readonly coverage: number;
  };
  /** The highest upper bound, and the share of all cases that are not worse than the worst drill, with this confidence. `maxMs` null: nothing bounds it. */
  readonly worst: { readonly maxMs: number | null; readonly share: number; readonly confidence: number };
  /** What the models say; its `maxMs` is their worst case. */
  readonly predicted?: Predicted;
}
