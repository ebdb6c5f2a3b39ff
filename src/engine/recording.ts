import { withCleanup } from '../core/cleanup.ts';
import type { Clock } from '../core/clock.ts';
import { loadExtensions } from '../extension/load.ts';
import { controlEveryMs, controlWorkMs } from '../core/starvation-limits.ts';
import { messageOf } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import type { HostName, ProbeId } from '../core/ids.ts';
import type { PlannedProbe } from '../core/plan.ts';
import type { Sample } from '../core/sample.ts';
import type { Control, StartControl } from './control.ts';
import type { EventLog } from './event-log.ts';
import { readCpuTimes } from './cpu-times.ts';
import { meterHarness } from './harness-cost.ts';
import { localMachine } from './local-machine.ts';
import type { MachineHealth } from './machine-health.ts';
import type { PressureWatch, StartPressure } from './pressure.ts';
import { startProber, type Prober, type ProberOptions } from './prober.ts';
import type { Timers } from './schedule.ts';
import type { DurationMs } from '../core/time.ts';

/** Interval of the wall-clock anchors, ms: they show a step of the wall clock. */
const anchorEveryMs = 10_000;

/** Inputs of a recording. */
export interface RecordingOptions extends Pick<ProberOptions, 'extensions'> {
  readonly probes: readonly PlannedProbe[];
  /** Names of the hosts whose machines are watched. */
  readonly hosts: readonly HostName[];
  readonly host: (name: HostName) => Host;
  readonly clock: Clock;
  /** See `ProberOptions`. */
  readonly timers?: Timers | undefined;
  readonly log: EventLog;
  /** Starts the control of the prober's machine; without it, the machine counts as fit. */
  readonly startControl?: StartControl | undefined;
  /** Reads the machines' pressure; without it, none is recorded. */
  readonly startPressure?: StartPressure | undefined;
  /** Gets the same control samples and pressure readings as the log. */
  readonly machine?: MachineHealth;
  /** Called with each sample after it is logged. */
  readonly onSample?: (sample: Sample) => void;
  /** Called for each slot that was not sent. */
  readonly onDropped?: (probeId: ProbeId, slot: number) => void;
  /** Commands started on hosts so far. */
  readonly commands: () => number;
  /** Called when the prober cannot continue. */
  readonly onBroken: (error: unknown) => void;
  readonly raisePriority?: boolean;
}

/**
 * Starts the probes, and logs their samples and wall-clock anchors. Its `stop` ends both. @throws DrillError
 * `invalid-input` for invalid probe parameters
 */
export function startRecording(options: RecordingOptions): Promise<Prober> {
  const { probes, host, clock, log, onSample, onDropped, onBroken, raisePriority = false } = options;
  return withCleanup(async (cleanup) => {
    const meter = meterHarness({
      probes,
      kinds: loadExtensions(options.extensions).kinds,
      cpu: readCpuTimes,
      commands: options.commands,
    });
    const control = await openControl(options);
    cleanup.defer(async () => control?.stop());
    const pressure = openPressure(options);
    cleanup.defer(async () => pressure?.stop());
    const prober = await startProber({
      extensions: options.extensions,
      probes,
      host,
      clock,
      timers: options.timers,
      raisePriority,
      onEvents: (events) => {
        for (const event of events) {
          // The logged (redacted) form, so that waits and the analysis see the same values.
          const logged = log.append(event);
          if (logged.type === 'sample') {
            meter.countSample(logged.probe);
            onSample?.(logged);
          }
          if (logged.type === 'sample.dropped') onDropped?.(logged.probe, logged.slot);
        }
      },
      onBroken,
    });
    const logCost = (): void => void log.append({ type: 'harness.cost', ...meter.read() });
    cleanup.defer(async () => {
      await prober.stop();
      logCost();
    });
    const anchor = orBroken(options, () => {
      log.append({ type: 'clock.anchor', wallMs: clock.wallMs() });
      logCost();
    });
    const anchoring = new AbortController();
    const anchors = repeat(clock, anchorEveryMs, anchor, anchoring.signal);
    cleanup.defer(async () => {
      anchoring.abort();
      await anchors;
    });
    const opened = cleanup.move();
    return { setBurst: (on) => prober.setBurst(on), stop: () => opened.close() };
  });
}

/**
 * Wraps a callback so that its error ends the run. Its callers, timers and pipe readers, cannot handle an
 * error.
 */
function orBroken<A extends unknown[]>(
  { onBroken }: Pick<RecordingOptions, 'onBroken'>,
  act: (...args: A) => void,
): (...args: A) => void {
  return (...args) => {
    try {
      act(...args);
    } catch (error) {
      onBroken(error);
    }
  };
}

/** Calls `act`, which does not throw, at each interval on the clock until the signal aborts. */
async function repeat(
  clock: Clock,
  everyMs: DurationMs,
  act: () => void,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await clock.sleep(everyMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    act();
  }
}

/**
 * Starts the control. Without it the prober still measures, and the log says that its machine's health is
 * unknown.
 */
async function openControl(options: RecordingOptions): Promise<Control | undefined> {
  const { clock, log, machine, startControl } = options;
  if (startControl === undefined) return undefined;
  try {
    const control = await startControl({
      clock,
      onSample: orBroken(options, (sample) => {
        log.append({ type: 'control.sample', ...sample });
        machine?.addSample(sample);
      }),
      onEnd: (why) => {
        log.append({ type: 'log', level: 'warn', text: `the control process ended unexpectedly: ${why}` });
      },
    });
    log.append({ type: 'control.started', everyMs: controlEveryMs, workMs: controlWorkMs });
    machine?.startControl(clock.nowMs());
    return control;
  } catch (error) {
    log.append({ type: 'log', level: 'warn', text: messageOf(error) });
    return undefined;
  }
}

function openPressure(options: RecordingOptions): PressureWatch | undefined {
  const { hosts, host, clock, log, machine, startPressure } = options;
  return startPressure?.({
    hosts,
    host,
    clock,
    local: localMachine(),
    onPressure: orBroken(options, (pressure) => {
      log.append({ type: 'machine.pressure', ...pressure });
      machine?.addPressure(pressure);
    }),
    onBroken: options.onBroken,
  });
}
