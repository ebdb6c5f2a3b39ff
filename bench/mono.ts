/**
 * Milliseconds on CLOCK_MONOTONIC, which on Linux is one clock for all processes: truth, measurement and peers are
 * stamped with it.
 */
export function monoMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Resolves at that moment of `monoMs`, or up to about a millisecond later. */
export async function untilMono(atMs: number): Promise<void> {
  for (let left = atMs - monoMs(); left > 0; left = atMs - monoMs())
    await new Promise((resolve) => setTimeout(resolve, Math.ceil(left)));
}

/** Resolves `ms` later. */
export async function pause(ms: number): Promise<void> {
  await untilMono(monoMs() + ms);
}
