/** Longest time of a run, ms: three years. A larger number is damage, and would give invalid dates. */
export const maxOffsetMs = 1e11;
/** Latest wall time of a log, ms since the Unix epoch. With an offset added it is still a valid date. */
export const maxWallMs = 8e15;
/** Largest row number, and largest count of one row. No client writes that many rows. */
export const maxRowNumber = 1e12;
/**
 * The engine writes events as they happen. A line whose time is more than this before an earlier
 * line's is misplaced, ms.
 */
export const maxBackwardsMs = 1000;
