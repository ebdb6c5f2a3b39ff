import type { FaultId, HostName, ProbeId, ProbeName, RoleName } from './ids.ts';
import type { DurationMs } from './time.ts';

/**
 * A window: an outage of one probe, or an interval in which a condition held. The bounds contain the true
 * value. All times in ms.
 */
export interface Window {
  /**
   * `uncertain`: an uncertain outage, because all of its failed samples fell into times when the prober was
   * degraded, or samples are missing from the log.
   */
  readonly state: string;
  readonly startAt: string;
  /** null: still open at the end of the log. */
  readonly endAt: string | null;
  /**
   * Best estimate: the middle of the bounds. For an outage with a burst of late answers: up to the moment at
   * which they arrived together.
   */
  readonly ms: DurationMs;
  readonly minMs: DurationMs;
  readonly maxMs: DurationMs;
  readonly causes: Readonly<Record<string, number>>;
}

/** A duration: the best estimate and the bounds that contain the true value, ms. */
export interface Measure {
  readonly ms: DurationMs;
  readonly minMs: DurationMs;
  readonly maxMs: DurationMs;
}

/** Verdict of a drill or of a check. */
export type VerdictWord = 'pass' | 'fail' | 'inconclusive';

/** Result of one check, with the observed value and the limit in words. */
export interface CheckResult {
  readonly name: string;
  /** The check's kind: `rto`, `downtime`, `never`, ... */
  readonly kind: string;
  readonly status: VerdictWord;
  readonly observed: string;
  readonly limit: string;
  /** The judged duration; absent if the check is not about a duration, or its end was not observed. */
  readonly measured?: Measure;
  /** Limits of the duration, ms; absent for other checks, and in runs of older versions. */
  readonly limits?: { readonly minMs?: DurationMs; readonly maxMs?: DurationMs };
}

/** summary.json, for other programs. Fields are added, never renamed. */
export interface Summary {
  readonly schemaVersion: 2;
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
  /** The release under test (`--label`). */
  readonly label?: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly verdict: VerdictWord;
  /** Reasons of the verdict, one sentence each; empty for a pass without remarks. */
  readonly reasons: readonly string[];
  /** A guard rail refused the run; absent otherwise. */
  readonly refused?: true;
  /** False if any injected fault is not proven healed. */
  readonly healed: boolean;
  /** Remarks that do not change the verdict, one sentence each. */
  readonly notes: readonly string[];
  /**
   * Time to the recovery that held. null: no fault took effect, or no such recovery was observed. `first`:
   * time to the first sign of recovery, which may not have held.
   */
  readonly rto: (Measure & { readonly first: Measure | null }) | null;
  /**
   * By figure, as failure tables name them (`rto`, `first`, `downtime`, `redundancy`, `return`,
   * `heal-outage`): a lower bound, ms, because the figure's end was not observed. Absent if no figure has
   * one; a figure that was not measured at all is omitted.
   */
  readonly longerThan?: Readonly<Record<string, number>>;
  /** The run ended before its drill was over; absent otherwise, and in runs of older versions. */
  readonly cutShort?: true;
  /** Sum of the recovery probe's failed windows after the fault. */
  readonly downtime: (Measure & { readonly windows: number }) | null;
  /** From the fault's effect until full redundancy was restored. */
  readonly redundancyRestoredMs: DurationMs | null;
  /** The time to restored redundancy with its bounds. */
  readonly redundancy: Measure | null;
  /** The return: the effect of the heal on the service. null if nothing was healed during the run. */
  readonly heal: {
    readonly startedAt: string;
    /** From the beginning of the heal to restored redundancy; null if that was not observed. */
    readonly return: Measure | null;
    /**
     * The recovery probe's failed windows from the beginning of the heal on: the outage that the return
     * itself causes.
     */
    readonly outage: Measure & { readonly windows: number };
    readonly stages: readonly Stage[];
  } | null;
  /** The longest of all writers; null if there is no writer, or its rows could not be read back. */
  readonly rpo: Rpo | null;
  /** Outcome of the rows written during the drill, in the order of the target file. */
  readonly writers: readonly WriterSummary[];
  readonly roles: readonly {
    readonly role: RoleName;
    readonly before: HostName | null;
    readonly after: HostName | null;
  }[];
  /** Owners of each thing that exactly one host should own, in the order of the target file. */
  readonly ownership: readonly Ownership[];
  readonly faults: readonly {
    readonly id: FaultId;
    readonly kind: string;
    readonly on: string;
    readonly issuedAt: string;
    readonly ackedAt: string | null;
    readonly effectAt: string | null;
    readonly healedAt: string | null;
  }[];
  readonly prober: ProberSummary;
  /** Cost of firedrill itself; absent in runs of older versions. */
  readonly harness?: HarnessSummary;
  readonly probes: readonly ProbeSummary[];
  /**
   * Names of the target's probes that did not run, because the drill does not use them; absent if all ran.
   */
  readonly probesLeftOut?: readonly ProbeName[];
  readonly stages: readonly Stage[];
  readonly checks: readonly CheckResult[];
  /** Predictions of the models for the RTO and for the time to redundancy. Absent if there are none. */
  readonly predicted?: { readonly rto?: Predicted; readonly redundancy?: Predicted };
  /**
   * For `run --repeat`: RTO statistics of this drill and the earlier ones of the same scenario. On stdout
   * only: the run's own file has no figures of other runs.
   */
  readonly repeats?: Repeats;
  /** Duration of each phase of the run, ms. */
  readonly phases: readonly { readonly name: string; readonly ms: DurationMs }[];
}

/**
 * The measured recovery point: the length of the time whose acknowledged writes are missing, from the first
 * lost write to the last. 0 with `maxMs` 0: no write was lost.
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
  /** Clients of all paths. */
  readonly clients: number;
  /** Time between two writes of one path, ms: a shorter loss may stay unobserved. */
  readonly spacingMs: DurationMs;
  readonly written: number;
  readonly acked: number;
  readonly refused: number;
  readonly indeterminate: number;
  /** null: not read back. */
  readonly found: {
    /** Acknowledged and present. */
    readonly present: number;
    /** Acknowledged and missing. */
    readonly lost: number;
    /** Present more than once. */
    readonly duplicated: number;
    /** Phantom rows: present although refused or never sent. */
    readonly phantom: number;
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
    /** Reads that missed a row that was acknowledged before the read was sent and is present in the end. */
    readonly stale: number;
    /** Longest time for which such a row had been acknowledged, ms; null without any. */
    readonly behindMs: DurationMs | null;
    readonly staleFor: Measure;
    readonly windows: readonly StaleWindow[];
  };
  /**
   * When clients got no write or no read done, after the fault's effect (without one, in the whole run).
   * Absent in summaries of older versions.
   */
  readonly outages?: { readonly writes: OperationOutage; readonly reads: OperationOutage };
}

/**
 * Times in which clients got no operation done, judged as the samples of a probe are: an operation that was not
 * acknowledged is a failed sample.
 */
export interface OperationOutage {
  /** No client of any path got through. */
  readonly service: OperationDowntime;
  /** No client of the path got through. */
  readonly paths: readonly (OperationDowntime & { readonly path: string })[];
  /** The client with the most downtime; null without clients in the log. */
  readonly worstClient: (OperationDowntime & { readonly client: string }) | null;
  /**
   * From the fault's effect to the recovery that held, as the RTO: of the first client and of all. null: no
   * such recovery, or no fault took effect.
   */
  readonly recovered: { readonly first: Measure | null; readonly all: Measure | null };
  /** The outages of the service. */
  readonly windows: readonly (Window & { readonly fromMs: DurationMs })[];
}

/** Sum of outages, and the longest of them. The upper bounds include the longest outage that no operation shows. */
export interface OperationDowntime extends Measure {
  /** Outages that an operation shows. */
  readonly outages: number;
  readonly longest: Measure;
}

/**
 * Consecutive acknowledged writes through one path that were lost. `fromMs` counts from the fault's effect,
 * without one from the run's start.
 */
export interface RowLoss extends Measure {
  readonly path: string;
  readonly startAt: string;
  readonly endAt: string;
  readonly fromMs: DurationMs;
  readonly rows: number;
  /** How many of them each path's host held before the heal; only hosts that could be read. */
  readonly copies?: Readonly<Record<string, number>>;
}

/**
 * A time in which reads through one path were stale. `fromMs` counts from the fault's effect, without one
 * from the run's start.
 */
export interface StaleWindow extends Measure {
  readonly path: string;
  readonly startAt: string;
  /** null: still stale at the last read. */
  readonly endAt: string | null;
  readonly fromMs: DurationMs;
  readonly reads: number;
  readonly behindMs: DurationMs;
}

/** Owners of a thing over time, as observed from each side. */
export interface Ownership {
  readonly name: string;
  readonly sides: readonly OwnershipSide[];
}

/**
 * Owners of a thing over time, as observed from one side. All `...Ms` offsets count from the fault's effect
 * (negative before it), without one from the run's start.
 */
export interface OwnershipSide {
  readonly side: string;
  /** From the steady state before the fault to the end, without gaps. */
  readonly spans: readonly OwnershipStretch[];
  /** Times after the fault without an owner. */
  readonly none: readonly OwnershipWindow[];
  /** Times after the fault with two or more owners. */
  readonly multiple: readonly OwnershipWindow[];
  /**
   * Further time in which there may have been none, or multiple owners, between two samples. The upper bound
   * of checks on these times includes it once. Absent in summaries of older versions.
   */
  readonly unobservedMs?: { readonly none: DurationMs; readonly multiple: DurationMs };
}

/**
 * A time in which the observed owners did not change. The estimate of an edge is the middle of its bounds.
 */
export interface OwnershipStretch {
  readonly startAt: string;
  /** null: still so at the end of the log. */
  readonly endAt: string | null;
  readonly fromMs: DurationMs;
  readonly fromMinMs: DurationMs;
  readonly fromMaxMs: DurationMs;
  readonly toMs: DurationMs;
  readonly toMinMs: DurationMs;
  readonly toMaxMs: DurationMs;
  /** Certain owners. Empty with an empty `maybe`: no owner. Two or more: multiple owners. */
  readonly owners: readonly HostName[];
  /**
   * Hosts whose ownership is unknown: without an answer, without a recent sample, or with contradictory
   * consecutive samples.
   */
  readonly maybe: readonly HostName[];
}

/**
 * A time in which none or multiple hosts owned a thing. `maxMs` is from the earliest possible beginning to
 * the latest possible end.
 */
export interface OwnershipWindow extends Measure {
  readonly startAt: string;
  /** null: still so at the end of the log. */
  readonly endAt: string | null;
  readonly fromMs: DurationMs;
  /** False: it may have happened between two samples, but no sample proves it. */
  readonly certain: boolean;
}

/** Percentiles of durations, ms: within 1/256 of the true values; the maximum is exact. */
export interface Spread {
  readonly p50Ms: DurationMs;
  readonly p99Ms: DurationMs;
  readonly maxMs: DurationMs;
}

/** Results of one probe instance. */
export interface ProbeSummary {
  readonly id: ProbeId;
  readonly kind: string;
  readonly samples: number;
  readonly dropped: number;
  /** Slots without any event in the log; absent if there are none. */
  readonly lost?: number;
  readonly unknown: number;
  readonly failed: number;
  /** Send time minus due time. */
  readonly lateness: Spread;
  /** Finish minus send of the ok samples; null without any. */
  readonly latency: Spread | null;
  /**
   * Latency by send time: before the first fault was issued; from then until the service recovered (or the
   * wait ended); after that. null: no fault took effect.
   */
  readonly latencyAround: {
    readonly before: Spread | null;
    readonly during: Spread | null;
    readonly after: Spread | null;
  } | null;
  /**
   * Share of the run's time without an outage (`down`), with its bounds, 0 to 1; null: the probe has no
   * usable samples.
   */
  readonly availability: {
    readonly share: number;
    readonly minShare: number;
    readonly maxShare: number;
  } | null;
  readonly windows: readonly Window[];
}

/** Cost of firedrill itself, from the run's start until `ms` later. */
export interface HarnessSummary {
  readonly ms: DurationMs;
  /** CPU time of firedrill's process with all its threads, ms. */
  readonly cpuMs: DurationMs;
  /** CPU time of its ended child processes on its own machine, ms; null if the system does not report it. */
  readonly childCpuMs: DurationMs | null;
  readonly samples: number;
  readonly samplesPerSecond: number;
  readonly newConnections: number;
  /** Commands on hosts, by probes and faults. */
  readonly commands: number;
}

/** Health of the prober. */
export interface ProberSummary {
  /**
   * How late each thread's event loop ticks were: `network` runs the socket probes, `host` the command
   * probes. The p99 is the worst of all 5 s intervals.
   */
  readonly lanes: readonly {
    readonly lane: string;
    readonly loopP99Ms: DurationMs;
    readonly loopMaxMs: DurationMs;
  }[];
  /**
   * The control probe of version 0.1: an HTTP server on the prober's machine. null: there was none, as in
   * runs of other versions.
   */
  readonly controlProbe: {
    readonly samples: number;
    /** Samples without a good answer. */
    readonly failed: number;
    /** Good answers after more than `limitMs`. */
    readonly late: number;
    readonly limitMs: DurationMs;
    readonly intervalMs: DurationMs;
    /** Latency of the good answers; null without any. */
    readonly latency: Spread | null;
    /** Sum of the degraded times, ms. */
    readonly degradedMs: DurationMs;
    /**
     * Degraded times, from the last good sample before bad ones to the next good one. Failures in them do not
     * count as outages. `endAt` null: to the end.
     */
    readonly degraded: readonly {
      readonly startAt: string;
      readonly endAt: string | null;
      readonly ms: DurationMs;
    }[];
  } | null;
  /**
   * Work of a firedrill process on the prober's machine at ordinary priority, compared with its CPU time.
   * null: there was none, as in runs of older versions.
   */
  readonly control: {
    readonly samples: number;
    /** Wall time divided by CPU time; null without samples. */
    readonly dilation: { readonly p50: number; readonly p99: number; readonly max: number } | null;
    /** Sum of the starved times, ms. */
    readonly starvedMs: DurationMs;
    /** Times when the machine was starved of CPU, or the control reported nothing. */
    readonly starved: readonly {
      readonly startAt: string;
      readonly endAt: string;
      readonly ms: DurationMs;
    }[];
  } | null;
  /**
   * Machines of the prober and of the target's hosts; hosts with the same kernel are one machine. Empty in
   * runs of older versions.
   */
  readonly machines: readonly {
    /** The beginning of its boot id. */
    readonly machine: string;
    /** firedrill ran on it. */
    readonly prober: boolean;
    /** The target's hosts on it. */
    readonly hosts: readonly HostName[];
    /** CPU pressure (PSI some), percent of each second, before and after the first fault; null: not read. */
    readonly cpuSomePct: {
      readonly before: { readonly p50: number; readonly max: number } | null;
      readonly after: { readonly p50: number; readonly max: number } | null;
    };
    /** Tasks that were running or ready to run, at each reading. */
    readonly runQueue: {
      readonly before: { readonly p50: number; readonly max: number } | null;
      readonly after: { readonly p50: number; readonly max: number } | null;
    };
    /**
     * CPU that programs other than the target's hosts and firedrill used after the first fault, percent of
     * all cores; null: unknown.
     */
    readonly othersCpuPct: number | null;
  }[];
  /**
   * Steps of the wall clock relative to the run clock; durations do not include them. `suspend`: the machine
   * slept.
   */
  readonly clockSteps: readonly {
    readonly at: string;
    readonly byMs: DurationMs;
    readonly cause: 'step' | 'suspend';
  }[];
}

/** One stage of the recovery; the stages of a run sum to its RTO. */
export interface Stage extends Measure {
  /** `not attributed`: no stage of the plan accounts for it. */
  readonly name: string;
  readonly startAt: string;
  readonly endAt: string;
  /** Earlier stages whose end was not observed: if they happened, their time is included here. */
  readonly includes: readonly string[];
  /** Predicted duration of this stage and of those that it includes. */
  readonly predicted?: Predicted;
}

/** A predicted time, ms: bounds of all trials, and the 5 %, 50 %, and 95 % quantiles. */
export interface Predicted {
  readonly minMs: DurationMs;
  readonly p5Ms: DurationMs;
  readonly medianMs: DurationMs;
  readonly p95Ms: DurationMs;
  readonly maxMs: DurationMs;
  /**
   * Part of it is a measured time that follows from no setting; the bounds hold only as far as that
   * measurement does.
   */
  readonly measured?: true;
}

/**
 * Statistics of repeated drills, under the assumption that their fault moments are independent. A jitter over
 * the slowest detection period makes them independent. ms.
 */
export interface Repeats {
  readonly drills: number;
  /** Drills with a measured value: complete, or as a lower bound. */
  readonly count: number;
  /** Drills whose end was not observed, and the smallest lower bound of them; absent if there are none. */
  readonly unended?: { readonly count: number; readonly longerThanMs: DurationMs };
  /** Of the estimates; null: longer than the wait. */
  readonly minMs: DurationMs | null;
  readonly medianMs: DurationMs | null;
  readonly maxMs: DurationMs | null;
  /**
   * Contains the median with probability `coverage`, for any distribution; at least 0.95 with enough drills.
   * `highMs` null: unbounded.
   */
  readonly medianInterval: {
    readonly lowMs: DurationMs;
    readonly highMs: DurationMs | null;
    readonly coverage: number;
  };
  /**
   * The highest upper bound, and the share of all cases that are not worse than the worst drill, with this
   * confidence. `maxMs` null: unbounded.
   */
  readonly worst: { readonly maxMs: DurationMs | null; readonly share: number; readonly confidence: number };
  /** Prediction of the models; its `maxMs` is their worst case. */
  readonly predicted?: Predicted;
}
