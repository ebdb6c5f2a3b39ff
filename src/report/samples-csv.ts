import { stringify } from 'csv-stringify/sync';
import { type Anchor, wallTimeBy } from '../analysis/run-log.ts';
import type { LogSink, OtherEvent, SampleEvent } from '../analysis/scan-log.ts';
import { roundMs } from '../core/clock.ts';
import { runMs, wallMs } from '../core/time.ts';

/**
 * Columns of samples.csv. `_ms` are milliseconds: `due`, `send`, and `finish` on the
 * run clock (0 = start of the run), the others since the sample's send.
 */
const columns = [
  'probe', // instance, for example pg-role@node-1
  'slot', // index of the slot on the probe's schedule
  'status', // ok, fail, unknown (the attempt itself failed), dropped (not sent)
  'cause', // of a fail
  'value', // the state that the target reported
  'sent_at', // wall time, from the run's first anchor
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

/** Rows per write. */
const batchRows = 1000;

/**
 * Writes samples.csv while a log is read: a header, then one row for each sample in the order of the log, which is the
 * order of the answers. Dropped slots have a row without send and finish. A text that a spreadsheet would run as a formula
 * gets a leading quote, because probe answers are untrusted.
 */
export class SamplesCsv implements LogSink {
  readonly #write: (text: string) => void;
  #rows: Row[] = [];
  #anchor: Anchor = { t: runMs(0), wallMs: wallMs(0) };

  /** `write` receives the text in chunks. */
  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  sample(s: SampleEvent): void {
    const { phases } = s;
    this.#add({
      probe: s.probe,
      slot: s.slot,
      status: s.status,
      cause: s.cause,
      value: s.value,
      sent_at: wallTimeBy(this.#anchor, s.sendMs),
      due_ms: s.dueMs,
      send_ms: s.sendMs,
      finish_ms: s.finishMs,
      latency_ms: roundMs(s.finishMs - s.sendMs),
      connect_ms: phases?.connectMs,
      tls_ms: phases?.tlsMs,
      first_byte_ms: phases?.firstByteMs,
      message: s.message,
    });
  }

  event(event: OtherEvent): void {
    if (event.type === 'run.started') {
      this.#anchor = event;
      this.#write(stringify([], { columns: [...columns], header: true }));
    }
    if (event.type !== 'sample.dropped') return;
    this.#add({
      probe: event.probe,
      slot: event.slot,
      status: 'dropped',
      cause: undefined,
      value: undefined,
      sent_at: undefined,
      due_ms: event.dueMs,
      send_ms: undefined,
      finish_ms: undefined,
      latency_ms: undefined,
      connect_ms: undefined,
      tls_ms: undefined,
      first_byte_ms: undefined,
      message: undefined,
    });
  }

  /** Writes the remaining rows. */
  end(): void {
    if (this.#rows.length > 0)
      this.#write(stringify(this.#rows, { columns: [...columns], escape_formulas: true }));
    this.#rows = [];
  }

  #add(row: Row): void {
    this.#rows.push(row);
    if (this.#rows.length >= batchRows) this.end();
  }
}
