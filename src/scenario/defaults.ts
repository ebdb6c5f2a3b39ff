/** Defaults that a scenario or target need not spell out. */
export const defaults = {
  intervalMs: 1000,
  /** Below the one-second SYN retransmission (RFC 6298), so that a black hole is seen in its own slot. */
  timeoutMs: 900,
  writer: { clients: 2, intervalMs: 100, timeoutMs: 2000, readIntervalMs: 500 },
  steadyForMs: 5000,
  steadyWithinMs: 120_000,
  redundancyForMs: 3000,
  redundancyWithinMs: 300_000,
  /** Longer than any drill of the reference stacks keeps a fault. */
  faultLimitMs: 1_800_000,
} as const;
