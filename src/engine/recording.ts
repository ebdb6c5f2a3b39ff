import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import type { PlannedProbe } from '../core/plan.ts';
import type { Sample } from '../core/sample.ts';
import type { Canary, StartCanary } from './canary.ts';
import type { EventLog } from './event-log.ts';
import { readCpuTimes } from './cpu-times.ts';
import { meterHarness } from './harness-cost.ts';
import { startProber, type Prober } from './prober.ts';

/** Wall time is written this often, so that a stepped clock shows. */
const anchorEveryMs = 10_000;

/** What a recording needs. */
export interface RecordingOptions {
  readonly probes: readonly PlannedProbe[];
  readonly host: (name: string) => Host;
  readonly clock: Clock;
  readonly log: EventLog;
  /** Starts the server that tells whether the prober's machine is fit; without one, none is looked at. */
  readonly startCanary?: StartCanary | undefined;
  /** Told once, before the first sample, how the canary is looked at. */
  readonly onCanary?: (probe: PlannedProbe) => void;
  /** Follows the samples as they are logged, the canary's among them. */
  readonly onSample?: (sample: Sample) => void;
  /** Told of each slot that was not sent. */
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
  const canary = await openCanary(options);
  let prober: Prober;
  try {
    prober = await startProber({
      // Last, so that the places of the others in the interval follow each other as in the plan.
      probes: canary === undefined ? probes : [...probes, canary.probe],
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
    await canary?.stop();
    throw error;
  }
  const anchors = setInterval(() => {
    log.append({ type: 'clock.anchor', wallMs: clock.wallMs() });
    log.append({ type: 'harness.cost', ...meter.read() });
  }, anchorEveryMs);
  return {
    setBurst: (on) => prober.setBurst(on),
    stop: async () => {
      clearInterval(anchors);
      await prober.stop();
      log.append({ type: 'harness.cost', ...meter.read() });
      await canary?.stop();
    },
  };
}

/** A prober without its canary still measures: the log says that nothing vouches for it. */
async function openCanary(options: RecordingOptions): Promise<Canary | undefined> {
  const { probes, log, startCanary, onCanary } = options;
  if (startCanary === undefined) return undefined;
  try {
    const canary = await startCanary(probes);
    log.append({ type: 'canary.started', probe: canary.probe });
    onCanary?.(canary.probe);
    return canary;
  } catch (error) {
    log.append({ type: 'log', level: 'warn', text: messageOf(error) });
    return undefined;
  }
}
