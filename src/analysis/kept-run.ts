import { z } from 'zod';
import type { Summary } from '../core/summary.ts';
import { notAttributed } from './stages.ts';

const measure = z.object({ ms: z.number(), minMs: z.number(), maxMs: z.number() });
const moment = z.string().refine((text) => !Number.isNaN(Date.parse(text)), { error: 'not a date' });
const stages = z
  .array(
    z.object({
      // Up to version 0.1 this stage was called `unattributed`.
      name: z.string().transform((name) => (name === 'unattributed' ? notAttributed : name)),
      startAt: z.string().default(''),
      endAt: z.string().default(''),
      ms: z.number(),
      /** Absent in runs of older versions. */
      minMs: z.number().optional(),
      maxMs: z.number().optional(),
      includes: z.array(z.string()).default([]),
    }),
  )
  .default([]);

/**
 * The fields that are read of a summary.json of any version. A field that an older version lacks was
 * not measured.
 */
const schema = z.object({
  schemaVersion: z.union([z.literal(1), z.literal(2)]),
  runId: z.string(),
  scenario: z.object({
    name: z.string(),
    title: z.string().default(''),
    path: z.string().default(''),
    sha256: z.string().default(''),
    /** undefined: unknown. */
    variables: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  }),
  target: z.string(),
  label: z.string().optional(),
  startedAt: moment,
  endedAt: moment,
  verdict: z.enum(['pass', 'fail', 'inconclusive']),
  healed: z.boolean(),
  rto: measure.extend({ first: measure.nullable().default(null) }).nullable(),
  downtime: measure
    .extend({ windows: z.number().default(0) })
    .nullable()
    .default(null),
  redundancy: measure.nullable().default(null),
  heal: z
    .object({
      startedAt: z.string(),
      return: measure.nullable(),
      outage: measure.extend({ windows: z.number() }),
      stages,
    })
    .nullable()
    .default(null),
  stages,
  longerThan: z.record(z.string(), z.number()).optional(),
  cutShort: z.literal(true).optional(),
  checks: z
    .array(
      z.object({
        name: z.string(),
        kind: z.string().default(''),
        status: z.string().optional(),
        measured: measure.optional(),
        limits: z.object({ minMs: z.number().optional(), maxMs: z.number().optional() }).optional(),
      }),
    )
    .default([]),
});

/** A run as history and comparisons read it. */
export type KeptRun = z.output<typeof schema>;

/** Validates a parsed summary.json. Returns an error sentence if it is not a summary. */
export function asKeptRun(value: unknown): KeptRun | string {
  const { success, data, error } = schema.safeParse(value);
  if (success) return withLongerThan(data);
  const [issue] = error.issues;
  return `not a summary that this version knows: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`;
}

/** A summary as a kept run. */
export function keptRun(summary: Summary): KeptRun {
  return withLongerThan(schema.parse(summary));
}

/**
 * Adds the lower bound of a missing RTO, which summaries of older versions lack. If the RTO's check failed without an RTO, the
 * service did not recover within its limit, and the outage was not over.
 */
function withLongerThan(run: KeptRun): KeptRun {
  if (run.longerThan !== undefined || run.rto !== null) return run;
  const limits = run.checks.flatMap(({ kind, status, limits }) =>
    kind === 'rto' && status === 'fail' ? (limits?.maxMs ?? []) : [],
  );
  if (limits.length === 0) return run;
  const downtime = run.downtime === null ? {} : { downtime: run.downtime.minMs };
  return { ...run, longerThan: { rto: Math.max(...limits), ...downtime } };
}
