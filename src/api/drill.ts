import { withCommandName } from '../cli/command-name.ts';
import { passGuards } from '../cli/guard.ts';
import { runOneDrill } from '../cli/one-drill.ts';
import type { Output } from '../cli/output.ts';
import { userLedger } from '../cli/run-folder.ts';
import { redactor } from '../cli/secrets.ts';
import { DrillError } from '../core/errors.ts';
import type { Plan } from '../core/plan.ts';
import type { Summary, VerdictWord } from '../core/summary.ts';
import { reportToAll } from '../reporters/all.ts';
import { withHintForCaller } from './hint.ts';
import { guardCallbacks } from './callbacks.ts';
import { checkOptions } from './check-options.ts';
import { plansOf, type PlanOptions, seeded } from './options.ts';

/** Options of `drill`; the same as those of `firedrill run`. */
export interface DrillOptions extends PlanOptions {
  /** Folder of runs, in which the run gets its own folder; `reports` by default: `--out`. */
  readonly out?: string;
  /** Name of the release under test, recorded with the run: `--label`. */
  readonly label?: string;
  /** Allows a drill of a target whose environment is `production`; needs `confirm`, too: `--allow-production`. */
  readonly allowProduction?: boolean;
  /** The name of the production target: `--confirm`. */
  readonly confirm?: string;
  /** Stops the drill. Its faults are healed first; then the promise resolves with the summary of the stopped run. */
  readonly signal?: AbortSignal;
  /** Called for each event when it is logged. If it throws, the drill runs to its end, and then the promise rejects with that error. */
  readonly onEvent?: (event: LoggedEvent) => void;
  /** Called for each line that `firedrill run` would print on stderr, with secrets redacted. An error is treated like one of `onEvent`. */
  readonly onProgress?: (line: string) => void;
}

/** An event as a line of events.ndjson has it. */
export interface LoggedEvent {
  readonly type: string;
  /** Moment on the run clock, ms since the start of the run. */
  readonly t: number;
  /** Fields of this type of event. They may change between versions. */
  readonly [field: string]: unknown;
}

/** The result of a drill. */
export interface DrillResult {
  /** The verdict of the summary; `inconclusive` instead of `pass` if there are `problems`. */
  readonly verdict: VerdictWord;
  /** Every fault of the drill is proven healed. If not, `firedrill heal` undoes it. */
  readonly healed: boolean;
  /** Content of summary.json. */
  readonly summary: Summary;
  /** The run's folder, with the event log and the reports. */
  readonly folder: string;
  /** Failures of firedrill or its disk that the summary does not have, such as a report that could not be written. */
  readonly problems: readonly DrillError[];
}

/**
 * Runs the drill of a scenario file, like `firedrill run`: the same locks, guard rails, undo records, and reports. It
 * prints nothing and never ends the process.
 *
 * A verdict that is not `pass` is a result, not an error. It rejects with the signal's reason if the signal is aborted
 * before the drill begins.
 * @throws DrillError `invalid-input` for a wrong file or option, or a scenario with more than one drill; `refused` if a
 * guard rail refuses it; `harness` if the run's files cannot be written; in all three cases nothing was changed.
 * `heal-failed` if a fault is not proven healed and there is no summary
 */
export async function drill(scenario: string, options: DrillOptions = {}): Promise<DrillResult> {
  try {
    return await runDrill(scenario, options);
  } catch (error) {
    throw withHintForCaller(error);
  }
}

async function runDrill(scenario: string, options: DrillOptions): Promise<DrillResult> {
  checkOptions('drill', options);
  const { signal = new AbortController().signal, onEvent, out = 'reports', label } = options;
  signal.throwIfAborted();
  const plan = seeded(onlyPlan(scenario, plansOf(scenario, options)));
  const callbacks = guardCallbacks();
  const output = quietOutput(callbacks.guard(options.onProgress));
  const ledger = userLedger();
  const { allowProduction = false, confirm } = options;
  const unlock = await passGuards([plan], {
    consent: { allowProduction, ...(confirm === undefined ? {} : { confirm }) },
    command: 'drill',
    output,
    ask: undefined,
  });
  try {
    const { summary, folder, unhealed, problems } = await runOneDrill(plan, {
      ledger,
      out,
      label,
      output,
      stop: { signal, abandonHeals: new AbortController().signal },
      reporters: reportToAll(
        [
          {
            name: 'onEvent',
            reporter: { event: callbacks.guard<LoggedEvent>(onEvent) },
            left: new AbortController(),
          },
        ],
        { say: () => {} },
      ),
    });
    callbacks.throwFirst();
    const { verdict } = summary;
    return {
      verdict: verdict === 'pass' && problems.length > 0 ? 'inconclusive' : verdict,
      healed: unhealed.length === 0,
      summary,
      folder,
      problems: problems.map(withHintForCaller),
    };
  } finally {
    unlock();
  }
}

function onlyPlan(scenario: string, plans: readonly Plan[]): Plan {
  const [plan, ...others] = plans;
  if (plan !== undefined && others.length === 0) return plan;
  throw new DrillError('invalid-input', `${scenario}: has ${plans.length} drills, but \`drill\` runs one`, {
    hint: 'Name one scenario file without a matrix, and set its variables with `set`.',
  });
}

/** Output of a command that prints nothing. Progress goes to the caller, redacted. */
function quietOutput(onProgress: (line: string) => void): Output {
  return {
    data: () => {},
    text: () => {},
    progress: (line) => onProgress(redactor.text(withCommandName(line))),
  };
}
