import { readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../core/clock.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import type { NewEvent } from '../core/event.ts';
import type { Host } from '../core/host.ts';
import type { HostName } from '../core/ids.ts';
import type { PlannedProbe } from '../core/plan.ts';
import { codeExtension } from '../installation.ts';
import { probeKind } from '../probes/catalog.ts';
import { createNameResolver } from '../resolver/name-resolver.ts';
import { compileCache } from './compile-cache.ts';
import { raiseSessionPriority } from './priority.ts';
import { openLane, type Lane } from './prober-lane.ts';
import type { FromWorker, ToWorker, WorkerInput } from './prober-messages.ts';
import type { Timers } from './schedule.ts';
import type { DurationMs } from '../core/time.ts';

/** Inputs of the prober. */
export interface ProberOptions {
  readonly probes: readonly PlannedProbe[];
  readonly host: (name: HostName) => Host;
  /**
   * The run clock. It must be a system clock, because the prober's thread creates a second one from its
   * origin.
   */
  readonly clock: Clock;
  /** Timers of the probes on this thread; default: the runtime's. The other thread always uses the runtime's. */
  readonly timers?: Timers | undefined;
  /** Takes samples, dropped slots, marks, and the prober's health, as they come. */
  readonly onEvents: (events: readonly NewEvent[]) => void;
  /**
   * Called at most once, when the prober cannot continue. Missing samples after that show nothing about the
   * target.
   */
  readonly onBroken: (error: DrillError) => void;
  /** Raise the priority during probing, if permitted (see priority.ts). Default: false. */
  readonly raisePriority?: boolean;
  /** For tests: the thread's program. */
  readonly workerUrl?: URL;
  /** For tests: after this time without a message, the thread counts as hung, ms. */
  readonly silenceMs?: DurationMs;
}

/** The running probes. */
export interface Prober {
  /** Switches to the burst intervals, or back to the base intervals. */
  setBurst(on: boolean): void;
  /** Stops probing; resolves when all samples are delivered. Never rejects; may be called again. */
  stop(): Promise<void>;
}

/**
 * The thread reports its health every 5 s. After three missed reports it counts as hung, for example in a
 * slow regular expression.
 */
const defaultSilenceMs = 15_000;
/** Longest time to load the thread's program, ms: a machine that is short of CPU needs many seconds. */
const openWithinMs = 60_000;
const youngGenerationMib = 6;
const stopWithinMs = 3000;

/**
 * Starts all probes: socket probes in their own thread, command probes on this thread. Resolves when all are
 * open and scheduled.
 *
 * @throws DrillError `invalid-input` for invalid probe parameters
 */
export async function startProber(options: ProberOptions): Promise<Prober> {
  let broken = false;
  let stopping: Promise<void> | undefined;

  const onBroken = (error: DrillError): void => {
    if (broken || stopping !== undefined) return;
    broken = true;
    options.onBroken(error);
  };
  const onEvents = (events: readonly NewEvent[]): void => {
    try {
      options.onEvents(events);
    } catch (error) {
      onBroken(new DrillError('harness', `cannot store samples: ${messageOf(error)}`, { cause: error }));
    }
  };

  const lanes: Lane[] = [];
  const isNetwork = (probe: PlannedProbe): boolean => probeKind(probe.kind)?.lane === 'network';
  const network = options.probes.filter(isNetwork);
  const hosted = options.probes.filter((probe) => !isNetwork(probe));
  try {
    if (hosted.length > 0) {
      lanes.push(
        await openLane({
          lane: 'host',
          probes: hosted,
          kindOf: probeKind,
          hostOf: options.host,
          clock: options.clock,
          timers: options.timers ?? globalThis,
          readText: (path) => readFile(path, 'utf8'),
          env: (name) => process.env[name],
          resolveName: createNameResolver(),
          emit: onEvents,
          watchWallClock: network.length === 0,
        }),
      );
    }
    if (network.length > 0) lanes.push(await openWorkerLane(network, options, onEvents, onBroken));
  } catch (error) {
    await Promise.all(lanes.map((lane) => lane.stop()));
    throw error;
  }
  const lowerPriority = options.raisePriority === true ? raiseSessionPriority() : (): void => {};
  for (const lane of lanes) lane.start();
  const stop = async (): Promise<void> => {
    await Promise.all(lanes.map((lane) => lane.stop()));
    lowerPriority();
  };

  return {
    setBurst: (on) => {
      for (const lane of lanes) lane.setBurst(on);
    },
    stop: () => (stopping ??= stop()),
  };
}

/** A lane whose probes run in a worker thread. */
async function openWorkerLane(
  probes: readonly PlannedProbe[],
  options: ProberOptions,
  onEvents: (events: readonly NewEvent[]) => void,
  onBroken: (error: DrillError) => void,
): Promise<Lane> {
  const { clock } = options;
  // Offset 0 of the run clock on CLOCK_MONOTONIC, which all threads share.
  const originNs = process.hrtime.bigint() - BigInt(Math.round(clock.nowMs() * 1e6));
  const worker = new Worker(
    options.workerUrl ?? new URL(`./prober-worker.${codeExtension}`, import.meta.url),
    {
      workerData: { probes, originNs, raisePriority: options.raisePriority === true } satisfies WorkerInput,
      env: { ...process.env, ...compileCache() },
      // An attempt's garbage is short-lived: a larger young generation (default 32 MiB or more) would only keep
      // it longer.
      resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMib },
    },
  );
  const opened = Promise.withResolvers<void>();
  const stopped = Promise.withResolvers<void>();
  let isOpen = false;
  let ending = false;
  let heardMs = clock.nowMs();

  const fail = (error: DrillError): void => {
    opened.reject(error);
    stopped.resolve();
    if (isOpen && !ending) onBroken(error);
  };
  worker.on('message', (message: FromWorker) => {
    heardMs = clock.nowMs();
    switch (message.type) {
      case 'opened':
        return opened.resolve();
      case 'failed': {
        const hint = message.hint === undefined ? {} : { hint: message.hint };
        return opened.reject(new DrillError(message.code, message.message, hint));
      }
      case 'events':
        return onEvents(message.events);
      case 'stopped':
        return stopped.resolve();
    }
  });
  worker.on('messageerror', (error) => fail(proberError('sent an unreadable message', error)));
  worker.on('error', (error) => fail(proberError(`failed: ${messageOf(error)}`, error)));
  worker.on('exit', (code) => fail(proberError(`ended with exit code ${code}`)));

  await within(openWithinMs, opened.promise, async () => {
    ending = true;
    await worker.terminate();
  });
  isOpen = true;

  const silenceMs = options.silenceMs ?? defaultSilenceMs;
  const isSilent = (): boolean => clock.nowMs() - heardMs > silenceMs;
  const watchdog = setInterval(() => {
    if (!isSilent()) return;
    // This thread may have been busy: read the other thread's messages first.
    setTimeout(() => {
      if (isSilent()) fail(proberError(`has sent nothing for ${Math.round(silenceMs)} ms`));
    }, 100).unref();
  }, silenceMs / 4);
  watchdog.unref();

  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  const send = (message: ToWorker): void => worker.postMessage(message);
  const stop = async (): Promise<void> => {
    clearInterval(watchdog);
    ending = true;
    send({ type: 'stop' });
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, stopWithinMs);
    await Promise.race([stopped.promise, late]);
    clearTimeout(timer);
    await worker.terminate();
  };
  return { start: () => send({ type: 'start' }), setBurst: (on) => send({ type: 'burst', on }), stop };
}

function proberError(what: string, cause?: unknown): DrillError {
  return new DrillError('harness', `the prober's thread ${what}`, cause === undefined ? {} : { cause });
}

/** Awaits a thread's opening; ends the thread if it fails or takes too long. */
async function within(ms: DurationMs, opening: Promise<void>, end: () => Promise<void>): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(proberError(`did not start within ${ms} ms`)), ms);
  try {
    await Promise.race([opening, late]);
  } catch (error) {
    await end();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
