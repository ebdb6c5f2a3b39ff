import type { AnyFaultKind } from '../../core/kinds.ts';
import type { FaultTest } from '../define-tests.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  check,
  NotTried,
  notTried,
  type Promised,
  type Report,
  require,
  requireText,
  shown,
  within,
} from './check.ts';
import type { Disturbance, DisturbanceAt } from './disturbance.ts';
import { call } from './fault-call.ts';
import { cycle, disturbances, heal } from './fault-cycle.ts';
import * as promised from './fault-promises.ts';
import {
  called,
  disturbed,
  emptyAnswers,
  hangingAt,
  injected,
  isBroken,
  onStand,
  requireUnhealed,
  stored,
  type Trial,
} from './fault-trial.ts';
import { processesLeftBy } from './leftover-processes.ts';

/** Moment of the abort in a method whose commands are answered, ms after its start. */
const abortAfterMs = 100;

/** Tries what a fault kind promises, on stands of its author's test. */
export async function tryFault(kind: AnyFaultKind, test: FaultTest, report: Report): Promise<void> {
  const attempt = (promise: Promised, work: (trial: Trial) => Promise<void>): Promise<boolean> =>
    check(report, kind.kind, promise, () => onStand(kind, test, work));

  await attempt(promised.describes, async (trial) => {
    requireDescribed(trial);
    require(!(await isBroken(trial)), '`isBroken` of the test is true before anything was injected');
  });
  const works = await attempt(promised.works, async (trial) => {
    const before = await injected(trial);
    await requireUnhealed(trial, before);
    require(await heal(trial, before, trial.ctx), '`healed` is not true after 5 heals');
    require(!(await isBroken(trial)), '`healed` is true, but the fault is still in effect');
  });
  if (!works) {
    const why = new NotTried('it cannot be injected and healed', 'Fix the broken promise above first.');
    notTried(report, kind.kind, 'the other promises of a fault', why);
    return;
  }
  await attempt(promised.separate, (trial) => twoAtOnce(trial, test));
  await attempt(promised.repeats, async (trial) => {
    const before = await injected(trial);
    for (const n of [1, 2, 3]) {
      await called(trial, 'heal', before);
      require(await called(trial, 'healed', before), `\`healed\` is not true after heal ${n}`);
      require(!(await isBroken(trial)), `\`healed\` is true after heal ${n}, but the fault is in effect`);
    }
  });
  await attempt(promised.harmless, async (trial) => {
    const before = await stored(trial);
    require(await heal(trial, before, trial.ctx), '`healed` is not true after 5 heals');
    require(!(await isBroken(trial)), '`isBroken` of the test is true after a heal without a fault');
  });
  await attempt(promised.undone, undone);
  await attempt(promised.undoneUnharmed, async (trial) => {
    const before = await stored(trial);
    await runUndo(trial, undoScript(trial, before), 1);
    require(!(await isBroken(trial)), '`isBroken` of the test is true after the script ran without a fault');
  });
  await attempt(promised.leavesNoProcess, leavesNoProcess);
  const steps = await onStand(kind, test, async (trial) => {
    await cycle(trial, trial.ctx);
    return trial.calls();
  });
  for (const disturbance of disturbances) {
    await check(report, kind.kind, promised.survives(disturbance), async () => {
      requireCalls(steps);
      for (let at = 0; at < steps; at += 1)
        await onStand(kind, test, (trial) => disturbedCycle(trial, at, disturbance));
    });
  }
  await check(report, kind.kind, promised.believesNothing, async () => {
    requireCalls(steps);
    for (const answer of emptyAnswers) await onStand(kind, test, (trial) => withoutAnswers(trial, answer));
  });
  await check(report, kind.kind, promised.aborts, () => aborted(kind, test));
}

function requireDescribed({ kind, params }: Trial): void {
  const { inject, heal: healText, blastRadius } = kind.describe(params);
  for (const [name, text] of Object.entries({ inject, heal: healText, blastRadius }))
    requireText(text, `describe().${name}`);
  for (const given of [undefined, params]) {
    const use = kind.uses?.(given);
    const isUse =
      use === undefined || (Array.isArray(use.tools) && use.tools.every((one) => typeof one === 'string'));
    require(isUse, `\`uses\` returns ${shown(use)}, without a list of programs in \`tools\``);
  }
  kind.onContainer?.(params);
  kind.unobserved?.(params);
  kind.repeatable?.(params);
  kind.undoes?.(params);
}

/** Two faults in effect, each with its own undo record. A heal of one may not need or harm the other. */
async function twoAtOnce(first: Trial, test: FaultTest): Promise<void> {
  await onStand(first.kind, test, async (second) => {
    const record = await injected(first);
    if (await isBroken(second))
      throw new NotTried(
        'two calls of `setUp` use the same place',
        'Let each call of `setUp` use its own place, such as a new folder.',
      );
    const other = await injected(second);
    require(await heal(
      first,
      record,
      first.ctx,
    ), 'two faults at once: the first is not healed after 5 heals');
    require(!(await isBroken(
      first,
    )), 'two faults at once: the first is reported as healed, but is in effect');
    const passes = second.kind.healAfter === 'redundancy';
    require(passes ||
      (await isBroken(second)), 'two faults at once: the heal of the first also healed the second');
    require(await heal(
      second,
      other,
      second.ctx,
    ), 'two faults at once: the second is not healed after 5 heals');
    require(!(await isBroken(
      second,
    )), 'two faults at once: the second is reported as healed, but is in effect');
  });
}

/** The script of the auto-revert timer does the same as the heal. */
async function undone(trial: Trial): Promise<void> {
  if (trial.kind.undo === undefined) throw noUndo('it has no `undo`');
  const before = await injected(trial);
  const script = undoScript(trial, before);
  for (const n of [1, 2]) {
    await runUndo(trial, script, n);
    require(!(await isBroken(trial)), `the fault is still in effect after run ${n}`);
  }
  require(await called(trial, 'healed', before), '`healed` is not true after the script');
}

function undoScript({ kind, params }: Trial, before: Parameters<typeof call>[2]): string {
  if (kind.undo === undefined) throw noUndo('it has no `undo`');
  const script: unknown = kind.undo(params, before);
  if (script === undefined) throw noUndo('`undo` returns no script for the parameters of the test');
  requireText(script, 'the script of `undo`');
  return script as string;
}

function noUndo(why: string): NotTried {
  return new NotTried(
    why,
    'Without a script, the fault stays in effect if firedrill is killed. Add `undo` if a script on the host can undo it.',
  );
}

async function runUndo({ stand, ctx }: Trial, script: string, n: number): Promise<void> {
  const { exitCode, stderr } = await stand.host.exec(['/bin/sh', '-c', script], {
    timeoutMs: 60_000,
    signal: ctx.signal,
  });
  require(exitCode === 0, `run ${n} exited ${exitCode}: ${stderr.trim()}`);
}

async function leavesNoProcess(trial: Trial): Promise<void> {
  if (trial.stand.host.isThisMachine !== true)
    throw new NotTried(
      'the host of the test is not this machine',
      'Check the processes of the host after a drill, or add a test with `localHost`.',
    );
  const left = await processesLeftBy(async () => void (await cycle(trial, trial.ctx)));
  require(left.length === 0, `5 s after the heal, these still run: ${left.join(', ')}`);
}

function requireCalls(steps: number): void {
  if (steps === 0)
    throw new NotTried(
      'it sends no command to the host, its power switch, or its cloud, so no answer can be lost',
      'Act through `ctx.host` and `ctx.server`. Then the fault works over every transport, and can be tested.',
    );
}

/** A cycle in which one command goes wrong. */
async function disturbedCycle(trial: Trial, step: number, disturbance: Disturbance): Promise<void> {
  let words = '';
  const at: DisturbanceAt = (n, argv) => {
    if (n !== step) return undefined;
    words = argv.join(' ').slice(0, 100);
    return disturbance;
  };
  const { before, isHealed } = await cycle(trial, disturbed(trial.ctx, at));
  const where = `command ${step + 1} (\`${words}\`) went wrong`;
  if (before === undefined) {
    require(!(await isBroken(trial)), `${where}: \`before\` failed, and the fault is in effect`);
    return;
  }
  require(!isHealed || !(await isBroken(trial)), `${where}: reported as healed, but still in effect`);
  require(await heal(trial, before, trial.ctx), `${where}: a later heal is not proven`);
  require(!(await isBroken(trial)), `${where}: still in effect after a later heal`);
}

/** While a fault is in effect and every answer is useless, it is not healed; before it, it has no effect. */
async function withoutAnswers(trial: Trial, answer: (typeof emptyAnswers)[number]): Promise<void> {
  const before = await stored(trial);
  const ctx = disturbed(trial.ctx, () => answer);
  if (trial.kind.unobserved?.(trial.params) !== true) {
    const effect = await call(trial, 'effect', before, ctx).catch(() => false);
    require(!effect, `\`effect\` is true although the command was answered by: ${answer}`);
  }
  await called(trial, 'inject', before);
  const healed = await call(trial, 'healed', before, ctx).catch(() => false);
  require(!healed ||
    !(await isBroken(trial)), `\`healed\` is true although the command was answered by: ${answer}`);
  await heal(trial, before, trial.ctx);
}

/** Most commands of a method of which each is tried without an answer. */
const mostCommands = 20;

/** Aborts each method: while each of its commands gets no answer, and while all are answered. */
async function aborted(kind: AnyFaultKind, test: FaultTest): Promise<void> {
  for (const method of ['before', 'inject', 'effect', 'heal', 'healed'] as const) {
    let isHanging = true;
    for (let at = 0; isHanging && at < mostCommands; at += 1)
      isHanging = await onStand(kind, test, (trial) => abortedAt(trial, method, at));
  }
}

/** Aborts a method whose command `at` gets no answer. Returns whether the method came so far. */
async function abortedAt(trial: Trial, method: Parameters<typeof call>[1], at: number): Promise<boolean> {
  const before = await stored(trial);
  if (method === 'heal' || method === 'healed') await called(trial, 'inject', before);
  const stop = new AbortController();
  let isHanging = false;
  const ctx = hangingAt({ ...trial.ctx, signal: stop.signal }, (n) => {
    isHanging ||= n === at;
    return n === at || stop.signal.aborted;
  });
  const ended = Promise.allSettled([call(trial, method, before, ctx)]);
  await Promise.race([ended, sleep(abortAfterMs)]);
  stop.abort(new Error('the run stops'));
  await within(promised.abort.ms, `\`${method}\``, ended);
  await heal(trial, before, trial.ctx);
  return isHanging;
}
