import { gateUncertainty } from './uncertainty.ts';
import { type Evidence, isComplete } from './outcome.ts';

/**
 * Lower bounds, ms, of figures whose end was not observed, by their names in failure tables. A service that did not recover
 * within the wait, or before the run was cut short, has an RTO longer than that. An outage that is open when the log ends is
 * longer than its certain part. A wait whose outcome is inconclusive gives no bound.
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
  if (rto === null && longerThanMs !== null && gateUncertainty(log, 'recovery') === null) {
    found['rto'] = longerThanMs;
    if (first === null && windows.length > 0) found['first'] = longerThanMs;
  }
  if (cutShort || windows.some(({ open }) => open)) found['downtime'] = downtime.minMs;
  if (heal !== null && (cutShort || heal.open)) found['heal-outage'] = heal.outage.minMs;
  if (gateUncertainty(log, 'redundancy') === null) {
    if (redundancy.state === 'timeout') found['redundancy'] = redundancy.longerThanMs;
    if (back?.state === 'timeout') found['return'] = back.longerThanMs;
  }
  return Object.keys(found).length === 0 ? undefined : found;
}
