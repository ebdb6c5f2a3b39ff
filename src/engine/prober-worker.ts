import { readFile } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { DrillError, messageOf } from '../core/errors.ts';
import { loadExtensions } from '../extension/load.ts';
import { createNameResolver } from '../resolver/name-resolver.ts';
import { raiseThreadPriority } from './priority.ts';
import { openLane, type Lane } from './prober-lane.ts';
import type { FromWorker, ToWorker, WorkerInput } from './prober-messages.ts';
import { createSystemClock } from './system-clock.ts';

// The thread of the network probes. Only probing runs on its event loop, so the main thread's analysis,
// fsync, and child processes do not delay the reading of replies. prober.ts starts it.

const port = parentPort;
if (port === null) throw new Error('prober-worker.ts runs as a worker thread only');
const post = (message: FromWorker): void => port.postMessage(message);
const input = workerData as WorkerInput;

if (input.raisePriority) raiseThreadPriority();

try {
  serve(
    await openLane({
      lane: 'network',
      probes: input.probes,
      kindOf: loadExtensions(input.extensions).kinds.probe,
      hostOf: () => undefined,
      clock: createSystemClock(input.originNs),
      timers: globalThis,
      readText: (path) => readFile(path, 'utf8'),
      env: (name) => process.env[name],
      resolveName: createNameResolver(),
      emit: (events) => post({ type: 'events', events }),
      watchWallClock: true,
    }),
  );
  post({ type: 'opened' });
} catch (error) {
  const known = error instanceof DrillError ? error : undefined;
  post({ type: 'failed', code: known?.code ?? 'harness', message: messageOf(error), hint: known?.hint });
}

/** Executes the main thread's messages until `stop`; then the port closes and the thread ends. */
function serve(lane: Lane): void {
  port?.on('message', (message: ToWorker) => {
    switch (message.type) {
      case 'start':
        return lane.start();
      case 'burst':
        return lane.setBurst(message.on);
      case 'stop':
        void lane.stop().then(() => {
          post({ type: 'stopped' });
          return port.close();
        });
    }
  });
}
