import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { asInstalled } from '../as-installed.ts';
import type { FromProber, ProberInput, ToProber } from './messages.ts';

/** A prober in a separate process. */
export interface BenchProber {
  /** The time of `monoMs` at offset 0 of its log. */
  readonly originMs: number;
  setBurst(on: boolean): void;
  readonly pid: number;
  /** Stops it. Its log is then complete. */
  stop(): Promise<void>;
}

const program = fileURLToPath(new URL('./main.ts', import.meta.url));

/** Starts a prober. */
export async function startBenchProber(input: ProberInput): Promise<BenchProber> {
  const child = fork(program, [JSON.stringify(input)], { env: asInstalled() });
  const started = Promise.withResolvers<number>();
  const stopped = Promise.withResolvers<void>();
  let ending = false;
  child.on('message', (message: FromProber) => {
    switch (message.type) {
      case 'started':
        return started.resolve(message.originMs);
      case 'stopped':
        return stopped.resolve();
    }
  });
  child.once('exit', (code) => {
    if (ending) return;
    const error = new Error(`the prober's process ended with exit code ${code}`);
    started.reject(error);
    stopped.reject(error);
  });
  stopped.promise.catch(() => {});
  const send = (message: ToProber): void => void child.send(message);
  return {
    originMs: await started.promise,
    setBurst: (on) => send({ type: 'burst', on }),
    pid: child.pid ?? 0,
    async stop() {
      send({ type: 'stop' });
      await stopped.promise;
      ending = true;
      child.disconnect();
    },
  };
}
