/** Defaults of optional fields of scenarios and targets. */
export const defaults = {
  intervalMs: 1000,
  /** Below the SYN retransmission after 1 s (RFC 6298), so that a black hole fails the sample of its own slot. */
  timeoutMs: 900,
  writer: { clients: 2, intervalMs: 100, timeoutMs: 2000, readIntervalMs: 500 },
  steadyForMs: 5000,
  steadyWithinMs: 120_000,
  redundancyForMs: 3000,
  redundancyWithinMs: 300_000,
  /** Longer than any fault in the drills of the reference stacks. */
  faultLimitMs: 1_800_000,
} as const;
