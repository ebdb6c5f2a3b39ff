import type { Clock } from '../core/clock.ts';
import { controlEveryMs, controlWorkMs } from '../core/starvation-limits.ts';
import { messageOf } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import type { PlannedProbe } from '../core/plan.ts';
import type { Sample } from '../core/sample.ts';
import type { Control, StartControl } from './control.ts';
import type { EventLog } from './event-log.ts';
import { readCpuTimes } from './cpu-times.ts';
import { meterHarness } from './harness-cost.ts';
import { localMachine } from './local-machine.ts';
import type { MachineFitness } from './machine-fitness.ts';
import type { PressureWatch, StartPressure } from './pressure.ts';
import { startProber, type Prober } from './prober.ts';

/** Wall time is written this often, so that a stepped clock shows. */
const anchorEveryMs = 10_000;

/** What a recording needs. */
export interface RecordingOptions {
  readonly probes: readonly PlannedProbe[];
  /** Names of the hosts whose machines are watched. */
  readonly hosts: readonly string[];
  readonly host: (name: string) => Host;
  readonly clock: Clock;
  readonly log: EventLog;
  /** Starts the control of the prober's machine; without it, the machine counts as fit. */
  readonly startControl?: StartControl | undefined;
  /** Reads the machines' pressure; without it, none is recorded. */
  readonly startPressure?: StartPressure | undefined;
  /** Gets the same samples of the control and the machines as the log. */
  readonly machine?: MachineFitness;
  /** Follows the samples as they are logged. */
  readonly onSample?: (sample: Sample) => void;
  /** Called for each slot that was not sent. */
  readonly onDropped?: (probeId: string, slot: number) => void;
  /** Commands started on hosts so far. */
  readonly commands: () => number;
  /** Called when the prober cannot go on. */
  readonly onBroken: (error: unknown) => void;
  readonly raisePriority?: boolean;
}

/**
 * Starts the probes with everything they see going into the log, wall-clock
 * anchors in between. Stopping it stops both.
 * @throws DrillError `invalid-input` for what a probe's parameters turn out to lack
 */
export async function startRecording(options: RecordingOptions): Promise<Prober> {
  const { probes, host, clock, log, onSample, onDropped, onBroken, raisePriority = false } = options;
  const meter = meterHarness({ probes, cpu: readCpuTimes, commands: options.commands });
  const control = await openControl(options);
  let pressure: PressureWatch | undefined;
  const stopMachine = async (): Promise<void> => {
    await Promise.all([control?.stop(), pressure?.stop()]);
  };
  let prober: Prober;
  try {
    pressure = openPressure(options);
    prober = await startProber({
      probes,
      host,
      clock,
      raisePriority,
      onEvents: (events) => {
        for (const event of events) {
          // As the log has it: what is waited for here is judged there.
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
  } catch (error) {
    await stopMachine();
    throw error;
  }
  const anchor = orBroken(options, () => {
    log.append({ type: 'clock.anchor', wallMs: clock.wallMs() });
    log.append({ type: 'harness.cost', ...meter.read() });
  });
  const anchors = setInterval(anchor, anchorEveryMs);
  return {
    setBurst: (on) => prober.setBurst(on),
    stop: async () => {
      clearInterval(anchors);
      try {
        await prober.stop();
        log.append({ type: 'harness.cost', ...meter.read() });
      } finally {
        await stopMachine();
      }
    },
  };
}

/** A callback whose defect ends the run: who calls it, a timer or a reader of a pipe, could tell nobody. */
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

/** A prober without its control still measures: the log says that its machine's health is unknown. */
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
        log.append({ type: 'log', level: 'warn', text: `the control ended by itself: ${why}` });
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
