import { roundMs } from '../../core/clock.ts';
import { type DrillEvent, eventSchemaVersion, type NewEvent } from '../../core/event.ts';
import type { Plan, PlannedProbe, PlannedWriter } from '../../core/plan.ts';
import type { FailCause } from '../../core/sample.ts';
import { fromPlain, type Plain } from '../../core/testing/plain.ts';
import { readLog } from '../read-log.ts';
import type { RunLog } from '../run-log.ts';
import type { LogSink } from '../scan-log.ts';

/** The answer of a simulated target to a request. */
export interface Answer {
  readonly status: 'ok' | 'fail' | 'unknown' | 'dropped';
  readonly finishMs: number;
  readonly stallMs?: number;
  readonly cause?: FailCause;
  readonly value?: string;
  readonly message?: string;
}

/** Wall time at offset 0 of every built log: 2026-03-01T10:00:00.000Z. */
const builtWallMs = Date.UTC(2026, 2, 1, 10);

/** An empty plan with the given parts. */
export function planWith(parts: Partial<Plan>): Plan {
  const gate = { require: [], forMs: 5000, withinMs: 120_000 };
  return {
    scenario: {
      name: 'built',
      title: 'Built for a test',
      path: 'scenarios/built.yaml',
      sha256: 'ab'.repeat(32),
      variables: {},
    },
    target: { name: 'lab', environment: 'lab', path: 'target.yaml', sha256: 'cd'.repeat(32) },
    hosts: [],
    probes: [],
    writers: [],
    roles: {},
    ownership: {},
    models: {},
    prepare: [],
    steady: gate,
    limits: { faultMs: 1_800_000 },
    faults: [],
    repair: [],
    recovery: { probe: 'health', withinMs: 180_000, stableForMs: 5000 },
    redundancy: gate,
    checks: [],
    stages: [],
    returnStages: [],
    ...parts,
  };
}

/** A probe instance: `health` or `pg-role@node-1`. */
export function probeOf(id: string, more: Partial<PlannedProbe> = {}): PlannedProbe {
  const [name = id, host] = id.split('@');
  return {
    id,
    name,
    ...(host === undefined ? {} : { host }),
    kind: 'http',
    params: null,
    intervalMs: 1000,
    timeoutMs: 900,
    ...more,
  };
}

/** A writer of PostgreSQL rows, by default with two clients through each of two nodes: 1 and 2, 3 and 4. */
export function writerOf(more: Partial<PlannedWriter> = {}): PlannedWriter {
  return {
    id: 'rows',
    kind: 'sql',
    paths: ['node-1', 'node-2'].map((host) => ({ id: `rows@${host}`, host, params: {} })),
    clients: 2,
    intervalMs: 100,
    timeoutMs: 2000,
    readIntervalMs: 500,
    ...more,
  };
}

/** A seeded generator of numbers in [0, 1): mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Sorts lines by their times, as the engine writes them. */
export function inOrder(lines: readonly string[]): string[] {
  const timeOf = (line: string) => (JSON.parse(line) as DrillEvent).t;
  return lines
    .map((line) => ({ line, t: timeOf(line) }))
    .sort((a, b) => a.t - b.t)
    .map(({ line }) => line);
}

/** Reads a log from its lines, without newlines. */
export function readLines(lines: readonly string[], follower?: LogSink): RunLog {
  return readLog([new TextEncoder().encode(lines.join('\n'))], follower);
}

/** Builds an event log in the engine's format, sorted by `t`. */
export class LogBuilder {
  readonly #events: { readonly event: DrillEvent; readonly order: number }[] = [];
  #cutMs = Infinity;
  readonly plan: Plan;

  constructor(plan: Plan) {
    this.plan = plan;
    this.at(0, {
      type: 'run.started',
      schemaVersion: eventSchemaVersion,
      runId: 'run-1',
      wallMs: builtWallMs,
      plan,
      versions: { firedrill: '0.1.0', node: '24.0.0' },
    });
  }

  /** Adds an event. */
  at(t: number, event: Plain<NewEvent>): this {
    const stamped = fromPlain<DrillEvent>({ t: roundMs(t), ...event });
    this.#events.push({ event: stamped, order: this.#events.length });
    return this;
  }

  /** Adds a sample sent on its slot, or a dropped slot. */
  sample(probe: string, slot: number, sendMs: number, answer: Answer): this {
    const dueMs = roundMs(sendMs);
    if (answer.status === 'dropped') return this.at(sendMs, { type: 'sample.dropped', probe, slot, dueMs });
    const { status, finishMs, ...more } = answer;
    return this.at(finishMs, {
      type: 'sample',
      probe,
      slot,
      dueMs,
      sendMs: dueMs,
      finishMs: roundMs(finishMs),
      status,
      ...more,
    });
  }

  /** Adds a probe's samples over [fromMs, toMs), at the interval `everyMs`, of a simulated target. */
  probing(
    probe: string,
    fromMs: number,
    toMs: number,
    everyMs: number | ((sendMs: number) => number),
    answer: (sendMs: number) => Answer,
  ): this {
    let slot = 0;
    for (let sendMs = fromMs; sendMs < toMs; slot++) {
      this.sample(probe, slot, sendMs, answer(sendMs));
      sendMs += typeof everyMs === 'number' ? everyMs : everyMs(sendMs);
    }
    return this;
  }

  /** Adds a complete fault: issued, effect, acknowledged 150 ms later, and healed at `healedMs`. */
  fault(
    issuedMs: number,
    parts: { id?: string; kind?: string; host?: string; healedMs?: number } = {},
  ): this {
    const { id = 'fault-1', kind = 'process.kill', host = 'node-1', healedMs } = parts;
    this.at(issuedMs, { type: 'fault.issued', fault: id, kind, host, params: {} })
      .at(issuedMs + 150, { type: 'fault.acked', fault: id, receipt: {} })
      .at(issuedMs + 150, {
        type: 'fault.effect',
        fault: id,
        notBeforeMs: issuedMs,
        notAfterMs: issuedMs + 150,
      });
    if (healedMs !== undefined)
      this.at(healedMs, { type: 'heal.started', fault: id }).at(healedMs + 50, {
        type: 'heal.proven',
        fault: id,
      });
    return this;
  }

  /** Drops all events from a moment on, as in a killed run. */
  until(cutMs: number): this {
    this.#cutMs = cutMs;
    return this;
  }

  /** The lines of events.ndjson. */
  lines(): string[] {
    return this.#events
      .filter((e) => e.event.t < this.#cutMs)
      .sort((a, b) => a.event.t - b.event.t || a.order - b.order)
      .map((e) => JSON.stringify(e.event));
  }

  /** The log, read back from its lines. */
  read(): RunLog {
    return readLines(this.lines());
  }
}
