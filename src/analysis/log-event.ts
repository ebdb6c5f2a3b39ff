import { DrillError } from '../core/errors.ts';
import { type DrillEvent, eventSchemaVersion } from '../core/event.ts';
import type { Plan } from '../core/plan.ts';
import { parseRanges } from '../core/row-ranges.ts';
import { maxOffsetMs, maxRowNumber, maxWallMs } from './log-limits.ts';
import { validatePlan, validateProbe } from './stored-plan.ts';

/** The required type of a field: a JSON type, a range of numbers, or one of some words. */
type FieldKind = 'string' | 'boolean' | 'object' | 'array' | 'texts' | 'any' | NumberKind | readonly string[];

type NumberKind = keyof typeof numberKinds;

/** Ranges of numbers. JSON allows numbers such as 1e300, which are not valid times. */
const numberKinds = {
  /** Offset on the run clock, or a duration, ms. */
  time: { from: 0, to: maxOffsetMs, whole: false },
  /** A moment that may be before the run, or a movement of a clock, ms. */
  signed: { from: -maxWallMs, to: maxWallMs, whole: false },
  /** Milliseconds since the Unix epoch. */
  wall: { from: 0, to: maxWallMs, whole: false },
  /** A whole number from 0. */
  count: { from: 0, to: maxRowNumber, whole: true },
} as const;

/**
 * Required fields of each type of event. A question mark marks an optional field. Unknown fields are
 * ignored: newer versions may add them.
 */
const fieldsOf: Readonly<Record<DrillEvent['type'], Readonly<Record<string, FieldKind>>>> = {
  'run.started': {
    schemaVersion: 'count',
    runId: 'string',
    wallMs: 'wall',
    plan: 'object',
    versions: 'object',
  },
  'clock.anchor': { wallMs: 'wall' },
  'clock.stepped': { atMs: 'signed', byMs: 'signed', cause: ['step', 'suspend'] },
  'canary.started': { probe: 'object' },
  'control.started': { everyMs: 'time', workMs: 'time' },
  'control.sample': { finishMs: 'time', wallMs: 'time', cpuMs: 'time' },
  'machine.pressure': {
    machine: 'string',
    prober: 'boolean',
    hosts: 'texts',
    overMs: 'time',
    cpu: 'object',
    memory: 'object',
    io: 'object',
  },
  'phase.started': { phase: 'string' },
  gate: { gate: 'string', state: ['met', 'timeout'], unmet: 'texts' },
  sample: {
    probe: 'string',
    slot: 'count',
    dueMs: 'time',
    sendMs: 'time',
    finishMs: 'time',
    status: ['ok', 'fail', 'unknown'],
    'stallMs?': 'time',
    'cause?': 'string',
    'value?': 'string',
    'message?': 'string',
    'phases?': 'object',
  },
  'sample.dropped': { probe: 'string', slot: 'count', dueMs: 'time' },
  mark: {
    probe: 'string',
    name: 'string',
    atMs: 'signed',
    'minMs?': 'signed',
    'maxMs?': 'signed',
    text: 'string',
    'host?': 'string',
    'value?': 'string',
  },
  'row.written': {
    writer: 'string',
    client: 'count',
    number: 'count',
    sendMs: 'time',
    finishMs: 'time',
    outcome: ['acked', 'refused', 'indeterminate'],
    'message?': 'string',
  },
  'rows.read': {
    writer: 'string',
    path: 'string',
    place: ['path', 'copy'],
    moment: 'string',
    sendMs: 'time',
    finishMs: 'time',
    'rows?': 'object',
    'message?': 'string',
  },
  'rate.changed': { burst: 'boolean' },
  'role.resolved': { role: 'string', host: 'string' },
  'fault.issued': { fault: 'string', kind: 'string', host: 'string', params: 'any' },
  'lease.renewed': { fault: 'string', untilMs: 'signed' },
  'fault.acked': { fault: 'string', receipt: 'any' },
  'fault.outcome_unknown': { fault: 'string', message: 'string' },
  'fault.effect': { fault: 'string', notBeforeMs: 'time', notAfterMs: 'time' },
  'fault.failed': { fault: 'string', message: 'string' },
  'heal.started': { fault: 'string' },
  'heal.proven': { fault: 'string' },
  'heal.attempted': { fault: 'string', attempt: 'count', observed: 'boolean', message: 'string' },
  'heal.failed': { fault: 'string', message: 'string' },
  'prober.health': { lane: 'string', loopMaxMs: 'time', loopP99Ms: 'time' },
  'harness.cost': {
    cpuMs: 'time',
    'childCpuMs?': 'time',
    samples: 'count',
    newConnections: 'count',
    commands: 'count',
  },
  log: { level: ['info', 'warn', 'error'], text: 'string' },
  'run.aborted': { reason: 'string' },
  'run.ended': {},
};

const fieldListOf = new Map(
  Object.entries(fieldsOf).map(([type, fields]) => [
    type,
    Object.entries(fields).map(([name, kind]) => ({
      name: name.replace('?', ''),
      kind,
      isOptional: name.endsWith('?'),
    })),
  ]),
);

/** A plan in a log of an older version, which lacks newer parts. */
type StoredPlan = Omit<Plan, 'scenario' | NewerPart> &
  Partial<Pick<Plan, NewerPart>> & {
    readonly scenario: Omit<Plan['scenario'], 'variables'> & Partial<Pick<Plan['scenario'], 'variables'>>;
  };
type NewerPart = 'prepare' | 'repair' | 'returnStages' | 'writers' | 'ownership' | 'models';

/** Adds empty values for parts that a plan of an older version lacks. */
export function upgradePlan(plan: StoredPlan): Plan {
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

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A found value as text for a message. */
function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === Infinity) return 'a number that is too large';
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/** The expected type of a field if its value does not match; undefined if it matches. */
function expectation(value: unknown, kind: FieldKind): string | undefined {
  if (typeof kind !== 'string') {
    const isOne = typeof value === 'string' && kind.includes(value);
    return isOne ? undefined : `one of ${kind.join(', ')}`;
  }
  switch (kind) {
    case 'any':
      return value === undefined ? 'present' : undefined;
    case 'string':
    case 'boolean':
      return typeof value === kind ? undefined : `a ${kind}`;
    case 'object':
      return isRecord(value) ? undefined : 'an object';
    case 'array':
      return Array.isArray(value) ? undefined : 'a list';
    case 'texts':
      return Array.isArray(value) && value.every((one) => typeof one === 'string')
        ? undefined
        : 'a list of strings';
    default: {
      const { from, to, whole } = numberKinds[kind];
      const isIn =
        typeof value === 'number' && value >= from && value <= to && (!whole || Number.isInteger(value));
      return isIn ? undefined : `a ${whole ? 'whole ' : ''}number from ${from} to ${to}`;
    }
  }
}

/** Describes what is wrong with a parsed line; undefined if it is a valid event or one of a newer version. */
export function validateEvent(value: unknown): string | undefined {
  if (!isRecord(value)) return 'not a JSON object';
  if (typeof value['t'] !== 'number') return 'no numeric "t"';
  const type = value['type'];
  if (typeof type !== 'string') return 'no "type"';
  const fields = fieldListOf.get(type);
  const time = expectation(value['t'], 'time');
  if (time !== undefined) return `${type}: "t" should be ${time}, is ${shown(value['t'])}`;
  for (const { name, kind, isOptional } of fields ?? []) {
    if (isOptional && value[name] === undefined) continue;
    const expected = expectation(value[name], kind);
    if (expected !== undefined) return `${type}: "${name}" should be ${expected}, is ${shown(value[name])}`;
  }
  const deeper = validateWithin(type, value);
  return deeper === undefined ? undefined : `${type}: ${deeper}`;
}

/** Describes what is wrong in an event's nested objects. */
function validateWithin(type: string, value: Readonly<Record<string, unknown>>): string | undefined {
  switch (type) {
    case 'run.started':
      // The log reader reports a newer schema version itself.
      if (Number(value['schemaVersion']) > eventSchemaVersion) return undefined;
      return validateVersions(value['versions']) ?? validatePlan(value['plan']);
    case 'canary.started':
      return validateProbe(value['probe']);
    case 'sample':
      return validatePhases(value['phases']);
    case 'machine.pressure':
      return validatePressure(value);
    case 'rows.read':
      return validateRows(value['rows']);
    case 'fault.effect':
      return Number(value['notAfterMs']) < Number(value['notBeforeMs'])
        ? '"notAfterMs" is before "notBeforeMs"'
        : undefined;
    case 'row.written':
      return Number(value['finishMs']) < Number(value['sendMs'])
        ? '"finishMs" is before "sendMs"'
        : undefined;
    default:
      return undefined;
  }
}

function validateVersions(versions: unknown): string | undefined {
  const found = isRecord(versions) ? versions : {};
  return ['firedrill', 'node'].every((name) => typeof found[name] === 'string')
    ? undefined
    : '"versions" should have the strings "firedrill" and "node"';
}

function validatePhases(phases: unknown): string | undefined {
  const odd = Object.entries(isRecord(phases) ? phases : {}).find(
    ([, value]) => expectation(value, 'time') !== undefined,
  );
  return odd === undefined ? undefined : `"phases.${odd[0]}" should be a time, is ${shown(odd[1])}`;
}

/** Fields of a pressure reading; null: not read. */
const readings = {
  cpu: ['somePct', 'busyPct', 'stealPct', 'runQueue', 'cores'],
  memory: ['somePct', 'fullPct'],
  io: ['somePct', 'fullPct'],
} as const;

function validatePressure(value: Readonly<Record<string, unknown>>): string | undefined {
  const odd = (name: string, found: unknown) =>
    found === null || expectation(found, 'time') === undefined
      ? undefined
      : `"${name}" should be a number or null, is ${shown(found)}`;
  for (const [part, names] of Object.entries(readings)) {
    const own = value[part];
    for (const name of names) {
      const wrong = odd(`${part}.${name}`, isRecord(own) ? own[name] : undefined);
      if (wrong !== undefined) return wrong;
    }
  }
  return odd('targetCpuPct', value['targetCpuPct']) ?? odd('harnessCpuPct', value['harnessCpuPct'] ?? null);
}

/** Checks rows that were read, by client: ascending ranges of numbers without overlaps. */
function validateRows(rows: unknown): string | undefined {
  for (const [client, text] of Object.entries(isRecord(rows) ? rows : {})) {
    if (!/^\d{1,9}$/.test(client)) return `"rows" should have client numbers as keys, has ${shown(client)}`;
    const wrong = typeof text === 'string' ? validateRanges(text) : 'should be ranges of numbers as a string';
    if (wrong !== undefined) return `"rows" of client ${client} ${wrong}`;
  }
  return undefined;
}

function validateRanges(text: string): string | undefined {
  const ranges = parseRanges(text);
  if (text !== '' && ranges.length < text.split(' ').length)
    return `should be ranges of numbers, is ${shown(text)}`;
  let before = -1;
  for (const { from, to, times } of ranges) {
    if (to < from || from <= before)
      return `should be ascending ranges without overlaps, is wrong at ${from}`;
    if (to > maxRowNumber || times > maxRowNumber) return `should have no number above ${maxRowNumber}`;
    before = to;
  }
  return undefined;
}

/** Longest part of a damaged line that a message quotes, in characters. */
const longestWhy = 500;

/** The error for a line (counted from 1) that is not a valid event. */
export function badLine(line: number, why: string): DrillError {
  const shortened = why.length > longestWhy ? `${why.slice(0, longestWhy)}…` : why;
  return new DrillError('invalid-input', `the event log is damaged at line ${line}: ${shortened}`, {
    hint: `Restore the file from a copy, or delete this line and all lines after it: sed -i '${line},$d' FILE. Only the last line of a log may be incomplete.`,
  });
}
