import type { Clock } from '../core/clock.ts';
import { roundMs } from '../core/clock.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import type { NewEvent } from '../core/event.ts';
import type { Host } from '../core/host.ts';
import type { ProbeId } from '../core/ids.ts';
import type { PlannedProbe } from '../core/plan.ts';
import { ProbeTimeout, type ProbeKind, type ProbeSession, type ResolveName } from '../core/probe.ts';
import type { LogMark, Observation, Phases, Sample } from '../core/sample.ts';
import { watchClock } from './clock-watch.ts';
import { watchLoop, type LoopWatch } from './loop-watch.ts';
import { startSchedule, type Schedule, type Timers } from './schedule.ts';
import { distantPast, type DurationMs, type RunMs, runMs, type WallMs } from '../core/time.ts';

/** Inputs of a lane. */
export interface LaneOptions {
  /** Name for prober.health: `network` or `host`. */
  readonly lane: string;
  readonly probes: readonly PlannedProbe[];
  readonly kindOf: (kind: string) => ProbeKind<unknown> | undefined;
  /** The host of that name; undefined in a thread without hosts. */
  readonly hostOf: (name: string) => Host | undefined;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly readText: (path: string) => Promise<string>;
  readonly resolveName: ResolveName;
  readonly env: (name: string) => string | undefined;
  /** Takes the events of one turn of the loop, in order. */
  readonly emit: (events: readonly NewEvent[]) => void;
  /** Report steps of the wall clock: one lane of a prober does. */
  readonly watchWallClock?: boolean;
}

/** Probes that share a thread. */
export interface Lane {
  /** Starts the schedules. */
  start(): void;
  setBurst(on: boolean): void;
  /**
   * Ends the schedules, cancels attempts in flight (they leave no sample), and closes the sessions. Never
   * rejects.
   */
  stop(): Promise<void>;
}

const healthEveryMs = 5000;
/** An attempt that ignores its signal is abandoned this long after its timeout. */
const ignoreGraceMs = 500;
/** If the timeout fires this late, the reply may be waiting unread, so the sample is unknown. */
const lateTimeoutMs = 50;
const closeWithinMs = 2000;
/**
 * Shortest time between two messages, ms: with many samples per second, a message costs more than its
 * content.
 */
const batchMs = 5;

/** Opens the probes of one thread. @throws DrillError `invalid-input` for invalid probe parameters */
export async function openLane(options: LaneOptions): Promise<Lane> {
  const opened: { readonly planned: PlannedProbe; readonly session: ProbeSession }[] = [];
  try {
    for (const planned of options.probes) {
      opened.push({ planned, session: await openProbe(planned, options) });
    }
  } catch (error) {
    await closeAll(
      opened.map((probe) => probe.session),
      options.timers,
    );
    throw error;
  }
  return runLane(opened, options);
}

async function openProbe(planned: PlannedProbe, options: LaneOptions): Promise<ProbeSession> {
  const kind = options.kindOf(planned.kind);
  if (kind === undefined) throw new DrillError('harness', `${planned.id}: no probe kind "${planned.kind}"`);
  const from = planned.from ?? planned.host;
  try {
    return await kind.open(planned.params, {
      host: from === undefined ? undefined : options.hostOf(from),
      clock: options.clock,
      timeoutMs: planned.timeoutMs,
      readText: options.readText,
      resolveName: options.resolveName,
      env: options.env,
    });
  } catch (error) {
    const code = error instanceof DrillError ? error.code : 'harness';
    const hint = error instanceof DrillError ? error.hint : undefined;
    throw new DrillError(code, `probe ${planned.id}: ${messageOf(error)}`, {
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

function runLane(
  opened: readonly { readonly planned: PlannedProbe; readonly session: ProbeSession }[],
  options: LaneOptions,
): Lane {
  const { clock, timers, emit } = options;
  const queue: NewEvent[] = [];
  const stopping: Stopping = { reason: undefined, cuts: new Set() };
  const underWay = new Set<Promise<void>>();
  const schedules: { readonly planned: PlannedProbe; readonly schedule: Schedule }[] = [];
  let watch: LoopWatch | undefined;
  let healthTimer: unknown;
  let flushTimer: unknown;
  let stopped: Promise<void> | undefined;

  let flushedMs = distantPast;

  const flush = (): void => {
    if (queue.length === 0) return;
    flushedMs = clock.nowMs();
    emit(queue.splice(0));
  };
  const add = (event: NewEvent): void => {
    queue.push(event);
    if (queue.length > 1) return;
    // Waits for the other replies of this turn, to send them together.
    if (clock.nowMs() - flushedMs >= batchMs) setImmediate(flush);
    else flushTimer = timers.setTimeout(flush, batchMs);
  };
  const health = (): void => {
    if (watch === undefined) return;
    const { maxMs, p99Ms } = watch.take();
    const { lane } = options;
    add({ type: 'prober.health', lane, loopMaxMs: roundMs(maxMs), loopP99Ms: roundMs(p99Ms) });
  };

  const startProbe = (phase: number, planned: PlannedProbe, session: ProbeSession): void => {
    const attempt = async (
      slot: number,
      dueMs: RunMs,
      {
        given,
        answered,
      }: { readonly given: Promise<Observation>; readonly answered: (ms: DurationMs) => void },
    ): Promise<void> => {
      const sendMs = clock.nowMs();
      const seen = await given;
      const finishMs = clock.nowMs();
      if (stopping.reason !== undefined) return;
      if (isAnswer(seen)) answered(finishMs - sendMs);
      const stallMs = watch?.stallSince(sendMs) ?? 0;
      const times = { dueMs, sendMs, finishMs, stallMs };
      add({ type: 'sample', ...toSample(planned.id, slot, times, seen) });
      if (seen.status === 'ok') for (const mark of seen.marks ?? []) add(toMark(planned, mark, clock));
    };
    const schedule = startSchedule({
      nowMs: () => clock.nowMs(),
      timers,
      intervalMs: planned.intervalMs,
      timeoutMs: planned.timeoutMs,
      phase,
      send: async (slot, dueMs, answered) => {
        const { given, over } = observe(session, planned.timeoutMs, stopping, options);
        const running = attempt(slot, dueMs, { given, answered });
        underWay.add(running);
        await running.finally(() => underWay.delete(running));
        await over;
      },
      isBusy: () => session.isBusy?.() === true,
      drop: (slot, dueMs, reason) => {
        add({
          type: 'sample.dropped',
          probe: planned.id,
          slot,
          dueMs: roundMs(dueMs),
          ...(reason === 'pace' ? { reason } : {}),
        });
      },
    });
    schedules.push({ planned, schedule });
  };

  const end = async (): Promise<void> => {
    for (const { schedule } of schedules) schedule.stop();
    timers.clearTimeout(healthTimer);
    health();
    watch?.stop();
    stopping.reason = new Error('the run stops');
    for (const cut of stopping.cuts) cut(stopping.reason);
    await Promise.all(underWay);
    await closeAll(
      opened.map((probe) => probe.session),
      timers,
    );
    timers.clearTimeout(flushTimer);
    flush();
  };

  return {
    start: () => {
      const clockStep = options.watchWallClock === true ? watchClock(clock) : (): undefined => undefined;
      watch = watchLoop(
        () => clock.nowMs(),
        timers,
        () => {
          const step = clockStep();
          if (step !== undefined) add({ type: 'clock.stepped', ...step });
        },
      );
      const healthTick = (): void => {
        health();
        healthTimer = timers.setTimeout(healthTick, healthEveryMs);
      };
      healthTimer = timers.setTimeout(healthTick, healthEveryMs);
      // Spread over the interval in the plan's order.
      const place = ({ kind, name, id }: PlannedProbe): string =>
        options.kindOf(kind)?.together === true ? name : id;
      const places = [...new Set(opened.map(({ planned }) => place(planned)))];
      for (const { planned, session } of opened) {
        startProbe(places.indexOf(place(planned)) / places.length, planned, session);
      }
    },
    setBurst: (on) => {
      for (const { planned, schedule } of schedules) {
        const burstMs = planned.burstIntervalMs ?? planned.intervalMs;
        schedule.setIntervalMs(on ? burstMs : planned.intervalMs);
      }
    },
    stop: () => (stopped ??= end()),
  };
}

/**
 * Cancels attempts in flight. With one signal for all, the end of each attempt would search all of its
 * listeners.
 */
interface Stopping {
  reason: Error | undefined;
  readonly cuts: Set<(reason: Error) => void>;
}

/**
 * Whether the target answered in its own time. Timeouts, results made by this thread, and DNS errors are not
 * answers of the target.
 */
function isAnswer(seen: Observation): boolean {
  return seen.status === 'ok' || (seen.status === 'fail' && seen.cause !== 'timeout' && seen.cause !== 'dns');
}

/** The attempt ended with its timeout: the target or the DNS servers did not answer. */
function isTimeout(seen: Observation, { aborted }: AbortSignal): boolean {
  return seen.status === 'fail' && (seen.cause === 'timeout' || (seen.cause === 'dns' && aborted));
}

/**
 * One attempt with its timeout. `given` is its result; it never rejects, and resolves even if the probe
 * ignores the signal. `over` resolves when the probe has finished with the attempt, which may be later, or
 * never.
 */
function observe(
  session: ProbeSession,
  timeoutMs: DurationMs,
  stopping: Stopping,
  options: Pick<LaneOptions, 'clock' | 'timers'>,
): { readonly given: Promise<Observation>; readonly over: Promise<void> } {
  const controller = new AbortController();
  const observing = (async () => session.observe(controller.signal))();
  const over = observing.then(
    () => undefined,
    () => undefined,
  );
  return { given: withTimeout(observing, controller, timeoutMs, stopping, options), over };
}

async function withTimeout(
  observing: Promise<Observation>,
  controller: AbortController,
  timeoutMs: DurationMs,
  stopping: Stopping,
  { clock, timers }: Pick<LaneOptions, 'clock' | 'timers'>,
): Promise<Observation> {
  const givenUp = Promise.withResolvers<Observation>();
  const startMs = clock.nowMs();
  let lateMs = 0;
  let timer = timers.setTimeout(() => {
    lateMs = clock.nowMs() - startMs - timeoutMs;
    // Read replies that arrived while this thread was busy before the timeout fires: the poll phase comes
    // between timers and immediates.
    setImmediate(() => controller.abort(new ProbeTimeout(timeoutMs)));
    timer = timers.setTimeout(() => {
      givenUp.resolve({ status: 'unknown', message: 'the probe ignored its timeout' });
    }, ignoreGraceMs);
  }, Math.ceil(timeoutMs));
  const cut = (reason: Error): void => {
    controller.abort(reason);
    givenUp.resolve({ status: 'unknown', message: 'the run stopped' });
  };
  stopping.cuts.add(cut);
  try {
    if (stopping.reason !== undefined) cut(stopping.reason);
    const seen = await Promise.race([observing, givenUp.promise]);
    if (isTimeout(seen, controller.signal) && lateMs > lateTimeoutMs) {
      const stall = Math.round(lateMs);
      return { status: 'unknown', message: `the prober itself was stalled for ${stall} ms at the timeout` };
    }
    return seen;
  } catch (error) {
    return { status: 'unknown', message: `the probe threw an error: ${messageOf(error)}` };
  } finally {
    timers.clearTimeout(timer);
    stopping.cuts.delete(cut);
  }
}

/** Shortest stall that a sample records, ms. */
const reportStallMs = 50;

function toSample(
  probe: ProbeId,
  slot: number,
  times: {
    readonly dueMs: RunMs;
    readonly sendMs: RunMs;
    readonly finishMs: RunMs;
    readonly stallMs: DurationMs;
  },
  seen: Observation,
): Sample {
  return {
    probe,
    slot,
    dueMs: roundMs(times.dueMs),
    sendMs: roundMs(times.sendMs),
    finishMs: roundMs(times.finishMs),
    ...(times.stallMs < reportStallMs ? {} : { stallMs: roundMs(times.stallMs) }),
    status: seen.status,
    ...(seen.status === 'fail' ? { cause: seen.cause } : {}),
    ...(seen.status !== 'unknown' && seen.value !== undefined ? { value: seen.value } : {}),
    ...(seen.status === 'ok' ? {} : { message: seen.message }),
    ...(seen.status !== 'unknown' && seen.phases !== undefined ? { phases: roundPhases(seen.phases) } : {}),
  };
}

function roundPhases(phases: Phases): Phases {
  return Object.fromEntries(
    Object.entries(phases).map(([name, ms]: [string, number]) => [name, roundMs(ms)]),
  );
}

/**
 * Converts a mark's wall time to the run clock, by the current offset of the two clocks. It assumes that the
 * host's wall clock agrees with this machine's.
 */
function toMark(planned: PlannedProbe, mark: LogMark, clock: Clock): NewEvent {
  const host = mark.host ?? planned.host;
  const offsetMs = clock.wallMs() - clock.nowMs();
  const onRunClock = (ms: WallMs): RunMs => roundMs(runMs(ms - offsetMs));
  const { bounds } = mark;
  return {
    type: 'mark',
    probe: planned.id,
    ...(host === undefined ? {} : { host }),
    name: mark.name,
    ...(mark.value === undefined ? {} : { value: mark.value }),
    atMs: onRunClock(mark.wallMs),
    ...(bounds === undefined ? {} : { minMs: onRunClock(bounds.minMs), maxMs: onRunClock(bounds.maxMs) }),
    text: mark.text,
  };
}

async function closeAll(sessions: readonly ProbeSession[], timers: Timers): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = timers.setTimeout(resolve, closeWithinMs);
  await Promise.race([Promise.allSettled(sessions.map(async (session) => session.close())), late]);
  timers.clearTimeout(timer);
}
