// Every threshold that decides whether a machine was starved, and what that does to a verdict.

/** The control works this often, ms. */
export const controlEveryMs = 500;

/**
 * CPU time of one piece of the control's work, ms: several slices of a fair scheduler, so that a loaded machine interrupts
 * it. A request that takes 0.1 ms is served at once even at a CPU pressure of 100 %. With `controlEveryMs` it is 1.5 % of a
 * core.
 */
export const controlWorkMs = 7.5;

/**
 * The machine is starved from this dilation (wall time over CPU time of the control) on. Measured on 2 cores: 1.0 at rest,
 * up to 1.6 at a CPU pressure of 20 to 50 %, where drills pass; 3.8 at 80 to 90 %; 12 at 90 to 100 %, where drills fail that
 * pass elsewhere. The limit is the geometric mean of 1.6 and 3.8.
 */
export const dilationLimit = 2.5;

/**
 * The median of this many control samples is held against the limit, 2.5 s of them: one other process makes a single piece
 * of work take two or three times as long now and then.
 */
export const controlSamples = 5;

/**
 * One piece of work with this dilation says by itself that the machine stood still: it took 300 ms, a third of the default
 * time-out of a probe. A request that passes three processes (balancer, service, database) times out where each is held up so long.
 */
export const standstillDilation = 40;

/** Without a control sample for this long (four times `controlEveryMs`) the dilation is unknown, and the machine not known to be fit. */
export const controlSilenceMs = 2000;

/**
 * The most that the p90 of the recovery probe's healthy latency may be before the fault, as a share of its time-out. Measured:
 * 0.02 to 0.19 in 48 good drills, 0.71 to 0.81 in three whose failures were the machine's.
 */
export const slowBeforeFaultShare = 0.5;

/**
 * A check that fails while others (neither the target's hosts nor firedrill) took more than this share of the CPU of the
 * machine that carries both is inconclusive. Percent of all cores, mean from the fault to the check's decisive moment.
 */
export const othersLimitPct = 25;

/** A machine whose CPU pressure (PSI some) is at least this is shown as pressed; drills pass up to here. Percent. */
export const pressedPct = 50;

/** At least this is shown as starved: the dilation was 3.8 and more there. Percent. Shown only; it changes no verdict. */
export const starvedPct = 80;
