import type { Finding } from '../core/finding.ts';
import type { Host } from '../core/host.ts';

/** How far a host's wall clock is ahead of this machine's, in ms: the truth lies between the bounds. */
export interface ClockOffset {
  readonly minMs: number;
  readonly maxMs: number;
}

/** This machine's clocks, for the measurement. */
export interface Clocks {
  wallMs(): number;
}

/** Of so many questions the quickest answer says most. */
const rounds = 5;
const askTimeoutMs = 10_000;

/** From here on a step of the prober's own clock is told, too (`clock.stepped`). */
const tolerableMs = 100;

/**
 * Measures a host's wall clock against this machine's: the host read its clock at some moment between question and answer,
 * so the offset lies between the two differences. The bounds of all rounds hold, and so does what they have in common.
 * Undefined where the host's `date` says nothing usable.
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

/** `1700000000.123456789`; a `date` without %N (busybox, macOS) tells whole seconds. */
function readDate(text: string): { readonly fromMs: number; readonly toMs: number } | undefined {
  const [, seconds, fraction = ''] = /^(\d+)\.?(.*)$/.exec(text.trim()) ?? [];
  if (seconds === undefined) return undefined;
  const fromMs = Number(seconds) * 1000;
  if (!/^\d{9}$/.test(fraction)) return { fromMs, toMs: fromMs + 1000 };
  const ms = fromMs + Number(fraction) / 1e6;
  return { fromMs: ms, toMs: ms };
}

/** What the offset means for marks of the host's logs, which carry its clock. */
export function judgeClock(host: string, offset: ClockOffset | undefined): Finding {
  const name = `${host}: clock`;
  if (offset === undefined) {
    return {
      name,
      status: 'info',
      observed: 'cannot be asked (`date +%s.%N`)',
      mend: 'See to it that it is disciplined: marks of its logs carry its clock.',
    };
  }
  const { minMs, maxMs } = offset;
  const observed = `${signed((minMs + maxMs) / 2)} ms (${signed(minMs)} to ${signed(maxMs)} ms) from this machine's`;
  const leastMs = minMs > 0 ? minMs : maxMs < 0 ? -maxMs : 0;
  if (leastMs <= tolerableMs) return { name, status: 'ok', observed };
  return {
    name,
    status: 'warn',
    observed,
    mend: `Marks of its logs, and stages that they end, are told so much too ${minMs > 0 ? 'late' : 'early'}; probes are not touched. Discipline both clocks (chrony, systemd-timesyncd).`,
  };
}

function signed(ms: number): string {
  const rounded = Math.round(ms);
  return rounded > 0 ? `+${rounded}` : String(rounded);
}
