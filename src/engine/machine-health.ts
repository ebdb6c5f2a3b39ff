import {
  controlHealth,
  type ControlSample,
  dilationText,
  medianDilation,
  starvedHint,
} from '../core/control.ts';
import { durationText } from '../core/format-duration.ts';
import type { MachinePressure } from '../core/event.ts';
import { controlEveryMs, controlSamples, dilationLimit } from '../core/starvation-limits.ts';
import { type DurationMs, earlier, type RunMs } from '../core/time.ts';

/** Whether the prober's machine is fit for a drill, by the control samples and the machine's pressure. */
export interface MachineHealth {
  /** From now on control samples must arrive. Without a control, every machine counts as fit. */
  startControl(nowMs: RunMs): void;
  addSample(sample: ControlSample): void;
  addPressure(pressure: MachinePressure): void;
  /**
   * Why the machine was not fit during the last `overMs` or is not fit now, with figures and a hint; empty if
   * it is fit.
   */
  unmet(nowMs: RunMs, overMs: DurationMs): readonly string[];
}

/** Longest history, in samples; every gate's hold is shorter. */
const keptSamples = 1200;

/** Fitness of a machine without any samples. */
export function createMachineHealth(): MachineHealth {
  let startedMs: RunMs | undefined;
  let samples: ControlSample[] = [];
  let pressure: MachinePressure | undefined;
  return {
    startControl: (nowMs) => {
      startedMs = nowMs;
    },
    addSample: (sample) => {
      samples.push(sample);
      if (samples.length > keptSamples) samples = samples.slice(-keptSamples / 2);
    },
    addPressure: (next) => {
      if (next.prober) pressure = next;
    },
    unmet: (nowMs, overMs) => {
      if (startedMs === undefined) return [];
      // A short hold has too few samples for a median.
      const sinceMs = earlier(nowMs, Math.max(overMs, controlSamples * controlEveryMs));
      const recent = samples.filter((s) => s.finishMs >= sinceMs);
      const last = samples.at(-1);
      if (last === undefined) return ["the control on the prober's machine has not reported yet"];
      const { state, dilation } = controlHealth(recent, nowMs, last.finishMs);
      if (state === 'silent')
        return [
          `the control on the prober's machine reported nothing for ${durationText(nowMs - last.finishMs)}: this machine is overloaded, or the control's process ended; ${starvedHint}`,
        ];
      if (dilation !== null && dilation > dilationLimit) return [overloadText(recent, pressure)];
      if (state !== 'ok') return [overloadText([last], pressure)];
      // The median over a long hold hides a machine that has just begun to starve.
      const latest = recent.slice(-controlSamples);
      const now = controlHealth(latest, nowMs, last.finishMs);
      return now.state === 'ok' ? [] : [overloadText(latest, pressure)];
    },
  };
}

/** `this machine is overloaded: 8 ms of CPU work took 96 ms (dilation 12 x, limit 2.5 x), CPU pressure 94 %; use …` */
function overloadText(samples: readonly ControlSample[], pressure: MachinePressure | undefined): string {
  const dilation = medianDilation(samples) ?? 1;
  const cpuMs = Math.max(...samples.map((s) => s.cpuMs));
  const somePct = pressure?.cpu.somePct ?? null;
  const runQueue = pressure?.cpu.runQueue ?? null;
  const queued =
    somePct !== null
      ? `, CPU pressure ${Math.round(somePct)} %`
      : runQueue !== null
        ? `, ${runQueue} tasks in the run queue`
        : '';
  return `this machine is overloaded: ${Math.round(cpuMs)} ms of CPU work took ${Math.round(cpuMs * dilation)} ms (dilation ${dilationText(dilation)}, limit ${dilationText(dilationLimit)})${queued}; ${starvedHint}`;
}
