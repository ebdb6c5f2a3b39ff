import { limitText } from '../core/format-duration.ts';
import { z } from 'zod';
import { describeCondition } from '../core/condition.ts';
import { duration } from '../core/duration.ts';
import type { Check } from '../core/plan.ts';
import { conditionSchema } from './condition-schema.ts';

const name = z
  .string()
  .min(1)
  .optional()
  .describe('Name in the report (default: derived from the other fields).');

const role = z.string().min(1).describe('A role of the target.');

const condition = conditionSchema.describe('Condition on the values of a probe.');

const min = duration.optional().describe('Lower limit (default: none).');
const max = duration.describe('Upper limit.');
const sampledMax = duration.describe(
  'Upper limit. It must be longer than the interval of the probe, or 0s, which fails if any sample counts.',
);

const writer = z
  .string()
  .min(1)
  .describe('Id of a writer of the target. The check makes it write in this drill.');

const markSource = z.strictObject({
  probe: z.string().min(1).describe('Id of a probe of the target.'),
  marks: z.array(z.string().min(1)).min(1).describe('Names of marks of the probe.'),
});

const outageOfOperations = {
  clients: z
    .enum(['all', 'any'])
    .default('all')
    .describe(
      'Whose outage counts. `all`: times in which all clients of all paths fail. `any`: the outages of a single client; the client with the longest ones counts.',
    ),
  time: z.enum(['total', 'longest']).default('total').describe('The sum of the outages, or the longest one.'),
  min,
  max: duration
    .optional()
    .describe(
      'Upper limit. It must be longer than the interval of the clients, or 0s, which fails if any outage was observed.',
    ),
};

/** A check of a scenario file. */
export const checkSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z
      .literal('rto')
      .describe(
        'The RTO is at most `max`: from the effect of the fault to the first good sample of a recovery that holds.',
      ),
    name,
    max,
  }),
  z.strictObject({
    kind: z.literal('downtime').describe('The total outage of a probe is between `min` and `max`.'),
    name,
    probe: z
      .string()
      .min(1)
      .optional()
      .describe('Probe instance, such as lb-tcp or tcp@node-1 (default: the recovery probe).'),
    min,
    max: sampledMax.optional(),
  }),
  z.strictObject({
    kind: z.literal('redundancy').describe('Full redundancy is restored within `max` of the fault.'),
    name,
    max,
  }),
  z.strictObject({
    kind: z.literal('no-recovery').describe('The service does not recover before the heal.'),
    name,
  }),
  z.strictObject({
    kind: z.literal('heal-outage').describe('The outage from the heal on is at most `max`.'),
    name,
    max: sampledMax,
  }),
  z.strictObject({
    kind: z
      .literal('return')
      .describe('The time from the start of the heal to restored redundancy is at most `max`.'),
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
        'Lower limit (default: none). With a limit above the interval of the probe, the check fails if the condition holds in no sample.',
      ),
    max: sampledMax.optional(),
  }),
  z.strictObject({
    kind: z
      .literal('role-moved')
      .describe('At the end of the drill, a role is on another host than before the fault.'),
    name,
    role,
  }),
  z.strictObject({
    kind: z
      .literal('role-stays')
      .describe('At the end of the drill, a role is on the same host as before the fault.'),
    name,
    role,
  }),
  z.strictObject({
    kind: z.literal('finally').describe('A condition holds at the end of the drill.'),
    name,
    condition,
  }),
  z.strictObject({
    kind: z.literal('never').describe('A condition never holds, or at most for `tolerance` at a time.'),
    name,
    condition,
    tolerance: duration
      .optional()
      .describe(
        'Longest time for which the condition may hold without a break (default: 0s, which fails if it holds in any sample). Other values must be longer than the interval of the probe.',
      ),
  }),
  z.strictObject({
    kind: z
      .literal('ownership')
      .describe(
        'Total time for which a side shows no owner or multiple owners of a thing, or for which two sides differ.',
      ),
    name,
    of: z.string().min(1).describe('A thing under `ownership` of the target.'),
    side: z.string().min(1).describe('The side that shows the owner.'),
    state: z
      .enum(['none', 'multiple'])
      .optional()
      .describe('State whose time counts: `none` (no owner) or `multiple` (two owners or more).'),
    differsFrom: z
      .string()
      .min(1)
      .optional()
      .describe('Another side. The time for which the two sides show different owners counts.'),
    min,
    max: sampledMax.optional(),
  }),
  z.strictObject({
    kind: z
      .literal('rpo')
      .describe(
        'The RPO is between `min` and `max`: from the first to the last acknowledged write that is lost.',
      ),
    name,
    of: writer,
    min: duration.optional().describe('Lower limit, for a loss that must occur (default: none).'),
    max: duration.optional().describe('Upper limit. 0s: no acknowledged write may be lost.'),
  }),
  z.strictObject({
    kind: z
      .literal('rows')
      .describe('The number of lost, duplicated, or phantom rows is between `min` and `max`.'),
    name,
    of: writer,
    are: z
      .enum(['lost', 'duplicated', 'phantom'])
      .describe(
        'Rows that count. `phantom`: rows that exist although their write was refused or never sent.',
      ),
    min: z.int().min(1).optional().describe('Lower limit (default: none).'),
    max: z.int().min(0).optional().describe('Upper limit. 0: there must be no such row.'),
  }),
  z.strictObject({
    kind: z
      .literal('stale-reads')
      .describe(
        'The total time of stale reads is between `min` and `max`. A read is stale if it misses a row that was acknowledged before.',
      ),
    name,
    of: writer,
    min,
    max: duration
      .optional()
      .describe(
        'Upper limit. It must be longer than the interval of the reads, or 0s, which fails if any read is stale.',
      ),
  }),
  z.strictObject({
    kind: z
      .literal('write-outage')
      .describe(
        'The time after the fault in which no client of a writer got a write acknowledged is between `min` and `max`.',
      ),
    name,
    of: writer,
    ...outageOfOperations,
  }),
  z.strictObject({
    kind: z
      .literal('read-outage')
      .describe(
        'The time after the fault in which no reader of a writer completed a read is between `min` and `max`.',
      ),
    name,
    of: writer,
    ...outageOfOperations,
  }),
  z.strictObject({
    kind: z.literal('delivered').describe('Each change is delivered exactly once, in order, and in time.'),
    name,
    changes: markSource.describe('Marks that record a change, with its host and value.'),
    deliveries: markSource.describe('Marks that record the delivery of a change, with its host and value.'),
    within: duration.describe('Longest time from a change to its delivery.'),
  }),
]);

/** A check as parsed; durations in ms. */
export type CheckInput = z.output<typeof checkSchema>;

/** Converts a check to the form of the plan, with a name for the report. */
export function planCheck(item: CheckInput): Check {
  const named = (fallback: string): string => item.name ?? fallback;
  switch (item.kind) {
    case 'rto':
    case 'redundancy':
    case 'heal-outage':
    case 'return':
      return {
        kind: item.kind,
        name: named(`${limitNames[item.kind]} ≤ ${limitText(item.max)}`),
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
      const owner = state === undefined ? `owner differs from ${differsFrom}` : ownerTexts[state];
      return {
        kind,
        name: named(`${of} ${side}: ${owner} for ${limitsText(item)}`),
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
    case 'write-outage':
    case 'read-outage':
      return {
        kind: item.kind,
        name: named(operationOutageName(item)),
        of: item.of,
        clients: item.clients,
        time: item.time,
        ...(item.min === undefined ? {} : { minMs: item.min }),
        ...(item.max === undefined ? {} : { maxMs: item.max }),
      };
    case 'rows': {
      const { kind, of, are, min, max } = item;
      return {
        kind,
        name: named(max === 0 ? `no ${are} rows of ${of}` : `${are} rows of ${of} ${countsText(item)}`),
        of,
        are,
        ...(min === undefined ? {} : { min }),
        ...(max === undefined ? {} : { max }),
      };
    }
    case 'delivered': {
      const { kind, changes, deliveries, within } = item;
      return {
        kind,
        name: named(
          `${deliveries.probe} delivers each change of ${changes.probe} once within ${limitText(within)}`,
        ),
        changes,
        deliveries,
        withinMs: within,
      };
    }
  }
}

/** `RPO of rows ≤ 5 s`, `no acknowledged write of rows is lost`. */
function durationName(item: Extract<CheckInput, { kind: 'rpo' | 'stale-reads' }>): string {
  if (item.max === 0)
    return item.kind === 'rpo'
      ? `no acknowledged write of ${item.of} is lost`
      : `no read of ${item.of} is stale`;
  return `${item.kind === 'rpo' ? 'RPO' : 'stale reads'} of ${item.of} ${limitsText(item)}`;
}

/** `write outage of rows ≤ 30 s`, `longest write outage of any client of rows ≤ 5 s`. */
function operationOutageName(item: Extract<CheckInput, { kind: 'write-outage' | 'read-outage' }>): string {
  const what = item.kind === 'write-outage' ? 'write outage' : 'read outage';
  const whole = item.time === 'longest' ? `longest ${what}` : what;
  return `${whole} of ${item.clients === 'any' ? 'any client of ' : ''}${item.of} ${limitsText(item)}`;
}

function countsText({ min, max }: { min?: number | undefined; max?: number | undefined }): string {
  return [min === undefined ? [] : [`≥ ${min}`], max === undefined ? [] : [`≤ ${max}`]].flat().join(', ');
}

const ownerTexts = { none: 'no owner', multiple: 'multiple owners' } as const;

const limitNames = {
  rto: 'RTO',
  redundancy: 'time to redundancy',
  'heal-outage': 'outage of the return',
  return: 'return',
} as const;

function limitsText({ min, max }: { min?: number | undefined; max?: number | undefined }): string {
  return [
    min === undefined ? undefined : `≥ ${limitText(min)}`,
    max === undefined ? undefined : `≤ ${limitText(max)}`,
  ]
    .filter((part) => part !== undefined)
    .join(', ');
}
