import { DrillError } from '../core/errors.ts';
import { eventFields, eventSchemaVersion } from '../core/event.ts';
import { isRecord, object, runTime, shown, wrongField } from '../core/field-kinds.ts';
import { maxRowNumber } from '../core/log-limits.ts';
import type { Plan } from '../core/plan.ts';
import { parseRanges } from '../core/row-ranges.ts';
import { validatePlan, validateProbe } from './stored-plan.ts';

const kinds = new Map(
  Object.entries(eventFields).map(([type, fields]) => [type, object({ t: runTime, ...fields })]),
);

/** An event of a newer version. */
const untyped = object({ t: runTime });

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

/** Describes what is wrong with a parsed line; undefined if it is a valid event or one of a newer version. */
export function validateEvent(value: unknown): string | undefined {
  if (!isRecord(value)) return 'not a JSON object';
  if (typeof value['t'] !== 'number') return 'no numeric "t"';
  const type = value['type'];
  if (typeof type !== 'string') return 'no "type"';
  // The reader itself reports a log of a newer version, whose fields may differ.
  if (type === 'run.started' && Number(value['schemaVersion']) > eventSchemaVersion) return undefined;
  const kind = kinds.get(type) ?? untyped;
  const wrong = wrongField(kind, value) ?? wrongAcrossFields(type, value);
  return wrong === undefined ? undefined : `${type}: ${wrong}`;
}

/** Describes what is wrong in an event beyond the kinds of its fields. */
function wrongAcrossFields(type: string, value: Readonly<Record<string, unknown>>): string | undefined {
  switch (type) {
    case 'run.started':
      return validatePlan(value['plan']);
    case 'control_probe.started':
      return validateProbe(value['probe']);
    case 'rows.read':
      return validateRows(value['rows']);
    case 'fault.effect':
      return Number(value['notAfterMs']) < Number(value['notBeforeMs'])
        ? '"notAfterMs" is before "notBeforeMs"'
        : undefined;
    case 'sample':
    case 'row.written':
      return Number(value['finishMs']) < Number(value['sendMs'])
        ? '"finishMs" is before "sendMs"'
        : undefined;
    default:
      return undefined;
  }
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

/** An event that is valid by itself, and does not fit to the events before it. The scanner adds the line's number. */
export class InvalidEvent extends Error {}

/** Longest part of a damaged line that a message quotes, in characters. */
const longestWhy = 500;

/** The error for a line (counted from 1) that is not a valid event. */
export function badLine(line: number, why: string): DrillError {
  const shortened = why.length > longestWhy ? `${why.slice(0, longestWhy)}…` : why;
  return new DrillError('invalid-input', `the event log is damaged at line ${line}: ${shortened}`, {
    hint: `Restore the file from a copy, or delete this line and all lines after it: sed -i '${line},$d' FILE. Only the last line of a log may be incomplete.`,
  });
}
