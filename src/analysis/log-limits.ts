/** Beyond this no run goes on, ms: three years. A number above it is damage, and would make dates that there are none of. */
export const maxOffsetMs = 1e11;
/** The latest wall time of a log, ms since the Unix epoch: with an offset it is still a date. */
export const maxWallMs = 8e15;
/** A row's number, and how often it is there: no client writes as many. */
export const maxRowNumber = 1e12;
/** The engine writes events as they happen. A line whose time is so much before that of a line above it is not in its place, ms. */
export const maxBackwardsMs = 1000;
