import { eventSchemaVersion } from '../../src/core/event.ts';
import { startControl } from '../../src/engine/control.ts';
import { openEventLog } from '../../src/engine/event-log.ts';
import { startRecording } from '../../src/engine/recording.ts';
import { createSystemClock } from '../../src/engine/system-clock.ts';
import type { FromProber, ProberInput, ToProber } from './messages.ts';
import { watchPlan } from './plan.ts';

// firedrill's prober as in a drill: network probes in their own thread, and all samples in the event log. Started by start.ts.

const { probes, logPath } = JSON.parse(process.argv[2] ?? '') as ProberInput;
const report = (message: FromProber): void => void process.send?.(message);
process.on('disconnect', () => process.exit(0));

const clock = createSystemClock();
const log = openEventLog(logPath, clock);
log.broken.addEventListener('abort', () => {
  throw log.broken.reason;
});
log.append({
  type: 'run.started',
  schemaVersion: eventSchemaVersion,
  runId: 'bench',
  wallMs: clock.wallMs(),
  plan: watchPlan(probes),
  versions: { firedrill: 'bench', node: process.versions.node },
});
const recording = await startRecording({
  probes,
  hosts: [],
  host: (name) => {
    throw new Error(`no host ${name}`);
  },
  clock,
  log,
  raisePriority: true,
  startControl,
  commands: () => 0,
  onBroken: (error) => {
    throw error;
  },
});
process.on('message', (message: ToProber) => {
  switch (message.type) {
    case 'burst':
      recording.setBurst(message.on);
      log.append({ type: 'rate.changed', burst: message.on });
      return;
    case 'stop':
      void end();
  }
});
async function end(): Promise<void> {
  await recording.stop();
  log.append({ type: 'run.ended' });
  log.close();
  report({ type: 'stopped' });
}

report({ type: 'started', originMs: Number(clock.originNs) / 1e6 });
