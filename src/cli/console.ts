import type { DrillEvent } from '../core/event.ts';
import { formatMs } from '../core/duration.ts';
import type { Sample } from '../core/sample.ts';

/** Writes progress; stderr, so that stdout holds data only. */
export type Writer = (line: string) => void;

/** Turns the events of a run into lines: steps as they come, samples only when what they say changes. */
export function createNarrator(write: Writer): (event: DrillEvent) => void {
  const last = new Map<string, string>();
  return (event) => {
    if (event.type === 'role.resolved') {
      // Resolved again for the fault itself: logged, but told once.
      if (last.get(`role ${event.role}`) === event.host) return;
      last.set(`role ${event.role}`, event.host);
    }
    const text = event.type === 'sample' ? describeChange(event, last) : describe(event);
    if (text !== undefined) write(`${stamp(event.t)}  ${text}`);
  };
}

/**
 * What a host's instance says is its state and worth a line when it changes; a
 * probe without a host (a service behind a balancer) may get its value from
 * either node in turn, so only good and bad are told.
 */
function describeChange(sample: Sample, last: Map<string, string>): string | undefined {
  const value = sample.probe.includes('@') ? (sample.value ?? '') : '';
  const state = sample.status === 'ok' ? `ok ${value}`.trim() : sample.status;
  const before = last.get(sample.probe);
  if (before === state) return undefined;
  last.set(sample.probe, state);
  const detail = [sample.cause, sample.message === undefined ? undefined : `(${firstLine(sample.message)})`];
  const now = sample.status === 'ok' ? state : [state, ...detail].filter(Boolean).join(' ');
  return `${sample.probe}: ${before === undefined ? '' : `${before} -> `}${now}`;
}

function describe(event: Exclude<DrillEvent, { type: 'sample' }>): string | undefined {
  switch (event.type) {
    case 'run.started':
      return `run ${event.runId}`;
    case 'phase.started':
      return phaseTexts[event.phase];
    case 'gate':
      return event.state === 'met'
        ? `${event.gate}: reached`
        : `${event.gate}: NOT reached: ${event.unmet.join('; ')}`;
    case 'mark':
      return `${event.probe}: ${event.name} (${firstLine(event.text)})`;
    case 'role.resolved':
      return `${event.role} is ${event.host}`;
    case 'fault.issued':
      return `FAULT ${event.fault}: ${event.kind} on ${event.host}`;
    case 'fault.acked':
      return `${event.fault}: acknowledged`;
    case 'fault.effect':
      return `${event.fault}: effect seen (within ${formatMs(event.notAfterMs - event.notBeforeMs)})`;
    case 'fault.failed':
      return `${event.fault}: FAILED: ${firstLine(event.message)}`;
    case 'heal.started':
      return `${event.fault}: healing`;
    case 'heal.proven':
      return `${event.fault}: healed, proven`;
    case 'heal.failed':
      return `${event.fault}: NOT HEALED: ${firstLine(event.message)}`;
    case 'log':
      return `${event.level}: ${event.text}`;
    case 'run.aborted':
      return `aborted: ${event.reason}`;
    case 'run.ended':
    case 'clock.anchor':
    case 'sample.dropped':
    case 'rate.changed':
    case 'prober.health':
      return undefined;
  }
}

const phaseTexts = {
  steady: 'waiting for the steady state',
  fault: 'injecting',
  recovery: 'waiting for the service to recover',
  heal: 'healing',
  redundancy: 'waiting for redundancy to be restored',
  watching: 'watching',
} as const;

function stamp(ms: number): string {
  return `+${(ms / 1000).toFixed(3).padStart(8)}s`;
}

function firstLine(text: string): string {
  const line = text.split('\n')[0] ?? '';
  return line.length > 160 ? `${line.slice(0, 157)}...` : line;
}
