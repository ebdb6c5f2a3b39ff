import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { roundMs, type Clock } from '../core/clock.ts';
import type { ControlSample } from '../core/control.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import { linesOf } from '../hosts/follow-command.ts';
import { compileCache } from './compile-cache.ts';

/** A running control. */
export interface Control {
  /** Its process id. */
  readonly pid: number;
  /** Ends it. Never rejects. */
  stop(): Promise<void>;
}

/** The control's clock and callbacks. */
export interface ControlOptions {
  readonly clock: Clock;
  readonly onSample: (sample: ControlSample) => void;
  /** It ended, though it was not stopped: there will be no more samples. */
  readonly onEnd: (why: string) => void;
}

/** Starts a control; rejects with DrillError `harness` where it cannot be. */
export type StartControl = (options: ControlOptions) => Promise<Control>;

const program = fileURLToPath(new URL('./control-program.ts', import.meta.url));
const stopWithinMs = 1000;

/**
 * Starts the control (core/control.ts) in a session of its own at ordinary priority: the prober's own is raised
 * (priority.ts), so that it may run well while the stack starves, and a session has a CPU share of its own (sched(7),
 * autogroups) and no Ctrl-C.
 */
export const startControl: StartControl = async ({ clock, onSample, onEnd }) => {
  // Compiling and collecting on threads of their own would be CPU time that the work did not wait for.
  const child = spawn(process.execPath, ['--single-threaded', program], {
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
    env: compileCache(),
  });
  child.stdin.on('error', () => {});
  let stopped = false;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve();
      if (!stopped) onEnd(signal === null ? `exit code ${code}` : signal);
    });
    child.on('error', () => resolve());
  });
  const { pid } = await new Promise<{ pid: number }>((resolve, reject) => {
    child.once('spawn', () => resolve({ pid: child.pid ?? 0 }));
    child.once('error', (error) =>
      reject(new DrillError('harness', `cannot start the control: ${messageOf(error)}`, { cause: error })),
    );
  });
  const reading = readSamples(child.stdout, clock, onSample);
  return {
    pid,
    stop: async () => {
      stopped = true;
      child.stdin.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
      await ended;
      clearTimeout(timer);
      await reading;
    },
  };
};

async function readSamples(
  stdout: AsyncIterable<unknown>,
  clock: Clock,
  onSample: (sample: ControlSample) => void,
): Promise<void> {
  try {
    for await (const line of linesOf(stdout)) {
      const sample = sampleOf(line, process.hrtime.bigint(), clock.nowMs());
      if (sample !== undefined) onSample(sample);
    }
  } catch {
    // The pipe broke: `onEnd` reports the end of the process, and missing samples count as starvation.
  }
}

/** The sample of a line that is read at `nowNs` on CLOCK_MONOTONIC, `nowMs` on the run clock; undefined of anything else. */
export function sampleOf(line: string, nowNs: bigint, nowMs: number): ControlSample | undefined {
  const [, endNs, wallUs, cpuUs] = /^(\d+) ([\d.]+) (\d+)$/.exec(line) ?? [];
  if (endNs === undefined) return undefined;
  const agoMs = Number(nowNs - BigInt(endNs)) / 1e6;
  return {
    finishMs: roundMs(nowMs - agoMs),
    wallMs: roundMs(Number(wallUs) / 1000),
    cpuMs: roundMs(Number(cpuUs) / 1000),
  };
}
