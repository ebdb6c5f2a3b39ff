import { existsSync, readdirSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { DrillError } from '../../core/errors.ts';
import type { DrillEvent } from '../../core/event.ts';
import type { FinishedDrill, Reporter, ReporterContext, ReporterKind } from '../../reporters/reporter.ts';
import { Broken, check, type Promised, type Report, require, shown, within } from './check.ts';

/** Longest time for a reporter at the end of a drill, ms. As in a drill. */
const endingMs = 30_000;
/** Longest time for a reporter whose signal aborts, ms. */
const abortWithinMs = 5000;
/** Time after its end in which a reporter must do nothing more, ms. */
const quietMs = 300;

/** A stored run for reporters. */
export interface StoredRun {
  readonly events: readonly DrillEvent[];
  readonly drill: FinishedDrill;
  /** The bytes of the run's files, by name. */
  readonly files: () => ReadonlyMap<string, string>;
}

const takesRun: Promised = {
  promise: 'accepts a whole run, and does not change it',
  hint: 'Catch errors, such as those of requests. Copy data before you change it. A reporter that throws gets no more events.',
};
const printsAsDeclared: Promised = {
  promise: 'prints on stdout only without a value, and only if it has `stdout`',
  hint: 'Add `stdout: true`, or write into the file of the value.',
};
const takesMore: Promised = {
  promise: 'accepts multiple drills, and a command that ended early',
  hint: 'Accept any number of drills before `runEnded`, or none. Events of the next drill may come before `drillEnded`.',
};
const endsItself: Promised = {
  promise: 'does nothing after its end',
  hint: 'In `drillEnded` and `runEnded`, await all writes: the process ends after them.',
};
const ends: Promised = {
  promise: `ends within ${abortWithinMs} ms after its signal aborts`,
  hint: 'Pass `signal` of the context to each request, and end when it aborts.',
};

/** A reporter, and what it has printed. */
interface Created {
  readonly reporter: Reporter;
  readonly printed: string[];
  readonly stop: AbortController;
}

/** Gives a stored run to a reporter. Everything that it gets is frozen. */
export async function tryReporter(
  kind: ReporterKind,
  run: StoredRun,
  out: string,
  report: Report,
): Promise<void> {
  const create = (value = kind.value === undefined ? undefined : `${out}/${kind.name}`): Created =>
    createdReporter(kind, out, value);
  const attempt = (promise: Promised, work: () => Promise<void>): Promise<boolean> =>
    check(report, kind.name, promise, work);
  const drill = frozen(run.drill);
  const events = run.events.map(frozen);
  const giveDrill = async (reporter: Reporter): Promise<void> => {
    for (const event of events)
      require(reporter.event?.(event) ===
        undefined, '`event` returns a value; it must not wait for anything');
    await ended('drillEnded', () => reporter.drillEnded?.(drill));
  };
  const endRun = (reporter: Reporter, drills: readonly FinishedDrill[], error?: Error): Promise<void> =>
    ended('runEnded', () =>
      reporter.runEnded?.(
        frozen({ drills, exitCode: error === undefined ? drill.exitCode : 2, ...(error && { error }) }),
      ),
    );

  await attempt(takesRun, async () => {
    const before = run.files();
    const { reporter } = create();
    await giveDrill(reporter);
    await endRun(reporter, [drill]);
    const after = run.files();
    const changed = [...before].filter(([name, text]) => after.get(name) !== text).map(([name]) => name);
    require(changed.length === 0, `it changed ${changed.join(', ')} of the run`);
  });
  await attempt(printsAsDeclared, async () => {
    const { reporter, printed } = create();
    await giveDrill(reporter);
    await endRun(reporter, [drill]);
    const mayPrint = kind.stdout === true && kind.value === undefined;
    require(mayPrint || printed.length === 0, `it printed on stdout: ${shown(printed[0]?.slice(0, 80))}`);
    if (kind.value !== undefined)
      await withoutValue(kind, out, (one) => giveDrill(one).then(() => endRun(one, [drill])));
  });
  await attempt(takesMore, async () => {
    const several = create().reporter;
    for (const _ of [1, 2]) await giveDrill(several);
    await endRun(several, [drill, drill]);
    await endRun(create().reporter, [], new Error('a file is invalid'));
  });
  await attempt(endsItself, async () => {
    const { reporter, printed } = create();
    await giveDrill(reporter);
    await endRun(reporter, [drill]);
    const before = [printed.length, written(out)];
    await sleep(quietMs);
    const after = [printed.length, written(out)];
    require(shown(before) ===
      shown(after), `it printed or wrote into ${out} within ${quietMs} ms after \`runEnded\``);
  });
  await attempt(ends, async () => {
    const { reporter, stop } = create();
    stop.abort(new Error('the time of the reporter is over'));
    const work = async (): Promise<void> => {
      await reporter.drillEnded?.(drill);
      await reporter.runEnded?.(frozen({ drills: [drill], exitCode: 0 }));
    };
    await within(
      abortWithinMs,
      'the reporter',
      work().catch(() => {}),
    );
  });
}

/** Without its value, a reporter prints on stdout, or refuses to be created. */
async function withoutValue(
  kind: ReporterKind,
  out: string,
  give: (reporter: Reporter) => Promise<void>,
): Promise<void> {
  let created: Created;
  try {
    created = createdReporter(kind, out, undefined);
  } catch (error) {
    const isInvalid = error instanceof DrillError && error.code === 'invalid-input';
    if (isInvalid) return;
    throw new Broken(
      `without a value, \`create\` threw: ${error instanceof Error ? error.message : String(error)}`,
      'Throw `DrillError` with the code `invalid-input` that says which value is missing.',
    );
  }
  await give(created.reporter);
  require(kind.stdout === true ||
    created.printed.length === 0, 'it printed on stdout without a value, and has no `stdout: true`');
}

function createdReporter(kind: ReporterKind, out: string, value: string | undefined): Created {
  const printed: string[] = [];
  const stop = new AbortController();
  const ctx: ReporterContext = {
    command: 'run',
    env: process.env,
    out,
    data: (text) => void printed.push(text),
    text: (text) => void printed.push(text),
    say: () => {},
    workflowCommand: () => {},
    secret: () => {},
    signal: stop.signal,
  };
  return { reporter: kind.create(value, ctx), printed, stop };
}

async function ended(method: string, act: () => void | Promise<void>): Promise<void> {
  await within(endingMs, `\`${method}\``, Promise.resolve().then(act));
}

/** Names, sizes, and times of the files below a folder. */
function written(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => {
    const { size, mtimeMs } = statSync(join(folder, name));
    return `${name} ${size} ${mtimeMs}`;
  });
}

/** The same value, which can no longer be changed: an attempt throws. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) frozen(inner);
  return Object.freeze(value);
}
