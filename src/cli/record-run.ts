import { withCleanup } from '../core/cleanup.ts';
import type { Plan } from '../core/plan.ts';
import { startControl } from '../engine/control.ts';
import type { EventLog } from '../engine/event-log.ts';
import { startPressure } from '../engine/pressure.ts';
import type { DrillDeps } from '../engine/run.ts';
import { createSystemClock } from '../engine/system-clock.ts';
import { createHost } from '../hosts/catalog.ts';
import { createNarrator } from './console.ts';
import { showDrill } from './live/show-drill.ts';
import { type Output, printNote } from './output.ts';
import { newRunId, openRun } from './run-folder.ts';
import { learnSecrets } from './secrets.ts';
import { versions } from './versions.ts';

/** What a drill and a watch need of this machine. */
export type RecordingDeps = Omit<DrillDeps, 'ledger' | 'createServer'>;

/** A run that is over. */
export interface RecordedRun<T> {
  readonly runId: string;
  readonly folder: string;
  /** Closed; it still reports whether it broke. */
  readonly log: EventLog;
  readonly result: T;
}

/**
 * Records a run in its own folder, and shows its events on the terminal. `name` becomes a part of the folder's name; the
 * secrets that `secrets` refers to are redacted.
 * @throws DrillError `harness` if the disk has no room for a run; and any error of `work`
 */
export function recordRun<T>(
  {
    name,
    secrets,
    out,
    output,
  }: {
    readonly name: string;
    readonly secrets: Pick<Plan, 'hosts' | 'probes' | 'writers'>;
    /** Parent folder of the run's folder. */
    readonly out: string;
    readonly output: Output;
  },
  work: (deps: RecordingDeps) => Promise<T>,
): Promise<RecordedRun<T>> {
  return withCleanup(async (cleanup) => {
    const clock = createSystemClock();
    const runId = newRunId(name, clock.wallMs());
    for (const warning of learnSecrets(secrets)) output.progress(`warning: ${warning}`);
    const { folder, log } = openRun(out, runId, clock);
    cleanup.defer(() => log.close());
    log.subscribe(createNarrator((line) => output.progress(line)));
    cleanup.defer(showDrill(output.live, log, clock));
    const result = await work({
      runId,
      clock,
      log,
      createHost: (planned) => createHost(planned, (note) => printNote(note, output)),
      versions: versions(),
      startControl,
      startPressure,
    });
    return { runId, folder, log, result };
  });
}
