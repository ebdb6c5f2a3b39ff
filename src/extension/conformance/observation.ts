import {
  count,
  duration,
  object,
  oneOf,
  optional,
  text,
  wallTime,
  wrongField,
} from '../../core/field-kinds.ts';
import type { ProbeKind } from '../../core/probe.ts';
import { failCauses, type Observation, sampleFields } from '../../core/sample.ts';
import { Broken, require, requireJson, requireText, shown } from './check.ts';

const { value, phases } = sampleFields;
const observations = {
  ok: object({ value, phases }),
  fail: object({ value, phases, cause: oneOf(...failCauses) }),
  unknown: object({}),
} as const;
const mark = object({
  name: text,
  wallMs: wallTime,
  bounds: optional(object({ minMs: wallTime, maxMs: wallTime })),
  text,
  host: optional(text),
  value: optional(text),
});
const cost = object({
  newConnections: count,
  commands: count,
  processes: duration,
  standingProcessesPerSecond: optional(duration),
});

/** Fails unless a value is a sample as the event log takes it. */
export function requireObservation(seen: Observation, kind: ProbeKind<unknown>, params: unknown): void {
  require(typeof seen === 'object' && seen !== null, `the sample is ${shown(seen)}`);
  requireJson(seen, 'the sample');
  const { status } = seen;
  require(Object.hasOwn(observations, status), `the sample's status is ${shown(status)}`);
  requireFields(wrongField(observations[status], seen));
  if (status !== 'ok') require((seen.message ?? '') !== '', 'a sample that is not ok has no message');
  if (status !== 'ok') requireText(seen.message, 'the message');
  if (status !== 'ok' || seen.marks === undefined) return;
  require(Array.isArray(seen.marks), '`marks` of the sample is not a list');
  const known = [...(kind.marks ?? []), ...namedMarks(params)];
  for (const [i, one] of seen.marks.entries()) {
    requireFields(wrongField(mark, one, `marks[${i}]`));
    if (!known.includes(one.name))
      throw new Broken(
        `the mark "${one.name}" is neither in \`marks\` of the kind nor in its parameters`,
        `Add "${one.name}" to \`marks\` of the kind, or a scenario cannot use it.`,
      );
  }
}

/** Fails unless a value is the cost of a sample. */
export function requireCost(given: unknown): void {
  requireJson(given, 'the result of `cost`');
  const wrong = wrongField(cost, given, 'cost');
  require(wrong === undefined, `the result of \`cost\`: ${wrong}`);
}

function requireFields(wrong: string | undefined): void {
  require(wrong === undefined, `the sample: ${wrong}`);
}

/** Names of the parameter `marks`. */
function namedMarks(params: unknown): readonly unknown[] {
  const marks: unknown = Reflect.get(Object(params), 'marks');
  return Array.isArray(marks) ? marks.map((one) => Reflect.get(Object(one), 'name') as unknown) : [];
}
