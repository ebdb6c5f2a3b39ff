import { createSystemClock } from '../../engine/system-clock.ts';
import type { FaultContext } from '../../core/fault.ts';
import type { ExecOptions, Host } from '../../core/host.ts';
import type { AnyFaultKind } from '../../core/kinds.ts';
import type { Json } from '../../core/plan.ts';
import type { FaultStand, FaultTest } from '../define-tests.ts';
import { Broken, ofTest, parsedParams, require, requireJson, threw, withStand } from './check.ts';
import { type Disturbance, type DisturbanceAt, disturb, disturbCommand } from './disturbance.ts';
import { call, type Fault } from './fault-call.ts';

/** Longest time for a fault without its own `effectWithinMs` to take effect, ms. As in a drill. */
const effectWithinMs = 30_000;

/** One trial: a new stand, and what the methods of the kind need. */
export interface Trial extends Fault {
  readonly stand: FaultStand;
  readonly ctx: FaultContext;
  /** Calls of the host, its power switch, and its cloud so far. */
  readonly calls: () => number;
}

/** Whether any part of the fault is in effect, as the author's test sees it. */
export async function isBroken({ stand }: Pick<Trial, 'stand'>): Promise<boolean> {
  return ofTest('isBroken', () => stand.isBroken());
}

/** The state before the fault, as the ledger stores it. Nothing may have acted yet. */
export async function stored(trial: Trial): Promise<Json> {
  const before = await called(trial, 'before', null);
  requireJson(before, 'the result of `before`');
  require(!(await isBroken(
    trial,
  )), '`before` acts: the fault is in effect before its undo record is on disk');
  return before;
}

/** Injects, and waits for the effect. Returns the stored state. */
export async function injected(trial: Trial): Promise<Json> {
  const { kind, params, ctx } = trial;
  const before = await stored(trial);
  const isUnobserved = kind.unobserved?.(params) === true;
  if (!isUnobserved) {
    const isEarly = await call(trial, 'effect', before, ctx).catch(() => false);
    require(!isEarly, '`effect` is true before `inject`');
  }
  requireJson(await called(trial, 'inject', before), 'the result of `inject`');
  const untilMs = ctx.clock.nowMs() + (kind.effectWithinMs ?? effectWithinMs);
  while (!(await called(trial, 'effect', before))) {
    require(ctx.clock.nowMs() < untilMs, '`effect` is not true in time after `inject`');
    await ctx.clock.sleep(200, ctx.signal);
  }
  const passes = kind.healAfter === 'redundancy';
  require(passes || (await isBroken(trial)), '`effect` is true, but the fault is not in effect');
  return before;
}

/** Fails if the fault is proven healed while it is in effect. */
export async function requireUnhealed(trial: Trial, before: Json): Promise<void> {
  const isHealed = await call(trial, 'healed', before, trial.ctx).catch(() => false);
  require(!isHealed || !(await isBroken(trial)), '`healed` is true while the fault is in effect');
}

/** Calls a method that nothing disturbs: if it throws, the message names it. */
export async function called<M extends Parameters<typeof call>[1]>(
  trial: Trial,
  method: M,
  before: Json,
): ReturnType<typeof call<M>> {
  try {
    return await call(trial, method, before, trial.ctx);
  } catch (error) {
    throw error instanceof Broken ? error : new Broken(threw(`\`${method}\``, error));
  }
}

/** Runs one trial on a new stand. */
export async function onStand<T>(
  kind: AnyFaultKind,
  test: FaultTest,
  work: (trial: Trial) => Promise<T>,
): Promise<T> {
  return withStand(test, async (stand) => {
    const params = parsedParams(kind.params, stand.params);
    let calls = 0;
    const { signal } = new AbortController();
    const plain: FaultContext = {
      host: stand.host,
      server: stand.server,
      clock: createSystemClock(),
      signal,
    };
    const ctx = disturbed(plain, () => {
      calls += 1;
      return undefined;
    });
    return work({ kind, params, stand, ctx, calls: () => calls });
  });
}

/** A context in which calls of the host, its power switch, and its cloud go wrong. */
export function disturbed(ctx: FaultContext, at: DisturbanceAt): FaultContext {
  let calls = 0;
  const { host, server } = ctx;
  /** Switches and clouds have no output: they answer, or their answer is lost. */
  const act = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const disturbance = at(calls++, [name]);
    if (typeof disturbance === 'object') throw new Error('a late answer needs a clock');
    return disturb(disturbance, work, work);
  };
  const power = host.power && {
    describe: host.power.describe,
    isOn: (...args: Parameters<typeof host.power.isOn>) => act('isOn', async () => host.power!.isOn(...args)),
    cut: (...args: Parameters<typeof host.power.cut>) => act('cut', async () => host.power!.cut(...args)),
    on: (...args: Parameters<typeof host.power.on>) => act('on', async () => host.power!.on(...args)),
  };
  return {
    ...ctx,
    host: {
      ...withExec(host, (argv, options) =>
        disturbCommand(at(calls++, argv), argv, options, () => host.exec(argv, options)),
      ),
      ...(power === undefined ? {} : { power }),
    },
    server: server && {
      where: server.where,
      state: (signal) => act('state', async () => server.state(signal)),
      stop: (signal) => act('stop', async () => server.stop(signal)),
      start: (signal) => act('start', async () => server.start(signal)),
      reboot: (type, signal) => act('reboot', async () => server.reboot(type, signal)),
      action: (id, signal) => act('action', async () => server.action(id, signal)),
    },
  };
}

/** The call of a host that never ends by itself: it ends with its signal. Others go on as usual. */
export function hangingAt(ctx: FaultContext, hangs: (n: number) => boolean): FaultContext {
  let calls = 0;
  const hang = (argv: readonly string[], options: ExecOptions) =>
    hangs(calls++) ? untilAborted(options.signal) : ctx.host.exec(argv, options);
  return { ...ctx, host: withExec(ctx.host, hang) };
}

function untilAborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  // Not at once: a method that repeats its command for ever would stop the whole process.
  const end = (): void => void setTimeout(() => reject(signal.reason as Error), 5);
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
  return promise;
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

/** Answers of a host that show nothing. */
export const emptyAnswers = [
  'silent',
  'another answers',
  'another version',
  'no program',
] as const satisfies readonly Disturbance[];
