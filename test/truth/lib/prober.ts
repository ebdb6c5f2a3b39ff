import { roundMs } from '../../../src/core/clock.ts';
import type { NewEvent } from '../../../src/core/event.ts';
import type { PlannedProbe } from '../../../src/core/plan.ts';
import type { Sample } from '../../../src/core/sample.ts';
import { type RunMs, runMs } from '../../../src/core/time.ts';
import { type Schedule, startSchedule, type Timers } from '../../../src/engine/schedule.ts';
import type { Journal } from './journal.ts';
import type { Evidence, Reply, Request, Service } from './service.ts';
import type { SimulatedTime } from './simulated-time.ts';

/** A time during which the prober's thread does not run, ms on the run clock. */
export interface Stall {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A sample with its true evidence. */
export interface SentSample {
  readonly sample: Sample;
  readonly evidence: readonly Evidence[];
  /** Whether it is in the log. */
  readonly isLogged: boolean;
}

/** A probe instance and its service. */
export interface ProbedService {
  readonly probe: PlannedProbe;
  readonly service: Service;
  /** Phase of its slots within the interval, in [0, 1). */
  readonly phase: number;
  /** `unknown`: the attempt itself failed; `lost`: the sample is missing from the log. */
  readonly fate?: (slot: number) => 'unknown' | 'lost' | undefined;
  /** The journal that it reads: lines become marks, and a failed attempt is unknown. */
  readonly journal?: Journal;
}

/** Simulates the prober's thread (src/engine/prober-lane.ts) on simulated services instead of sockets. */
export interface SimulatedProber {
  /** All samples so far, in order of their finish. */
  readonly sent: readonly SentSample[];
  setBurst(on: boolean): void;
  /** Ends all schedules. Attempts in flight leave no sample. */
  stop(): void;
}

/** If a timeout fires later than this, the prober was late and the sample is unknown, ms (src/engine/prober-lane.ts). */
const lateTimeoutMs = 50;
/** Shorter stalls are not recorded in samples, ms. */
const leastStallMs = 50;
const healthEveryMs = 5000;

/** Options of the simulated prober. */
interface ProberOptions {
  readonly time: SimulatedTime;
  readonly probed: readonly ProbedService[];
  readonly stalls: readonly Stall[];
  readonly onSample: (sample: Sample, isLogged: boolean) => void;
  readonly onEvent: (event: NewEvent) => void;
}

/** Starts all probes. */
export function startSimulatedProber(options: ProberOptions): SimulatedProber {
  const { time, probed, stalls, onEvent } = options;
  const sent: SentSample[] = [];
  let isStopped = false;
  const thread = threadOf(time, stalls);
  const schedules = probed.map((one) => {
    const { probe } = one;
    const schedule = startSchedule({
      nowMs: () => time.nowMs(),
      timers: thread.timers,
      intervalMs: probe.intervalMs,
      timeoutMs: probe.timeoutMs,
      phase: one.phase,
      send: async (slot, dueMs, answered) => {
        const attempted = await attemptOnce(one, { slot, dueMs: roundMs(dueMs) }, { time, thread });
        if (isStopped) return;
        if (attempted.isAnswer) answered(attempted.sample.finishMs - attempted.sample.sendMs);
        const isLogged = one.fate?.(slot) !== 'lost';
        sent.push({ sample: attempted.sample, evidence: attempted.evidence, isLogged });
        options.onSample(attempted.sample, isLogged);
        for (const mark of marksOf(one, attempted)) onEvent(mark);
      },
      drop: (slot, dueMs, reason) => {
        const event = { type: 'sample.dropped', probe: probe.id, slot, dueMs: roundMs(dueMs) } as const;
        onEvent(reason === 'pace' ? { ...event, reason } : event);
      },
    });
    return { probe, schedule };
  });
  const stopHealth = reportHealth(time, thread, onEvent);
  return {
    sent,
    setBurst: (on) => {
      for (const { probe, schedule } of schedules) setInterval(probe, schedule, on);
    },
    stop: () => {
      isStopped = true;
      for (const { schedule } of schedules) schedule.stop();
      stopHealth();
    },
  };
}

/** The marks from reading a journal. */
function marksOf({ probe, journal }: ProbedService, { sample, evidence }: Attempted): readonly NewEvent[] {
  if (journal === undefined || sample.status !== 'ok') return [];
  return journal.readUntil(evidence.at(-1)?.atMs ?? 0).map(({ name, value, host, atMs }) => ({
    type: 'mark',
    probe: probe.id,
    host: host ?? probe.host ?? '',
    name,
    ...(value === undefined ? {} : { value }),
    atMs: runMs(atMs),
    text: name,
  }));
}

function setInterval(probe: PlannedProbe, schedule: Schedule, isBurst: boolean): void {
  schedule.setIntervalMs(isBurst ? (probe.burstIntervalMs ?? probe.intervalMs) : probe.intervalMs);
}

/** A thread whose callbacks wait for the end of a stall. */
interface Thread {
  readonly timers: Timers;
  /** Runs a socket callback now, or at the end of the stall. */
  receive(run: () => void): void;
  /** The longest overlap of a stall with [fromMs, toMs], ms. */
  stallMs(fromMs: number, toMs: number): number;
}

function threadOf(time: SimulatedTime, stalls: readonly Stall[]): Thread {
  const stallNow = (): Stall | undefined =>
    stalls.find((stall) => stall.fromMs <= time.nowMs() && time.nowMs() < stall.toMs);
  const run = (callback: () => void, turn: 'timer' | 'io'): (() => void) => {
    const stall = stallNow();
    if (stall !== undefined) return time.at(stall.toMs, callback, turn);
    callback();
    return () => undefined;
  };
  return {
    timers: {
      setTimeout: (callback, ms) => {
        let cancel = (): void => undefined;
        const timer = time.timers.setTimeout(() => {
          cancel = run(callback, 'timer');
        }, ms);
        return () => {
          time.timers.clearTimeout(timer);
          cancel();
        };
      },
      clearTimeout: (cancel) => (cancel as (() => void) | undefined)?.(),
    },
    receive: (callback) => void run(callback, 'io'),
    stallMs: (fromMs, toMs) =>
      stalls.reduce(
        (longest, stall) =>
          stall.fromMs > toMs
            ? longest
            : Math.max(longest, Math.min(stall.toMs, toMs) - Math.max(stall.fromMs, fromMs)),
        0,
      ),
  };
}

/** A sample with its evidence. */
interface Attempted {
  readonly sample: Sample;
  readonly evidence: readonly Evidence[];
  readonly isAnswer: boolean;
}

/** Takes one sample, rounded to whole microseconds, as in the log. */
async function attemptOnce(
  { probe, service, fate, journal }: ProbedService,
  slot: { readonly slot: number; readonly dueMs: RunMs },
  { time, thread }: { readonly time: SimulatedTime; readonly thread: Thread },
): Promise<Attempted> {
  const { promise, resolve } = Promise.withResolvers<Reply | 'timeout' | 'late'>();
  const sendMs = time.nowMs();
  const request: Request = service.request((reply) => thread.receive(() => resolve(reply)));
  const timer = thread.timers.setTimeout(() => {
    const lateMs = time.nowMs() - sendMs - probe.timeoutMs;
    // Replies that arrived during a stall are read before the timeout takes effect.
    time.at(time.nowMs(), () => resolve(lateMs > lateTimeoutMs ? 'late' : 'timeout'), 'immediate');
  }, Math.ceil(probe.timeoutMs));
  const reply = await promise;
  thread.timers.clearTimeout(timer);
  request.cancel();
  const finishMs = time.nowMs();
  const stallMs = thread.stallMs(sendMs, finishMs);
  const answered = fate?.(slot.slot) === 'unknown' ? unknownOf('EMFILE') : statusOf(reply);
  const isUnread = journal !== undefined && answered.status === 'fail';
  const status = isUnread ? unknownOf('the journal was not read') : answered;
  return {
    sample: {
      probe: probe.id,
      ...slot,
      sendMs: roundMs(sendMs),
      finishMs: roundMs(finishMs),
      ...(stallMs < leastStallMs ? {} : { stallMs: roundMs(stallMs) }),
      ...status,
    },
    evidence: request.evidence,
    isAnswer: typeof reply === 'object',
  };
}

function statusOf(reply: Reply | 'timeout' | 'late'): Pick<Sample, 'status' | 'cause' | 'value' | 'message'> {
  if (reply === 'late') return unknownOf('the prober itself was stalled at the timeout');
  if (reply === 'timeout') return { status: 'fail', cause: 'timeout' };
  if (!reply.ok) return { status: 'fail', cause: reply.cause };
  return reply.value === undefined ? { status: 'ok' } : { status: 'ok', value: reply.value };
}

function unknownOf(message: string): Pick<Sample, 'status' | 'message'> {
  return { status: 'unknown', message };
}

/** Reports the thread's health every 5 s, with its longest stall. */
function reportHealth(time: SimulatedTime, thread: Thread, onEvent: (event: NewEvent) => void): () => void {
  let timer: unknown;
  let sinceMs = time.nowMs();
  const report = (): void => {
    const loopMaxMs = roundMs(Math.max(1, thread.stallMs(sinceMs, time.nowMs())));
    onEvent({ type: 'prober.health', lane: 'network', loopMaxMs, loopP99Ms: 1 });
    sinceMs = time.nowMs();
    timer = thread.timers.setTimeout(report, healthEveryMs);
  };
  timer = thread.timers.setTimeout(report, healthEveryMs);
  return () => thread.timers.clearTimeout(timer);
}
