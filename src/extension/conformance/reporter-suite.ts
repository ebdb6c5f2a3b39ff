import type { DrillEvent } from '../../core/event.ts';
import type { FinishedDrill, ReporterKind } from '../../reporters/reporter.ts';
import { check, type Report, require, within } from './check.ts';

/** Longest time for a reporter whose signal aborts, ms. */
const endWithinMs = 5000;

/** A stored run for reporters. */
export interface StoredRun {
  readonly events: readonly DrillEvent[];
  readonly drill: FinishedDrill;
  /** The bytes of the run's files, by name. */
  readonly files: () => ReadonlyMap<string, string>;
}

/** Gives a stored run to a reporter. Everything that it gets is frozen. */
export async function tryReporter(
  kind: ReporterKind,
  run: StoredRun,
  out: string,
  report: Report,
): Promise<void> {
  const left = new AbortController();
  const create = () =>
    kind.create(kind.value === undefined ? undefined : `${out}/${kind.name}`, {
      command: 'run',
      env: process.env,
      out,
      data: () => {},
      text: () => {},
      say: () => {},
      workflowCommand: () => {},
      secret: () => {},
      signal: left.signal,
    });
  const attempt = (promise: string, work: () => Promise<void>): Promise<boolean> =>
    check(report, kind.name, promise, work);
  const drill = frozen(run.drill);
  const events = run.events.map(frozen);
  await attempt('takes a whole run, and changes nothing of it', async () => {
    const before = run.files();
    const reporter = create();
    for (const event of events)
      require(reporter.event?.(event) ===
        undefined, '`event` returns a value; it must not wait for anything');
    await reporter.drillEnded?.(drill);
    await reporter.runEnded?.(frozen({ drills: [drill], exitCode: drill.exitCode }));
    const after = run.files();
    const changed = [...before].filter(([name, text]) => after.get(name) !== text).map(([name]) => name);
    require(changed.length === 0, `it changed ${changed.join(', ')} of the run`);
  });
  await attempt('takes a command that ended early', async () => {
    await create().runEnded?.(frozen({ drills: [], exitCode: 2, error: new Error('a file is invalid') }));
  });
  await attempt(`ends within ${endWithinMs} ms after its signal aborts`, async () => {
    const reporter = create();
    left.abort(new Error('the time of the reporter is over'));
    const work = async (): Promise<void> => {
      await reporter.drillEnded?.(drill);
      await reporter.runEnded?.(frozen({ drills: [drill], exitCode: 0 }));
    };
    await within(
      endWithinMs,
      'the reporter',
      work().catch(() => {}),
    );
  });
}

/** The same value, which can no longer be changed: an attempt throws. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) frozen(inner);
  return Object.freeze(value);
}
