import { gateDoubt } from './doubt.ts';
import { type Evidence, isComplete } from './outcome.ts';

/**
 * What figures of a drill were longer than, ms, by the name that a failure table has for them: those whose end was not seen. A
 * service that did not recover while it was waited for, or until the run was cut short, has an RTO longer than that; an outage
 * that is open when the log ends is longer than what is certain of it. A wait whose outcome a degraded prober leaves in doubt says
 * nothing.
 */
export function longerThan({
  log,
  recovery,
  redundancy,
  heal,
}: Evidence): Readonly<Record<string, number>> | undefined {
  if (recovery === null) return undefined;
  const { rto, first, longerThanMs, downtime, windows } = recovery;
  const cutShort = !isComplete(log);
  const back = heal?.return;
  const found: Record<string, number> = {};
  if (rto === null && longerThanMs !== null && gateDoubt(log, 'recovery') === null) {
    found['rto'] = longerThanMs;
    if (first === null && windows.length > 0) found['first'] = longerThanMs;
  }
  if (cutShort || windows.some(({ open }) => open)) found['downtime'] = downtime.minMs;
  if (heal !== null && (cutShort || heal.open)) found['heal-outage'] = heal.outage.minMs;
  if (gateDoubt(log, 'redundancy') === null) {
    if (redundancy.state === 'timeout') found['redundancy'] = redundancy.longerThanMs;
    if (back?.state === 'timeout') found['return'] = back.longerThanMs;
  }
  return Object.keys(found).length === 0 ? undefined : found;
}
