import { DrillError } from '../core/errors.ts';
import type { DrillEvent } from '../core/event.ts';
import type { Plan } from '../core/plan.ts';

type FieldKind = 'number' | 'string' | 'boolean' | 'object' | 'array' | 'any';

/** What each type of event must bring; anything more is left to newer versions. */
const fieldsOf: Readonly<Record<DrillEvent['type'], Readonly<Record<string, FieldKind>>>> = {
  'run.started': {
    schemaVersion: 'number',
    runId: 'string',
    wallMs: 'number',
    plan: 'object',
    versions: 'object',
  },
  'clock.anchor': { wallMs: 'number' },
  'clock.stepped': { atMs: 'number', byMs: 'number', cause: 'string' },
  'canary.started': { probe: 'object' },
  'control.started': { everyMs: 'number', workMs: 'number' },
  'control.sample': { finishMs: 'number', wallMs: 'number', cpuMs: 'number' },
  'machine.pressure': {
    machine: 'string',
    prober: 'boolean',
    hosts: 'array',
    overMs: 'number',
    cpu: 'object',
    memory: 'object',
    io: 'object',
  },
  'phase.started': { phase: 'string' },
  gate: { gate: 'string', state: 'string', unmet: 'array' },
  sample: {
    probe: 'string',
    slot: 'number',
    dueMs: 'number',
    sendMs: 'number',
    finishMs: 'number',
    status: 'string',
  },
  'sample.dropped': { probe: 'string', slot: 'number', dueMs: 'number' },
  mark: { probe: 'string', name: 'string', atMs: 'number', text: 'string' },
  'row.written': {
    writer: 'string',
    client: 'number',
    number: 'number',
    sendMs: 'number',
    finishMs: 'number',
    outcome: 'string',
  },
  'rows.read': {
    writer: 'string',
    path: 'string',
    place: 'string',
    moment: 'string',
    sendMs: 'number',
    finishMs: 'number',
  },
  'rate.changed': { burst: 'boolean' },
  'role.resolved': { role: 'string', host: 'string' },
  'fault.issued': { fault: 'string', kind: 'string', host: 'string', params: 'any' },
  'lease.kept': { fault: 'string', untilMs: 'number' },
  'fault.acked': { fault: 'string', receipt: 'any' },
  'fault.unanswered': { fault: 'string', message: 'string' },
  'fault.effect': { fault: 'string', notBeforeMs: 'number', notAfterMs: 'number' },
  'fault.failed': { fault: 'string', message: 'string' },
  'heal.started': { fault: 'string' },
  'heal.proven': { fault: 'string' },
  'heal.attempted': { fault: 'string', attempt: 'number', observed: 'boolean', message: 'string' },
  'heal.failed': { fault: 'string', message: 'string' },
  'prober.health': { lane: 'string', loopMaxMs: 'number', loopP99Ms: 'number' },
  'harness.cost': { cpuMs: 'number', samples: 'number', newConnections: 'number', commands: 'number' },
  log: { level: 'string', text: 'string' },
  'run.aborted': { reason: 'string' },
  'run.ended': {},
};

const fieldListOf = new Map(Object.entries(fieldsOf).map(([type, fields]) => [type, Object.entries(fields)]));

const planLists = ['hosts', 'probes', 'faults', 'checks', 'stages'] as const;
/** Lists and maps that came later: they may be missing. */
const newerLists = ['prepare', 'repair', 'returnStages', 'writers'] as const;
const newerMaps = ['ownership', 'models'] as const;

/** A plan as logs hold it that were written before some of its parts existed. */
type StoredPlan = Omit<Plan, 'scenario' | NewerPart> &
  Partial<Pick<Plan, NewerPart>> & {
    readonly scenario: Omit<Plan['scenario'], 'variables'> & Partial<Pick<Plan['scenario'], 'variables'>>;
  };
type NewerPart = (typeof newerLists | typeof newerMaps)[number];

/** What an older plan does not have, it did not do. */
export function completed(plan: StoredPlan): Plan {
  const { scenario, ownership = {}, models = {} } = plan;
  const { prepare = [], repair = [], returnStages = [], writers = [] } = plan;
  return {
    ...plan,
    scenario: { ...scenario, variables: scenario.variables ?? {} },
    ownership,
    models,
    prepare,
    repair,
    returnStages,
    writers,
  };
}

function kindOf(value: unknown): FieldKind | 'undefined' {
  if (value === undefined) return 'undefined';
  if (Array.isArray(value)) return 'array';
  const type = typeof value;
  return type === 'number' || type === 'string' || type === 'boolean' ? type : 'object';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Says what is wrong with a parsed line; undefined when it is an event (or one of a newer version). */
export function complaint(value: unknown): string | undefined {
  if (!isRecord(value)) return 'not a JSON object';
  if (typeof value['t'] !== 'number') return 'no numeric "t"';
  const type = value['type'];
  if (typeof type !== 'string') return 'no "type"';
  for (const [field, kind] of fieldListOf.get(type) ?? []) {
    const found = kindOf(value[field]);
    if (found === 'undefined' || (kind !== 'any' && found !== kind))
      return `${type}: "${field}" should be ${kind === 'any' ? 'there' : `of type ${kind}`}`;
  }
  if (type === 'sample' && !['ok', 'fail', 'unknown'].includes(String(value['status'])))
    return `sample: status "${String(value['status'])}" is none of ok, fail, unknown`;
  if (type === 'run.started') {
    const plan = value['plan'];
    if (!isRecord(plan) || planLists.some((list) => !Array.isArray(plan[list])))
      return `run.started: the plan lacks one of the lists ${planLists.join(', ')}`;
    const odd = newerLists.find((list) => plan[list] !== undefined && !Array.isArray(plan[list]));
    if (odd !== undefined) return `run.started: "${odd}" of the plan should be a list`;
    const flat = newerMaps.find((map) => plan[map] !== undefined && !isRecord(plan[map]));
    if (flat !== undefined) return `run.started: "${flat}" of the plan should be a map`;
  }
  return undefined;
}

/** A line (counted from 1) that is no event. */
export function badLine(line: number, why: string): DrillError {
  return new DrillError('invalid-input', `The event log is damaged at line ${line}: ${why}.`, {
    mend: 'Only its last line may be torn. Restore the file, or cut it off before that line.',
  });
}
