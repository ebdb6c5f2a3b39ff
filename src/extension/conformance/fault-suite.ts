import type { FaultContext } from '../../core/fault.ts';
import type { ExecOptions, Host } from '../../core/host.ts';
import type { AnyFaultKind } from '../../core/kinds.ts';
import type { Json } from '../../core/plan.ts';
import { createSystemClock } from '../../engine/system-clock.ts';
import type { FaultStand, FaultTest } from '../define-tests.ts';
import { check, parsedParams, type Report, require, requireJson, within } from './check.ts';
import { type Disturbance, type DisturbanceAt, disturbCommand } from './disturbance.ts';
import { cycle, disturbances, type Fault, heal } from './fault-cycle.ts';

/** Longest time for a fault without its own `effectWithinMs` to take effect, ms. As in a drill. */
const effectWithinMs = 30_000;
/** Longest time from an abort to the end of a method, ms. */
const abortWithinMs = 2000;

/** One trial: a new stand, and what the methods of the kind need. */
interface Trial extends Fault {
  readonly stand: FaultStand;
  readonly ctx: FaultContext;
  /** Commands that the kind has run so far. */
  readonly commands: () => number;
}

/** Tries what a fault kind promises, on stands of its author's test. */
export async function tryFault(kind: AnyFaultKind, test: FaultTest, report: Report): Promise<void> {
  const attempt = (promise: string, work: () => Promise<void>): Promise<boolean> =>
    check(report, kind.kind, promise, work);

  await attempt('describes itself, with parameters that can be stored, and changes nothing', () =>
    onStand(kind, test, async ({ params, stand }) => {
      const { inject, heal: healText, blastRadius } = kind.describe(params);
      for (const [name, text] of Object.entries({ inject, heal: healText, blastRadius }))
        require(typeof text === 'string' && text !== '', `describe().${name} is empty`);
      kind.uses?.(undefined);
      kind.uses?.(params);
      require(!(await stand.isBroken()), 'the stand is broken before anything was injected');
    }),
  );
  const works = await attempt(
    '`before` changes nothing, `inject` acts, `effect` shows it, and `heal` undoes it',
    () =>
      onStand(kind, test, async (trial) => {
        const before = await injected(trial);
        require(await heal(trial, before, trial.ctx), '`healed` is not true after 5 heals');
        require(!(await trial.stand.isBroken()), '`healed` is true, but the fault is still in force');
      }),
  );
  if (!works) {
    report({
      kind: kind.kind,
      promise: 'the other promises of a fault',
      status: 'not-tried',
      seen: 'it cannot be injected and healed',
    });
    return;
  }
  await attempt('a heal may be repeated', () =>
    onStand(kind, test, async (trial) => {
      const before = await injected(trial);
      for (const n of [1, 2, 3]) {
        await trial.kind.heal(trial.params, before, trial.ctx);
        require(await isProven(trial, before), `\`healed\` is not true after heal ${n}`);
      }
    }),
  );
  await attempt('a heal does no harm if the fault was never injected', () =>
    onStand(kind, test, async (trial) => {
      const before = await stored(trial);
      require(await heal(trial, before, trial.ctx), '`healed` is not true after 5 heals');
      require(!(await trial.stand.isBroken()), 'the heal broke the stand');
    }),
  );
  await tryUndo(kind, test, report);
  const steps = await onStand(kind, test, async (trial) => {
    await cycle(trial, trial.ctx);
    return trial.commands();
  });
  for (const disturbance of disturbances) {
    await attempt(
      `is never reported as healed while it is in force, and is healed in the end (${disturbance})`,
      async () => {
        for (let at = 0; at < steps; at += 1)
          await onStand(kind, test, (trial) => disturbedCycle(trial, at, disturbance));
      },
    );
  }
  await attempt('answers that show nothing prove neither the effect nor the heal', () =>
    withoutAnswers(kind, test),
  );
  await attempt(`every method ends within ${abortWithinMs} ms after its signal aborts`, () =>
    aborted(kind, test),
  );
}

/** The script of the auto-revert timer does the same as the heal. */
async function tryUndo(kind: AnyFaultKind, test: FaultTest, report: Report): Promise<void> {
  const promise = 'the `undo` script undoes the fault, and may run again';
  if (kind.undo === undefined) {
    report({ kind: kind.kind, promise, status: 'not-tried', seen: 'it has no `undo`' });
    return;
  }
  await check(report, kind.kind, promise, () =>
    onStand(kind, test, async (trial) => {
      const before = await injected(trial);
      const script = kind.undo?.(trial.params, before);
      if (script === undefined) return;
      for (const n of [1, 2]) {
        const { exitCode, stderr } = await trial.stand.host.exec(['/bin/sh', '-c', script], {
          timeoutMs: 60_000,
          signal: trial.ctx.signal,
        });
        require(exitCode === 0, `run ${n} exited ${exitCode}: ${stderr.trim()}`);
        require(!(await trial.stand.isBroken()), `the fault is still in force after run ${n}`);
      }
      require(await isProven(trial, before), '`healed` is not true after the script');
    }),
  );
}

/** A cycle in which one command goes wrong. */
async function disturbedCycle(trial: Trial, step: number, disturbance: Disturbance): Promise<void> {
  const { stand } = trial;
  const at: DisturbanceAt = (call) => (call === step ? disturbance : undefined);
  const { before, isHealed } = await cycle(trial, {
    ...trial.ctx,
    host: withDisturbances(trial.ctx.host, at),
  });
  const where = `command ${step + 1} went wrong`;
  if (before === undefined) {
    require(!(await stand.isBroken()), `${where}: \`before\` failed, and the fault is in force`);
    return;
  }
  require(!isHealed || !(await stand.isBroken()), `${where}: reported as healed, and still in force`);
  require(await heal(trial, before, trial.ctx), `${where}: a later heal is not proven`);
  require(!(await stand.isBroken()), `${where}: still in force after a later heal`);
}

/** While a fault is in force and every answer is useless, it is not healed; before it, it has no effect. */
async function withoutAnswers(kind: AnyFaultKind, test: FaultTest): Promise<void> {
  for (const disturbance of ['silent', 'another answers', 'another version', 'no program'] as const) {
    await onStand(kind, test, async (trial) => {
      const before = await stored(trial);
      const ctx = { ...trial.ctx, host: withDisturbances(trial.ctx.host, () => disturbance) };
      if (kind.unobserved?.(trial.params) !== true) {
        const effect = await kind.effect(trial.params, before, ctx).catch(() => false);
        require(!effect, `\`effect\` is true although the command was answered by: ${disturbance}`);
      }
      await kind.inject(trial.params, before, trial.ctx);
      const healed = await kind.healed(trial.params, before, ctx).catch(() => false);
      require(!healed ||
        !(await trial.stand.isBroken()), `\`healed\` is true although the command was answered by: ${disturbance}`);
      await heal(trial, before, trial.ctx);
    });
  }
}

async function aborted(kind: AnyFaultKind, test: FaultTest): Promise<void> {
  const methods = ['before', 'inject', 'effect', 'heal', 'healed'] as const;
  for (const method of methods) {
    await onStand(kind, test, async (trial) => {
      const before = await stored(trial);
      const stop = new AbortController();
      const ctx = { ...trial.ctx, signal: stop.signal, host: withExec(trial.ctx.host, hanging) };
      const call =
        method === 'before' ? kind.before(trial.params, ctx) : kind[method](trial.params, before, ctx);
      const ended = Promise.allSettled([call]);
      await new Promise(setImmediate);
      stop.abort(new Error('the run stops'));
      await within(abortWithinMs, `\`${method}\``, ended);
    });
  }
}

/** A command without an answer: it ends only with its signal. */
function hanging(_argv: readonly string[], { signal }: ExecOptions): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const end = (): void => reject(signal.reason as Error);
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
  return promise;
}

/** The state before the fault, as the ledger stores it. Nothing may have acted yet. */
async function stored({ kind, params, ctx, stand }: Trial): Promise<Json> {
  const before = await kind.before(params, ctx);
  requireJson(before, 'the result of `before`');
  require(!(await stand.isBroken()), '`before` acts: the fault is in force before its undo record is on disk');
  return JSON.parse(JSON.stringify(before)) as Json;
}

/** Injects, and waits for the effect. Returns the stored state. */
async function injected(trial: Trial): Promise<Json> {
  const { kind, params, ctx, stand } = trial;
  const before = await stored(trial);
  requireJson(await kind.inject(params, before, ctx), 'the result of `inject`');
  const untilMs = ctx.clock.nowMs() + (kind.effectWithinMs ?? effectWithinMs);
  while (!(await kind.effect(params, before, ctx))) {
    require(ctx.clock.nowMs() < untilMs, '`effect` is not true in time after `inject`');
    await ctx.clock.sleep(200, ctx.signal);
  }
  const passes = kind.healAfter === 'redundancy';
  require(passes || (await stand.isBroken()), '`effect` is true, but the fault is not in force');
  return before;
}

async function isProven({ kind, params, ctx, stand }: Trial, before: Json): Promise<boolean> {
  return (await kind.healed(params, before, ctx)) && !(await stand.isBroken());
}

/** Runs one trial on a new stand. */
async function onStand<T>(
  kind: AnyFaultKind,
  test: FaultTest,
  work: (trial: Trial) => Promise<T>,
): Promise<T> {
  const stand = await test.setUp();
  try {
    const params = parsedParams(kind.params, stand.params);
    let commands = 0;
    const host = withExec(stand.host, (argv, options) => {
      commands += 1;
      return stand.host.exec(argv, options);
    });
    const { signal } = new AbortController();
    const ctx: FaultContext = { host, server: stand.server, clock: createSystemClock(), signal };
    return await work({ kind, params, stand, ctx, commands: () => commands });
  } finally {
    await stand.tearDown?.();
  }
}

function withDisturbances(host: Host, at: DisturbanceAt): Host {
  let calls = 0;
  return withExec(host, (argv, options) =>
    disturbCommand(at(calls++, argv), argv, options, () => host.exec(argv, options)),
  );
}

/** The same host with another `exec`. Its other members keep their host, which may be an instance of a class. */
function withExec(host: Host, exec: Host['exec']): Host {
  const { name, transport, pipe, power, isThisMachine, container } = host;
  return {
    name,
    transport,
    exec,
    follow: (argv, signal) => host.follow(argv, signal),
    ...(pipe === undefined ? {} : { pipe: (argv) => pipe.call(host, argv) }),
    ...(power === undefined ? {} : { power }),
    ...(isThisMachine === undefined ? {} : { isThisMachine }),
    ...(container === undefined ? {} : { container }),
  };
}
