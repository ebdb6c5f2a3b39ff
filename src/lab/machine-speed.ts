import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Finding } from '../core/finding.ts';
import type { DurationMs } from '../core/time.ts';
import type { LabContext } from './lab-context.ts';
import { busyShareBetween, cgroupCpus, cpusAllowed, cpuPressure } from './cpu-limits.ts';

/** The speed and the load of the machine. Unknown values are undefined. */
export interface MachineSpeed {
  /** Time from fork to exit of `/bin/true`, started by a shell, ms: the median of several rounds. */
  readonly processStartMs: DurationMs | undefined;
  /** Wall time of a fixed piece of arithmetic on one core, ms: the best of several. */
  readonly coreWorkMs: DurationMs;
  /** Total wall time of that work divided by its CPU time: how much other programs delay work at normal priority. */
  readonly dilation: number;
  /** CPUs that this process may run on. */
  readonly cpus: number | undefined;
  /** The CPUs that the quota of its cgroups allows. A container engine may be in another cgroup. */
  readonly effectiveCpus: number | undefined;
  /** Share of the machine's CPU time that other programs used before the measurement, 0 to 1. */
  readonly busyShare: number | undefined;
  /** Share of the last 10 s in which a process waited for a CPU, 0 to 1 (PSI). */
  readonly pressureShare: number | undefined;
}

/**
 * Limits for a machine that runs a lab. They are estimates, not results of trials: an idle lab takes 39 to 50 % of two vCPUs at
 * 2.1 GHz. So less than one CPU, or less than 10 % of the CPU time free, is too little.
 */
export const labLimits = {
  /** The machine fails if it has fewer CPUs than this and processes start more slowly than the next limit, ms. */
  effectiveCpus: 1,
  slowProcessStartMs: 5,
  /** The machine fails if both limits are reached. Low-priority work makes a machine busy without delaying other work. */
  busyShare: 0.9,
  dilation: 2,
} as const;

/** Dependencies of the measurement. Tests simulate a machine. */
export interface SpeedDeps extends Pick<LabContext, 'run' | 'signal'> {
  readonly nowMs: () => DurationMs;
  /** CPU time of this process, ms. */
  readonly cpuMs: () => DurationMs;
  readonly sleep: (ms: DurationMs) => Promise<void>;
  /** The text of a file; undefined if it cannot be read. */
  readonly read: (path: string) => Promise<string | undefined>;
  /** The fixed piece of arithmetic. */
  readonly work: () => void;
}

/** The load of other programs is measured for this time, ms. */
const restMs = 700;
/** Rounds of process starts: at most five, within `roundsWithinMs`. */
const rounds = 5;
const roundsWithinMs = 900;
/** Process starts in a round. The start of the shell is subtracted; an empty round measures it. */
const startsInRound = 30;
const workTimes = 5;

/** Measures for about two seconds, one thing after another. */
export async function measureSpeed(deps: SpeedDeps): Promise<MachineSpeed> {
  const before = await deps.read('/proc/stat');
  await deps.sleep(restMs);
  const busyShare = busyShareBetween(before, await deps.read('/proc/stat'));
  const pressureShare = cpuPressure(await deps.read('/proc/pressure/cpu'));
  const cpus = cpusAllowed(await deps.read('/proc/self/status'));
  const quota = await cgroupCpus(deps.read);
  return {
    processStartMs: await processStart(deps),
    ...coreWork(deps),
    cpus,
    effectiveCpus: cpus === undefined ? quota : Math.min(cpus, quota ?? Infinity),
    busyShare,
    pressureShare,
  };
}

/** The dependencies of real use. */
export function speedDeps({ run, signal }: Pick<LabContext, 'run' | 'signal'>): SpeedDeps {
  return {
    run,
    signal,
    nowMs: () => performance.now(),
    cpuMs: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    },
    sleep: (ms) => sleep(ms, undefined, { signal }),
    read: (path) =>
      readFile(path, 'utf8').then(
        (text) => text,
        () => undefined,
      ),
    work: arithmetic,
  };
}

/** Takes 24 ms on a core of 2.6 GHz. It uses no special instructions and no memory. */
function arithmetic(): void {
  let x = 1;
  for (let i = 0; i < 1 << 24; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
  }
  // The result is used, so that the loop is not optimized away.
  if (x === 0) throw new Error('a xorshift generator never returns 0');
}

function coreWork({ work, nowMs, cpuMs }: SpeedDeps): Pick<MachineSpeed, 'coreWorkMs' | 'dilation'> {
  const [beganMs, usedMs] = [nowMs(), cpuMs()];
  const times = Array.from({ length: workTimes }, () => {
    const startMs = nowMs();
    work();
    return nowMs() - startMs;
  });
  return { coreWorkMs: Math.min(...times), dilation: (nowMs() - beganMs) / (cpuMs() - usedMs) };
}

const loop = 'i=0; while [ $i -lt "$1" ]; do /bin/true; i=$((i+1)); done';

/** Undefined if there is no shell or no `/bin/true`. */
async function processStart({ run, signal, nowMs }: SpeedDeps): Promise<number | undefined> {
  const timeOf = async (starts: number): Promise<number | undefined> => {
    const startMs = nowMs();
    const { exitCode } = await run(['sh', '-c', loop, 'starts', String(starts)], {
      timeoutMs: 10_000,
      signal,
    });
    return exitCode === 0 ? nowMs() - startMs : undefined;
  };
  const perStart: number[] = [];
  const beganMs = nowMs();
  while (perStart.length < rounds && (perStart.length === 0 || nowMs() - beganMs < roundsWithinMs)) {
    const empty = await timeOf(0);
    const full = await timeOf(startsInRound);
    if (empty === undefined || full === undefined) return undefined;
    perStart.push(Math.max(0, (full - empty) / startsInRound));
  }
  return perStart.toSorted((a, b) => a - b)[Math.floor(perStart.length / 2)];
}

/** One line: `2 CPUs, a process starts in 2.5 ms, the fixed work takes 41 ms on one core; 12 % busy now`. */
export function speedText(speed: MachineSpeed): string {
  const { processStartMs, coreWorkMs, cpus, effectiveCpus, busyShare, pressureShare } = speed;
  const quota =
    effectiveCpus === undefined || effectiveCpus === cpus
      ? ''
      : ` (a quota leaves ${tenth(effectiveCpus)} of them)`;
  const parts = [
    cpus === undefined ? 'an unknown number of CPUs' : `${cpus} CPU${cpus === 1 ? '' : 's'}${quota}`,
    processStartMs === undefined
      ? 'process start unknown'
      : `a process starts in ${processStartMs.toFixed(1)} ms (fork and exec of /bin/true)`,
    `16 million steps of arithmetic take ${Math.round(coreWorkMs)} ms on one core`,
  ];
  const now = [
    ...(busyShare === undefined ? [] : [`${percent(busyShare)} busy`]),
    ...(pressureShare === undefined ? [] : [`CPU pressure ${percent(pressureShare)}`]),
  ];
  return `${parts.join(', ')}${now.length === 0 ? '' : `; now ${now.join(', ')}`}`;
}

/** Judges whether the machine is fast enough for a lab. If the lab runs, the result is ok: the figures include the lab's own load. */
export function judgeSpeed(speed: MachineSpeed, labRunning: boolean): Finding {
  const name = 'speed';
  const observed = speedText(speed);
  const why = labRunning ? undefined : whyTooSlow(speed);
  return why === undefined
    ? { name, status: 'ok', observed }
    : { name, status: 'fail', observed: `${why.what}: ${observed}`, hint: why.hint };
}

function whyTooSlow({
  processStartMs,
  effectiveCpus,
  busyShare,
  dilation,
}: MachineSpeed): { readonly what: string; readonly hint: string } | undefined {
  const { effectiveCpus: fewest, slowProcessStartMs, busyShare: fullest, dilation: longest } = labLimits;
  if (
    effectiveCpus !== undefined &&
    effectiveCpus < fewest &&
    processStartMs !== undefined &&
    processStartMs > slowProcessStartMs
  ) {
    return {
      what: `less than ${fewest} CPU, and processes that start in more than ${slowProcessStartMs} ms`,
      hint: 'Give this machine more CPU, or raise the CPU quota of its cgroup (cpu.max), then run `firedrill doctor` to check.',
    };
  }
  if (busyShare !== undefined && busyShare >= fullest && dilation >= longest) {
    return {
      what: `other programs take ${percent(fullest)} of the CPUs or more, and work takes ${tenth(dilation)} x its CPU time (limit ${longest} x)`,
      hint: 'End other programs on this machine (`top` lists them), then run `firedrill doctor` to check.',
    };
  }
  return undefined;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function tenth(value: number): string {
  return String(Number(value.toFixed(1)));
}
