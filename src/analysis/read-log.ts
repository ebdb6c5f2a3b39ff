import { DrillError } from '../core/errors.ts';
import { RunFold } from './run-fold.ts';
import { InvalidEvent } from './log-event.ts';
import type { RunLog } from './run-log.ts';
import { LogScanner, type LogSink, type OtherEvent, type SampleEvent } from './scan-log.ts';

/** Begins a run with its first event, and passes each event to the run and then to the follower. */
class LogReader implements LogSink {
  readonly #follower: LogSink | undefined;
  #run: RunFold | undefined;

  constructor(follower: LogSink | undefined) {
    this.#follower = follower;
  }

  sample(sample: SampleEvent): void {
    this.#runBefore('sample').sample(sample);
    this.#follower?.sample(sample);
  }

  event(event: OtherEvent): void {
    if (event.type !== 'run.started') this.#runBefore(event.type).event(event);
    else if (this.#run === undefined) this.#run = new RunFold(event);
    else throw new InvalidEvent('a second run.started, but a log has only one');
    this.#follower?.event(event);
  }

  finish(torn: boolean): RunLog {
    if (this.#run === undefined)
      throw new DrillError('invalid-input', 'the event log has no run.started event: there is no run in it');
    return this.#run.finish(torn);
  }

  #runBefore(type: string): RunFold {
    if (this.#run === undefined)
      throw new InvalidEvent(`${type} before run.started, which must be the first event`);
    return this.#run;
  }
}

/**
 * Reads an event log from its bytes, in pieces of any size. Throws DrillError `invalid-input` with the line's number if a line
 * is not a valid event. An incomplete last line is ignored. `follower` gets each valid event, in the log's order.
 */
export function readLog(pieces: Iterable<Uint8Array>, follower?: LogSink): RunLog {
  const reader = new LogReader(follower);
  const scanner = new LogScanner(reader);
  for (const piece of pieces) scanner.push(piece);
  return reader.finish(scanner.end().torn);
}
