import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { roundMs, type Clock } from '../core/clock.ts';
import type { ControlSample } from '../core/control.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import { earlier, type RunMs } from '../core/time.ts';
import { linesOf } from '../hosts/follow-command.ts';
import { codeExtension } from '../installation.ts';
import { compileCache } from './compile-cache.ts';
import { readyLine } from './control-ready.ts';

/** A running control process. */
export interface Control {
  /** Its process id. */
  readonly pid: number;
  /** Ends the process. Never rejects. */
  stop(): Promise<void>;
}

/** The control's clock and callbacks. */
export interface ControlOptions {
  readonly clock: Clock;
  readonly onSample: (sample: ControlSample) => void;
  /** Called when the process ended without `stop`: no more samples will come. */
  readonly onEnd: (why: string) => void;
}

/** Starts a control; rejects with DrillError `harness` if it cannot. */
export type StartControl = (options: ControlOptions) => Promise<Control>;

const program = fileURLToPath(new URL(`./control-program.${codeExtension}`, import.meta.url));
const stopWithinMs = 1000;
/**
 * After this time without output, the control counts as started, ms. It exists to show that a process gets no
 * CPU time.
 */
const readyWithinMs = 60_000;
/** Longest text of the process's stderr in an error message. */
const mostStderrChars = 2000;

/**
 * Starts the control (core/control.ts) in its own session at ordinary priority. The prober's session has a
 * raised priority (priority.ts), so it may run well while the stack starves. A session of its own has a
 * separate CPU share (sched(7), autogroups), and Ctrl-C does not reach it.
 */
export const startControl: StartControl = (options) => startControlProgram(program, options);

/**
 * Starts another program as the control. Rejects with DrillError `harness` if the program ends before it is
 * ready.
 */
export async function startControlProgram(
  path: string,
  { clock, onSample, onEnd }: ControlOptions,
): Promise<Control> {
  // With extra threads, compilation and garbage collection would add CPU time that the work did not wait for.
  const child = spawn(process.execPath, ['--single-threaded', path], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: compileCache(),
  });
  child.stdin.on('error', () => {});
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = `${stderr}${text}`.slice(-mostStderrChars);
  });
  let stopped = false;
  let isReady = false;
  const ready = Promise.withResolvers<void>();
  const fail = (why: string, cause?: unknown): void =>
    ready.reject(
      new DrillError('harness', `cannot start the control: ${why}`, cause === undefined ? {} : { cause }),
    );
  const ended = new Promise<void>((resolve) => {
    child.once('close', (code, signal) => {
      resolve();
      const why = signal === null ? `exit code ${code}` : signal;
      if (!isReady) fail(`its process ended at once: ${[why, stderr.trim()].filter(Boolean).join(': ')}`);
      else if (!stopped) onEnd(why);
    });
    child.on('error', (error) => {
      resolve();
      fail(messageOf(error), error);
    });
  });
  const reading = readSamples(child.stdout, clock, onSample, ready.resolve);
  const timer = setTimeout(ready.resolve, readyWithinMs);
  try {
    await ready.promise;
    isReady = true;
  } finally {
    clearTimeout(timer);
  }
  return {
    pid: child.pid ?? 0,
    stop: async () => {
      stopped = true;
      child.stdin.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
      await ended;
      clearTimeout(timer);
      await reading;
    },
  };
}

async function readSamples(
  stdout: AsyncIterable<unknown>,
  clock: Clock,
  onSample: (sample: ControlSample) => void,
  onReady: () => void,
): Promise<void> {
  try {
    for await (const line of linesOf(stdout)) {
      if (line === readyLine) onReady();
      const sample = sampleOf(line, process.hrtime.bigint(), clock.nowMs());
      if (sample !== undefined) onSample(sample);
    }
  } catch {
    // The pipe closed. `onEnd` reports the end of the process, and missing samples count as starvation.
  }
}

/**
 * Parses a line of the control, read at `nowNs` (CLOCK_MONOTONIC) and `nowMs` (run clock); undefined for any
 * other line.
 */
export function sampleOf(line: string, nowNs: bigint, nowMs: RunMs): ControlSample | undefined {
  const [, endNs, wallUs, cpuUs] = /^(\d+) ([\d.]+) (\d+)$/.exec(line) ?? [];
  if (endNs === undefined) return undefined;
  const agoMs = Number(nowNs - BigInt(endNs)) / 1e6;
  return {
    finishMs: roundMs(earlier(nowMs, agoMs)),
    wallMs: roundMs(Number(wallUs) / 1000),
    cpuMs: roundMs(Number(cpuUs) / 1000),
  };
}
