import { limitWords } from '../core/format-duration.ts';
import { z } from 'zod';
import { describeCondition } from '../core/condition.ts';
import { duration } from '../core/duration.ts';
import type { Check } from '../core/plan.ts';
import { conditionSchema } from './condition-schema.ts';

const name = z
  .string()
  .min(1)
  .optional()
  .describe('Name in the report; made from the check itself by default.');

const role = z.string().min(1).describe('A role of the target.');

const condition = conditionSchema.describe('Values of a probe.');

const min = duration.optional().describe('At least so long.');
const max = duration.describe('At most so long.');
const sampledMax = duration.describe(
  'Upper limit: longer than the interval of the probe, or 0s, which fails if any sample sees it.',
);

const writer = z.string().min(1).describe('Id of a writer of the target: it writes in this drill.');

const markSource = z.strictObject({
  probe: z.string().min(1).describe('Id of a probe of the target.'),
  marks: z.array(z.string().min(1)).min(1).describe('Names of marks of the probe.'),
});

/** A check as a scenario file writes it. */
export const checkSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z
      .literal('rto')
      .describe(
        'The RTO, from the effect of the fault to the first good sample of a recovery that holds, is at most `max`.',
      ),
    name,
    max,
  }),
  z.strictObject({
    kind: z.literal('downtime').describe('The total outage that a probe sees lies between `min` and `max`.'),
    name,
    probe: z
      .string()
      .min(1)
      .optional()
      .describe("Probe instance, such as lb-tcp or tcp@node-1; the recovery's probe by default."),
    min,
    max: sampledMax.optional(),
  }),
  z.strictObject({
    kind: z.literal('redundancy').describe('The stack is whole again within `max` of the fault.'),
    name,
    max,
  }),
  z.strictObject({
    kind: z
      .literal('no-recovery')
      .describe('The service does not come back by itself: the mechanism is gone.'),
    name,
  }),
  z.strictObject({
    kind: z.literal('heal-outage').describe('The outage that the heal costs is at most `max`.'),
    name,
    max: sampledMax,
  }),
  z.strictObject({
    kind: z
      .literal('return')
      .describe('From the beginning of the heal to restored redundancy it takes at most `max`.'),
    name,
    max,
  }),
  z.strictObject({
    kind: z.literal('happens').describe('A condition holds for a total time between `min` and `max`.'),
    name,
    condition,
    min: duration
      .optional()
      .describe(
        'At least so long. Above the interval of the probe, the check fails if no sample sees the condition.',
      ),
    max: sampledMax.optional(),
  }),
  z.strictObject({
    kind: z.literal('role-moved').describe('A role is on another host at the end than before the fault.'),
    name,
    role,
  }),
  z.strictObject({
    kind: z.literal('role-stays').describe('A role is on the same host at the end as before the fault.'),
    name,
    role,
  }),
  z.strictObject({
    kind: z.literal('finally').describe('A condition holds at the end of the drill.'),
    name,
    condition,
  }),
  z.strictObject({
    kind: z.literal('never').describe('A condition holds at no time, or for `tolerance` at most.'),
    name,
    condition,
    tolerance: duration
      .optional()
      .describe(
        'How long it may hold at a time: longer than the interval of the probe, or 0s (the default), which fails if any sample sees it.',
      ),
  }),
  z.strictObject({
    kind: z
      .literal('ownership')
      .describe(
        'The total time for which nobody, or several, own a thing as seen from a side, or two sides differ.',
      ),
    name,
    of: z.string().min(1).describe('A thing under `ownership` of the target.'),
    side: z.string().min(1).describe('The side from which it is seen.'),
    state: z
      .enum(['nobody', 'several'])
      .optional()
      .describe('Counted is the time for which nobody owns it, or several hosts do.'),
    differsFrom: z
      .string()
      .min(1)
      .optional()
      .describe('Another side: counted is the time for which the two see different owners.'),
    min,
    max: sampledMax.optional(),
  }),
  z.strictObject({
    kind: z
      .literal('rpo')
      .describe(
        'The RPO, from the first acknowledged write that is lost to the last, lies between `min` and `max`.',
      ),
    name,
    of: writer,
    min: duration.optional().describe('At least so long: a loss that has to be found.'),
    max: duration.optional().describe('At most so long; 0s: no acknowledged write may be lost.'),
  }),
  z.strictObject({
    kind: z
      .literal('rows')
      .describe('How many rows are lost, duplicated or there unasked lies between `min` and `max`.'),
    name,
    of: writer,
    are: z
      .enum(['lost', 'duplicated', 'unasked'])
      .describe('Which rows count; unasked: there though refused, or though never written.'),
    min: z.int().min(1).optional().describe('At least so many.'),
    max: z.int().min(0).optional().describe('At most so many; 0: there must be none.'),
  }),
  z.strictObject({
    kind: z
      .literal('stale-reads')
      .describe(
        'The total time of reads that missed a row acknowledged before lies between `min` and `max`.',
      ),
    name,
    of: writer,
    min,
    max: duration
      .optional()
      .describe(
        'Upper limit: longer than the interval of the reads, or 0s, which fails if any read is stale.',
      ),
  }),
  z.strictObject({
    kind: z.literal('announced').describe('Each change is delivered once, in order and in time.'),
    name,
    changes: markSource.describe('Marks that tell of a change, with its host and value.'),
    deliveries: markSource.describe('Marks that tell that a change was announced, with its host and value.'),
    within: duration.describe('How long a delivery may take.'),
  }),
]);

/** A check as parsed; durations in ms. */
export type CheckInput = z.output<typeof checkSchema>;

/** A check as the analysis takes it, with a name for the report. */
export function planCheck(item: CheckInput): Check {
  const named = (fallback: string): string => item.name ?? fallback;
  switch (item.kind) {
    case 'rto':
    case 'redundancy':
    case 'heal-outage':
    case 'return':
      return {
        kind: item.kind,
        name: named(`${limitNames[item.kind]} at most ${limitWords(item.max)}`),
        maxMs: item.max,
      };
    case 'downtime': {
      const of = item.probe === undefined ? '' : ` of ${item.probe}`;
      return {
        kind: item.kind,
        name: named(`downtime${of} ${limitsText(item)}`),
        ...(item.probe === undefined ? {} : { probe: item.probe }),
        ...(item.min === undefined ? {} : { minMs: item.min }),
        ...(item.max === undefined ? {} : { maxMs: item.max }),
      };
    }
    case 'no-recovery':
      return { kind: item.kind, name: named('the service does not come back by itself') };
    case 'happens': {
      const limits = limitsText(item);
      return {
        kind: item.kind,
        name: named(
          `${describeCondition(item.condition)}${limits === '' ? ' at some time' : ` for ${limits}`}`,
        ),
        condition: item.condition,
        minMs: item.min ?? 0,
        ...(item.max === undefined ? {} : { maxMs: item.max }),
      };
    }
    case 'role-moved':
      return { kind: item.kind, name: named(`${item.role} moves to another host`), role: item.role };
    case 'role-stays':
      return { kind: item.kind, name: named(`${item.role} stays where it is`), role: item.role };
    case 'finally':
      return {
        kind: item.kind,
        name: named(`finally ${describeCondition(item.condition)}`),
        condition: item.condition,
      };
    case 'never':
      return {
        kind: item.kind,
        name: named(`never ${describeCondition(item.condition)}`),
        condition: item.condition,
        toleranceMs: item.tolerance ?? 0,
      };
    case 'ownership': {
      const { kind, of, side, state, differsFrom = '' } = item;
      const what = state === undefined ? `differs from ${differsFrom}` : `by ${state}`;
      return {
        kind,
        name: named(`${of} ${side} ${what} for ${limitsText(item)}`),
        of,
        side,
        ...(state === undefined ? { differsFrom } : { state }),
        ...(item.min === undefined ? {} : { minMs: item.min }),
        ...(item.max === undefined ? {} : { maxMs: item.max }),
      };
    }
    case 'rpo':
    case 'stale-reads':
      return {
        kind: item.kind,
        name: named(durationName(item)),
        of: item.of,
        ...(item.min === undefined ? {} : { minMs: item.min }),
        ...(item.max === undefined ? {} : { maxMs: item.max }),
      };
    case 'rows': {
      const { kind, of, are, min, max } = item;
      const limits = max === 0 ? 'none' : countsText(item);
      return {
        kind,
        name: named(`rows of ${of} that are ${are}: ${limits}`),
        of,
        are,
        ...(min === undefined ? {} : { min }),
        ...(max === undefined ? {} : { max }),
      };
    }
    case 'announced': {
      const { kind, changes, deliveries, within } = item;
      return {
        kind,
        name: named(
          `each change of ${changes.probe} announced once by ${deliveries.probe}, within ${limitWords(within)}`,
        ),
        changes,
        deliveries,
        withinMs: within,
      };
    }
  }
}

/** `RPO of rows at most 5.0 s`, `no acknowledged write of rows is lost`. */
function durationName(item: Extract<CheckInput, { kind: 'rpo' | 'stale-reads' }>): string {
  if (item.max === 0)
    return item.kind === 'rpo'
      ? `no acknowledged write of ${item.of} is lost`
      : `no read of ${item.of} is stale`;
  return `${item.kind === 'rpo' ? 'RPO' : 'stale reads'} of ${item.of} ${limitsText(item)}`;
}

function countsText({ min, max }: { min?: number | undefined; max?: number | undefined }): string {
  return [min === undefined ? [] : [`at least ${min}`], max === undefined ? [] : [`at most ${max}`]]
    .flat()
    .join(', ');
}

const limitNames = {
  rto: 'RTO',
  redundancy: 'redundancy restored in',
  'heal-outage': 'outage of the return',
  return: 'return in',
} as const;

function limitsText({ min, max }: { min?: number | undefined; max?: number | undefined }): string {
  return [
    min === undefined ? undefined : `at least ${limitWords(min)}`,
    max === undefined ? undefined : `at most ${limitWords(max)}`,
  ]
    .filter((part) => part !== undefined)
    .join(', ');
}
