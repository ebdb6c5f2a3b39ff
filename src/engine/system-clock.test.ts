import { Worker } from 'node:worker_threads';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createSystemClock } from './system-clock.ts';

describe('createSystemClock', () => {
  it('reads the same offsets in another thread', async () => {
    const clock = createSystemClock(process.hrtime.bigint() - 5_000_000_000n);
    const source = `
      const { parentPort, workerData } = require('node:worker_threads');
      import(workerData.module).then(({ createSystemClock }) =>
        parentPort.postMessage(createSystemClock(workerData.originNs).nowMs()));`;
    const beforeMs = clock.nowMs();
    const worker = new Worker(source, {
      eval: true,
      workerData: { module: new URL('./system-clock.ts', import.meta.url).href, originNs: clock.originNs },
    });
    const [workerMs] = (await once(worker, 'message', { signal: AbortSignal.timeout(240_000) })) as [number];
    await worker.terminate();
    expect(workerMs).toBeGreaterThan(beforeMs);
    expect(workerMs).toBeLessThan(clock.nowMs());
  });

  it('never ends a sleep early', async () => {
    const clock = createSystemClock();
    for (let i = 0; i < 20; i++) {
      const startMs = clock.nowMs();
      await clock.sleep(3.3, AbortSignal.timeout(240_000));
      expect(clock.nowMs() - startMs).toBeGreaterThanOrEqual(3.3);
    }
  });

  it('rejects a sleep with the reason of the signal', async () => {
    const clock = createSystemClock();
    const controller = new AbortController();
    const sleeping = clock.sleep(60_000, controller.signal);
    controller.abort(new Error('enough'));
    await expect(sleeping).rejects.toThrow('enough');
    await expect(clock.sleep(1, controller.signal)).rejects.toThrow('enough');
  });
});
