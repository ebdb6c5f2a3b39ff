/**
 * Milliseconds on CLOCK_MONOTONIC. On Linux all processes share this clock, so the true outages, the prober, and the peers use it.
 */
export function monoMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Resolves at this time of `monoMs`, or up to about 1 ms later. */
export async function untilMono(atMs: number): Promise<void> {
  for (let left = atMs - monoMs(); left > 0; left = atMs - monoMs())
    await new Promise((resolve) => setTimeout(resolve, Math.ceil(left)));
}

/** Resolves `ms` later. */
export async function pause(ms: number): Promise<void> {
  await untilMono(monoMs() + ms);
}
