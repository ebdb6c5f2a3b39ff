// All thresholds that decide whether a machine was starved, and how that affects a verdict.

/** Interval of the control's work, ms. */
export const controlEveryMs = 500;

/**
 * CPU time of one piece of the control's work, ms. It covers several slices of a fair scheduler, so a loaded
 * machine interrupts it. A request that takes 0.1 ms is served at once even at a CPU pressure of 100 %. At an
 * interval of `controlEveryMs` it uses 1.5 % of a core.
 */
export const controlWorkMs = 7.5;

/**
 * Dilation (wall time over CPU time of the control) above which the machine is starved. Measured on 2 cores:
 * 1.0 at rest; up to 1.6 at a CPU pressure of 20 to 50 %, where drills pass; 3.8 at 80 to 90 %; 12 at 90 to
 * 100 %, where drills fail that pass elsewhere. The limit is the geometric mean of 1.6 and 3.8.
 */
export const dilationLimit = 2.5;

/**
 * Number of control samples (2.5 s) whose median is compared with the limit. One other process can make a
 * single piece of work take two or three times as long.
 */
export const controlSamples = 5;

/**
 * Dilation of a single piece of work that shows a standstill by itself: it took 300 ms, a third of the
 * default timeout of a probe. A request that passes three processes (load balancer, service, database) times
 * out if each is delayed this long.
 */
export const standstillDilation = 40;

/**
 * Without a control sample for this long (four times `controlEveryMs`), the dilation is unknown, and the
 * machine counts as starved, ms.
 */
export const controlSilenceMs = 2000;

/**
 * Highest p90 of the recovery probe's latency before the fault, as a share of its timeout. Measured: 0.02 to
 * 0.19 in 48 good drills, 0.71 to 0.81 in three drills whose failures the machine caused.
 */
export const slowBeforeFaultShare = 0.5;

/**
 * A failed check is inconclusive if other programs (neither the target's hosts nor firedrill) used more than
 * this share of the CPU of the machine that runs both. Percent of all cores, mean from the fault to the
 * check's decisive moment.
 */
export const othersLimitPct = 25;

/**
 * CPU pressure (PSI some) from which a machine is shown as pressed, percent; drills pass up to this value.
 */
export const pressedPct = 50;

/**
 * CPU pressure from which a machine is shown as starved, percent: the dilation was 3.8 or more there. It
 * changes no verdict.
 */
export const starvedPct = 80;
