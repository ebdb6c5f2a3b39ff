import type { Finding } from '../core/finding.ts';
import type { Host } from '../core/host.ts';
import type { HostName } from '../core/ids.ts';
import { type DurationMs, later, wallMs, type WallMs } from '../core/time.ts';

/** How far a host's wall clock is ahead of this machine's, in ms. The true offset lies between the bounds. */
export interface ClockOffset {
  readonly minMs: DurationMs;
  readonly maxMs: DurationMs;
}

/** This machine's clocks, for the measurement. */
export interface Clocks {
  wallMs(): WallMs;
}

/** The host is asked this often: the quickest answer gives the tightest bounds. */
const rounds = 5;
const askTimeoutMs = 10_000;

/** The same limit as for steps of the prober's own clock (`clock.stepped`). */
const tolerableMs = 100;

/**
 * Measures a host's wall clock against this machine's. The host reads its clock between the question and the answer, so the
 * offset lies between the two differences. Each round gives bounds that hold, so their intersection also holds.
 * Undefined if the host's `date` prints no time in seconds.
 * @throws DrillError `host-unreachable`
 */
export async function measureClock(
  host: Host,
  clocks: Clocks,
  signal: AbortSignal,
): Promise<ClockOffset | undefined> {
  let offset: ClockOffset | undefined;
  for (let round = 0; round < rounds; round += 1) {
    const askedMs = clocks.wallMs();
    const { stdout } = await host.exec(['date', '+%s.%N'], { timeoutMs: askTimeoutMs, signal });
    const answeredMs = clocks.wallMs();
    const said = readDate(stdout);
    if (said === undefined) return undefined;
    const minMs = said.fromMs - answeredMs;
    const maxMs = said.toMs - askedMs;
    offset =
      offset === undefined
        ? { minMs, maxMs }
        : { minMs: Math.max(offset.minMs, minMs), maxMs: Math.min(offset.maxMs, maxMs) };
  }
  return offset;
}

/** `1700000000.123456789`; a `date` without %N (busybox, macOS) prints whole seconds. */
function readDate(text: string): { readonly fromMs: WallMs; readonly toMs: WallMs } | undefined {
  const [, seconds, fraction = ''] = /^(\d+)\.?(.*)$/.exec(text.trim()) ?? [];
  if (seconds === undefined) return undefined;
  const fromMs = wallMs(Number(seconds) * 1000);
  if (!/^\d{9}$/.test(fraction)) return { fromMs, toMs: later(fromMs, 1000) };
  const ms = later(fromMs, Number(fraction) / 1e6);
  return { fromMs: ms, toMs: ms };
}

/** Judges the offset. It shifts marks of the host's logs, which carry the host's clock. */
export function judgeClock(host: HostName, offset: ClockOffset | undefined): Finding {
  const name = `${host}: clock`;
  if (offset === undefined) {
    return {
      name,
      status: 'info',
      observed: '`date +%s.%N` prints no time, so the offset is unknown',
      hint: 'Synchronize the host’s clock (chrony, systemd-timesyncd): marks of its logs carry its time.',
    };
  }
  const { minMs, maxMs } = offset;
  const observed = `${signed((minMs + maxMs) / 2)} ms (${signed(minMs)} to ${signed(maxMs)} ms) from this machine's`;
  const leastMs = minMs > 0 ? minMs : maxMs < 0 ? -1 * maxMs : 0;
  if (leastMs <= tolerableMs) return { name, status: 'ok', observed };
  return {
    name,
    status: 'warn',
    observed,
    hint: `Synchronize both clocks (chrony, systemd-timesyncd). Until then, marks of the host’s logs and the stages that they end are reported too ${minMs > 0 ? 'late' : 'early'} by this offset; probes are not affected.`,
  };
}

function signed(ms: DurationMs): string {
  const rounded = Math.round(ms);
  return rounded > 0 ? `+${rounded}` : String(rounded);
}
