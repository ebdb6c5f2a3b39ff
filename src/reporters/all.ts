import { DrillError, messageOf } from '../core/errors.ts';
import type { DrillEvent } from '../core/event.ts';
import { limitText } from '../core/format-duration.ts';
import type { FinishedDrill, FinishedRun, Reporter } from './reporter.ts';

/** A reporter with its name in `--reporter`. */
export interface NamedReporter {
  readonly name: string;
  readonly reporter: Reporter;
  /** Aborts the reporter's `signal`. */
  readonly left: AbortController;
}

/** All reporters of a command. Its methods never throw or reject. */
export interface Reporters {
  event(event: DrillEvent): void;
  drillEnded(drill: FinishedDrill): Promise<void>;
  /** Passes on all drills that `drillEnded` got before. */
  runEnded(run: Omit<FinishedRun, 'drills'>): Promise<void>;
  /** Whether a reporter could not write its file (DrillError `harness`). Other failures do not change the exit code. */
  unwritten(): boolean;
}

/** Time limit of all reporters together at the end of a drill or of the command, ms. */
const endingMs = 30_000;

/**
 * Passes all events and results to each reporter; the ends of drills in parallel. If a reporter throws, rejects, or takes
 * longer than `endingMs`, `say` gets one message and that reporter gets nothing more. The drill and the other reporters go on.
 */
export function reportToAll(
  reporters: readonly NamedReporter[],
  { say }: { readonly say: (line: string) => void },
): Reporters {
  const drills: FinishedDrill[] = [];
  const active = new Set(reporters);
  let unwritten = false;

  const leave = (one: NamedReporter, error: unknown): void => {
    if (!active.delete(one)) return;
    if (error instanceof DrillError && error.code === 'harness') unwritten = true;
    say(`reporter ${one.name} stopped after an error: ${messageOf(error)}`);
    if (error instanceof DrillError && error.hint !== undefined) say(`  ${error.hint}`);
    one.left.abort(error);
  };
  /** Resolves when the reporter has finished or was stopped. */
  const end = async (one: NamedReporter, act: () => void | Promise<void>): Promise<void> => {
    let timer: NodeJS.Timeout | undefined;
    try {
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(
          () => reject(new Error(`it did not finish within ${limitText(endingMs)}`)),
          endingMs,
        );
      });
      await Promise.race([act(), late]);
    } catch (error) {
      leave(one, error);
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    event(event) {
      for (const one of active) {
        try {
          // `event` may be async although nothing awaits it. An unhandled rejection would end the drill as a defect.
          const result: unknown = one.reporter.event?.(event);
          if (result instanceof Promise) result.catch((error: unknown) => leave(one, error));
        } catch (error) {
          leave(one, error);
        }
      }
    },
    async drillEnded(drill) {
      drills.push(drill);
      await Promise.all([...active].map((one) => end(one, async () => one.reporter.drillEnded?.(drill))));
    },
    async runEnded(run) {
      const whole = { ...run, drills };
      await Promise.all([...active].map((one) => end(one, async () => one.reporter.runEnded?.(whole))));
    },
    unwritten: () => unwritten,
  };
}
