import { DrillError, messageOf } from '../core/errors.ts';
import type { DrillEvent } from '../core/event.ts';
import { limitWords } from '../core/format-duration.ts';
import type { FinishedDrill, FinishedRun, Reporter } from './reporter.ts';

/** A reporter by the name under which it was asked for. */
export interface NamedReporter {
  readonly name: string;
  readonly reporter: Reporter;
  /** Aborts its `signal`. */
  readonly left: AbortController;
}

/** All reporters of a command, as one that never fails. */
export interface Reporters {
  event(event: DrillEvent): void;
  drillEnded(drill: FinishedDrill): Promise<void>;
  /** The drills are those that were told before. */
  runEnded(run: Omit<FinishedRun, 'drills'>): Promise<void>;
  /** Whether one could not write its file: a DrillError `harness`. What fails otherwise changes no exit code. */
  unwritten(): boolean;
}

/** How long all of them together may take over the end of a drill, or of the command. */
const endingMs = 30_000;

/**
 * Tells each reporter of everything, the ends side by side. One that throws, rejects or takes too long is told of once, by
 * `say`, and gets nothing more; neither the drill nor the others notice.
 */
export function reportToAll(
  reporters: readonly NamedReporter[],
  { say, limitMs = endingMs }: { readonly say: (line: string) => void; readonly limitMs?: number },
): Reporters {
  const drills: FinishedDrill[] = [];
  const active = new Set(reporters);
  let unwritten = false;

  const leave = (one: NamedReporter, error: unknown): void => {
    if (!active.delete(one)) return;
    if (error instanceof DrillError && error.code === 'harness') unwritten = true;
    say(`reporter ${one.name} failed and is left out: ${messageOf(error)}`);
    if (error instanceof DrillError && error.mend !== undefined) say(`  ${error.mend}`);
    one.left.abort(error);
  };
  /** Resolves when the reporter is done, or is left out. */
  const end = async (one: NamedReporter, act: () => void | Promise<void>): Promise<void> => {
    let timer: NodeJS.Timeout | undefined;
    try {
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`it was not done within ${limitWords(limitMs)}`)), limitMs);
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
          // An async method is allowed where none is awaited; its rejection would end the drill as a defect.
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
