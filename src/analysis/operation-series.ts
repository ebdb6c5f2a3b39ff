import type { EventOf } from '../core/event.ts';
import type { ProbeId } from '../core/ids.ts';
import type { PlannedPath, PlannedProbe, PlannedWriter } from '../core/plan.ts';
import type { FailCause } from '../core/sample.ts';
import { later } from '../core/time.ts';
import type { SampleEvent } from './scan-log.ts';

/** What a client does: clients of a path write, and its reader reads. */
export type Operation = 'write' | 'read';

/** A client of a writer, whose operations are analyzed like the samples of a probe: one after the other, on its own connection. */
export interface OperationClient {
  readonly operation: Operation;
  readonly path: PlannedPath;
  /** Stands for the client where the analysis expects a probe. */
  readonly probe: PlannedProbe;
}

/** The clients of a writer: those of its paths, and a reader for each path. */
export function operationClients(writer: PlannedWriter): readonly OperationClient[] {
  const { id, paths, clients, intervalMs, readIntervalMs, timeoutMs } = writer;
  const common = { name: id, kind: 'writer', params: null, timeoutMs };
  return paths.flatMap((path, p) => [
    ...Array.from({ length: clients }, (_, c) => ({
      operation: 'write' as const,
      path,
      probe: { ...common, id: writeId(id, p * clients + c + 1), intervalMs },
    })),
    {
      operation: 'read' as const,
      path,
      probe: { ...common, id: readId(path.id), intervalMs: readIntervalMs },
    },
  ]);
}

function writeId(writer: string, client: number): ProbeId {
  return `${writer} client ${client}`;
}

function readId(path: string): ProbeId {
  return `${path} reader`;
}

/** A write as a sample. A write that was not acknowledged failed for its client, whether it was done or not. */
export function writeSample(event: EventOf<'row.written'>, { timeoutMs }: PlannedWriter): SampleEvent {
  const { writer, client, number, outcome } = event;
  const id = writeId(writer, client);
  const cause = outcome === 'refused' ? 'refused' : 'reset';
  // Rows are numbered from 1 without a gap, so a missing number is a lost line.
  return sampleOf(event, { id, slot: number - 1, timeoutMs }, outcome === 'acked' ? null : cause);
}

/** A parallel read as a sample. `slot`: how many reads of its path were before it. */
export function readSample(
  event: EventOf<'rows.read'>,
  { timeoutMs }: PlannedWriter,
  slot: number,
): SampleEvent {
  const id = readId(event.path);
  return sampleOf(event, { id, slot, timeoutMs }, event.rows === undefined ? 'error' : null);
}

function sampleOf(
  { t, sendMs, finishMs, stallMs }: EventOf<'row.written'> | EventOf<'rows.read'>,
  { id, slot, timeoutMs }: { readonly id: ProbeId; readonly slot: number; readonly timeoutMs: number },
  cause: FailCause | null,
): SampleEvent {
  const stall = stallMs === undefined ? {} : { stallMs };
  const common = { type: 'sample' as const, t, probe: id, slot, dueMs: sendMs, sendMs, finishMs, ...stall };
  if (cause === null) return { ...common, status: 'ok' };
  const hasTimedOut = finishMs >= later(sendMs, timeoutMs);
  // If firedrill itself was stalled meanwhile, the timeout shows nothing about the stack.
  if (hasTimedOut && stallMs !== undefined) return { ...common, status: 'unknown' };
  return { ...common, status: 'fail', cause: hasTimedOut ? 'timeout' : cause };
}
