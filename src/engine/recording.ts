import type { Clock } from '../core/clock.ts';
import type { Host } from '../core/host.ts';
import type { PlannedProbe } from '../core/plan.ts';
import type { Sample } from '../core/sample.ts';
import type { EventLog } from './event-log.ts';
import { startProber, type Prober } from './prober.ts';

/** Wall time is written this often, so that a stepped clock shows. */
const anchorEveryMs = 10_000;

/** What a recording needs. */
export interface RecordingOptions {
  readonly probes: readonly PlannedProbe[];
  readonly host: (name: string) => Host;
  readonly clock: Clock;
  readonly log: EventLog;
  /** Follows the samples as they are logged. */
  readonly onSample?: (sample: Sample) => void;
  /** Called when the prober or the log cannot go on. */
  readonly onBroken: (error: unknown) => void;
  readonly raisePriority?: boolean;
}

/**
 * Starts the probes with everything they see going into the log, wall-clock
 * anchors in between. Stopping it stops both.
 * @throws DrillError `invalid-input` for what a probe's parameters turn out to lack
 */
export async function startRecording(options: RecordingOptions): Promise<Prober> {
  const { probes, host, clock, log, onSample, onBroken, raisePriority = false } = options;
  const prober = await startProber({
    probes,
    host,
    clock,
    raisePriority,
    onEvents: (events) => {
      for (const event of events) {
        // As the log has it: what is waited for here is judged there.
        const logged = log.append(event);
        if (logged.type === 'sample') onSample?.(logged);
      }
    },
    onBroken,
  });
  const anchors = setInterval(() => {
    try {
      log.append({ type: 'clock.anchor', wallMs: clock.wallMs() });
    } catch (error) {
      onBroken(error);
    }
  }, anchorEveryMs);
  return {
    setBurst: (on) => prober.setBurst(on),
    stop: () => {
      clearInterval(anchors);
      return prober.stop();
    },
  };
}
