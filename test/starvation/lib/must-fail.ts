import { isMap, isSeq, parseDocument } from 'yaml';

/** Shorter than any failover: the probes alone need longer to detect the outage and its end. */
const unmeetableRto = '500ms';

/** The text of a scenario with an RTO limit that no run can meet. @throws Error if it has no check `rto` with `max` */
export function withUnmeetableRto(text: string): string {
  const document = parseDocument(text);
  const checks = document.get('checks');
  const check = isSeq(checks)
    ? checks.items.find((one) => isMap(one) && one.get('kind') === 'rto' && one.has('max'))
    : undefined;
  if (!isMap(check)) throw new Error('cannot make the scenario fail: it has no check `rto` with `max`');
  check.set('max', unmeetableRto);
  return document.toString();
}
