import { stringify } from 'csv-stringify/sync';
import { type RunLog, wallTime } from '../analysis/read-log.ts';
import { roundMs } from '../core/clock.ts';

/**
 * Columns of samples.csv. `_ms` are milliseconds: `due`, `send` and `finish` on the
 * run clock (0 = start of the run), the others from the sample's send.
 */
const columns = [
  'probe', // instance, e.g. pg-role@node-1
  'slot', // number of the slot on the probe's schedule
  'status', // ok, fail, unknown (the observer broke), dropped (not sent)
  'cause', // of a fail
  'value', // the state that the target told
  'sent_at', // wall time, by the run's first anchor
  'due_ms',
  'send_ms',
  'finish_ms',
  'latency_ms',
  'connect_ms',
  'tls_ms',
  'first_byte_ms',
  'message',
] as const;

type Row = Readonly<Record<(typeof columns)[number], string | number | undefined>>;

/**
 * samples.csv: a header, then one row a sample in the order of due times (dropped
 * slots too, without send and finish). Texts that a spreadsheet would take for a
 * formula get a quote in front: probe answers are not to be trusted.
 */
export function renderSamplesCsv(log: RunLog): string {
  const rows: Row[] = [];
  for (const [probe, { samples, dropped }] of log.series) {
    for (const s of samples)
      rows.push({
        probe,
        slot: s.slot,
        status: s.status,
        cause: s.cause,
        value: s.value,
        sent_at: wallTime(log, s.sendMs),
        due_ms: s.dueMs,
        send_ms: s.sendMs,
        finish_ms: s.finishMs,
        latency_ms: roundMs(s.finishMs - s.sendMs),
        connect_ms: s.phases?.connectMs,
        tls_ms: s.phases?.tlsMs,
        first_byte_ms: s.phases?.firstByteMs,
        message: s.message,
      });
    for (const d of dropped)
      rows.push({
        probe,
        slot: d.slot,
        status: 'dropped',
        cause: undefined,
        value: undefined,
        sent_at: undefined,
        due_ms: d.dueMs,
        send_ms: undefined,
        finish_ms: undefined,
        latency_ms: undefined,
        connect_ms: undefined,
        tls_ms: undefined,
        first_byte_ms: undefined,
        message: undefined,
      });
  }
  // A stable sort: equal due times stay in the plan's order of probes.
  rows.sort((a, b) => Number(a.due_ms) - Number(b.due_ms));
  return stringify(rows, { columns: [...columns], header: true, escape_formulas: true });
}
