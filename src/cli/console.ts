import { controlHealth, type ControlSample, dilationText, starvedHint } from '../core/control.ts';
import type { DrillEvent } from '../core/event.ts';
import { durationText, offsetText } from '../core/format-duration.ts';
import type { Plan } from '../core/plan.ts';
import type { Sample } from '../core/sample.ts';
import { controlSamples, dilationLimit } from '../core/starvation-limits.ts';
import { distantFuture, distantPast, type RunMs, runMs } from '../core/time.ts';

/** Writes a line of progress to stderr. stdout has data only. */
export type Writer = (line: string) => void;

/** Prints the events of a run as lines. Samples appear only when the state of their probe changes. */
export function createNarrator(write: Writer): (event: DrillEvent) => void {
  const last = new Map<string, string>();
  const changes = createChangeReporter();
  let steps: Steps = { prepare: [], repair: [] };
  const describeControl = controlNarrator();
  return (event) => {
    for (const line of changes.settled(event.type === 'run.ended' ? distantFuture : event.t))
      write(`${stamp(event.t)}  ${line}`);
    if (event.type === 'run.started') steps = event.plan;
    if (event.type === 'role.resolved') {
      // A role is resolved again for each fault. It is printed once unless its host changes.
      if (last.get(`role ${event.role}`) === event.host) return;
      last.set(`role ${event.role}`, event.host);
    }
    const text =
      event.type === 'sample'
        ? changes.describe(event)
        : event.type === 'control.sample'
          ? describeControl(event)
          : describe(event, steps);
    if (text !== undefined) write(`${stamp(event.t)}  ${text}`);
  };
}

/** State of a probe for the lines about its changes. */
interface Changes {
  state: string;
  /** Times of the last changes, newest last, ms on the run clock; at most `reportedAtOnce`. */
  recentMs: RunMs[];
  /** Number of changes that were not printed; `lastText` is the latest one. */
  unreported: number;
  lastText: string;
}

/** At most this many changes of a probe are printed within `flapWithinMs`. Further ones are counted until none came for `settledMs`. */
const reportedAtOnce = 4;
const flapWithinMs = 10_000;
const settledMs = 5000;

const runStart = runMs(0);

/** Prints the state changes of probes. A flapping probe gets its first changes, a count, and the last one. */
function createChangeReporter(): {
  readonly describe: (sample: DrillEvent & Sample) => string | undefined;
  /** Lines for probes that flapped and have settled by then, ms on the run clock. */
  readonly settled: (nowMs: RunMs) => readonly string[];
} {
  const probes = new Map<string, Changes>();
  return {
    describe(sample) {
      const state = stateOf(sample);
      const probe = probes.get(sample.probe);
      if (probe?.state === state) return undefined;
      const words = `${probe === undefined ? '' : `${probe.state} -> `}${describeState(sample, state)}`;
      if (probe === undefined) {
        probes.set(sample.probe, { state, recentMs: [], unreported: 0, lastText: words });
        return `${sample.probe}: ${words}`;
      }
      const firstMs = probe.recentMs[0] ?? distantPast;
      const isOften = probe.recentMs.length === reportedAtOnce && sample.t - firstMs < flapWithinMs;
      probe.recentMs = [...probe.recentMs, sample.t].slice(-reportedAtOnce);
      probe.state = state;
      probe.lastText = words;
      if (!isOften && probe.unreported === 0) return `${sample.probe}: ${words}`;
      probe.unreported++;
      return probe.unreported === 1 ? `${sample.probe}: flaps; further changes are counted` : undefined;
    },
    settled(nowMs) {
      return [...probes].flatMap(([name, probe]) => {
        const lastMs = probe.recentMs.at(-1) ?? runStart;
        if (probe.unreported === 0 || nowMs - lastMs < settledMs) return [];
        const { unreported, lastText } = probe;
        probe.unreported = 0;
        const count = unreported === 1 ? '1 more change' : `${unreported} more changes`;
        return [`${name}: ${count}, the last at ${offsetText(lastMs - runStart)}: ${lastText}`];
      });
    },
  };
}

/**
 * The state of a probe whose change is printed. For an instance on a host, the state includes the value. A probe without a
 * host may get its value from either node in turn (a service behind a load balancer). So its state is only good or bad.
 */
function stateOf(sample: Sample): string {
  const value = sample.probe.includes('@') ? (sample.value ?? '') : '';
  return sample.status === 'ok' ? `ok ${value}`.trim() : sample.status;
}

function describeState(sample: Sample, state: string): string {
  const detail = [sample.cause, sample.message === undefined ? undefined : `(${firstLine(sample.message)})`];
  return sample.status === 'ok' ? state : [state, ...detail].filter(Boolean).join(' ');
}

/** Reports the start and the end of a starvation of the prober's machine. */
function controlNarrator(): (sample: ControlSample) => string | undefined {
  let recent: readonly ControlSample[] = [];
  let before = 'ok';
  return (sample) => {
    recent = [...recent.slice(1 - controlSamples), sample];
    const { state, dilation } = controlHealth(recent, sample.finishMs, sample.finishMs);
    if (state === before) return undefined;
    before = state;
    const words = `dilation ${dilationText(dilation ?? 1)}, limit ${dilationText(dilationLimit)}`;
    return state === 'ok'
      ? `the prober is no longer degraded: ${words}`
      : `the prober is DEGRADED: this machine is overloaded (${words}); ${starvedHint}`;
  };
}

/** The steps that are not faults. */
type Steps = Pick<Plan, 'prepare' | 'repair'>;

function describe(
  event: Exclude<DrillEvent, { type: 'sample' | 'control.sample' }>,
  steps: Steps,
): string | undefined {
  switch (event.type) {
    case 'run.started': {
      const { draw } = event.plan;
      const drawn = draw === undefined ? '' : `, fault times from --seed ${draw.seed}, round ${draw.round}`;
      return `run ${event.runId}${drawn}`;
    }
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
      return `${wordOf(event.fault, steps)} ${event.fault}: ${event.kind} on ${event.host}`;
    case 'fault.acked':
      return `${event.fault}: ${isIn(steps.repair, event.fault) ? 'done' : 'acknowledged'}`;
    case 'fault.outcome_unknown':
      return `${event.fault}: no answer, checking whether it happened: ${firstLine(event.message)}`;
    case 'fault.effect':
      return `${event.fault}: effect seen (within ${durationText(event.notAfterMs - event.notBeforeMs)})`;
    case 'fault.failed':
      return `${event.fault}: FAILED: ${firstLine(event.message)}`;
    case 'heal.started':
      return `${event.fault}: ${isIn(steps.prepare, event.fault) ? 'undoing' : 'healing'}`;
    case 'heal.proven':
      return `${event.fault}: ${isIn(steps.prepare, event.fault) ? 'undone' : 'healed'}, proven`;
    case 'heal.attempted': {
      const { fault, attempt, observed, message } = event;
      const why = observed ? firstLine(message) : `could not check: ${firstLine(message)}`;
      return `${fault}: not ${isIn(steps.prepare, fault) ? 'undone' : 'healed'} yet, attempt ${attempt}: ${why}; trying again`;
    }
    case 'heal.failed': {
      const what = isIn(steps.prepare, event.fault) ? 'NOT UNDONE' : 'NOT HEALED';
      return `${event.fault}: ${what}: ${firstLine(event.message)}`;
    }
    case 'log':
      return `${event.level}: ${event.text}`;
    case 'clock.stepped':
      return event.cause === 'suspend'
        ? `this machine was suspended for ${durationText(event.byMs)}; the run clock stopped meanwhile`
        : `the wall clock was set ${event.byMs > 0 ? 'forwards' : 'backwards'} by ${durationText(Math.abs(event.byMs))}; durations are not affected`;
    case 'rows.read':
      if (event.moment === 'parallel') return undefined;
      return `${event.path}: rows ${event.place === 'copy' ? 'of its own copy ' : ''}${event.rows === undefined ? `could NOT be read: ${firstLine(event.message ?? '')}` : 'read'}`;
    case 'run.aborted':
      return `aborted: ${event.reason}`;
    case 'run.ended':
    case 'clock.anchor':
    case 'control_probe.started':
    case 'control.started':
    case 'machine.pressure':
    case 'sample.dropped':
    case 'rate.changed':
    case 'harness.cost':
    case 'lease.renewed':
    case 'row.written':
    case 'prober.health':
      return undefined;
  }
}

function wordOf(id: string, steps: Steps): string {
  if (isIn(steps.prepare, id)) return 'PREPARATION';
  return isIn(steps.repair, id) ? 'REPAIR' : 'FAULT';
}

function isIn(steps: Plan['faults'], id: string): boolean {
  return steps.some((step) => step.id === id);
}

const phaseTexts = {
  prepare: 'preparing',
  steady: 'waiting for the steady state',
  fault: 'injecting',
  recovery: 'waiting for the service to recover',
  heal: 'healing',
  'undo-preparations': 'undoing the preparations',
  repair: 'repairing',
  redundancy: 'waiting for redundancy to be restored',
  'read-back': 'reading the written rows back',
  watching: 'watching',
} as const;

function stamp(t: RunMs): string {
  return offsetText(t - runStart).padStart(11);
}

function firstLine(text: string): string {
  const line = text.split('\n')[0] ?? '';
  return line.length > 160 ? `${line.slice(0, 157)}...` : line;
}
