import { z } from 'zod';
import { duration } from '../core/duration.ts';
import type { Model } from '../core/plan.ts';
import { type Models, modelsWithin } from '../model/components.ts';
import { suggest } from './suggest.ts';
import { checkModelUse, entryOf, type Report } from './references.ts';
import { modelUse, planModelUse } from './stage-schema.ts';

const priorityRange =
  'expected a priority from 1 to 254 (255 is the address owner’s, which never fails over)';
const priority = z
  .int({ error: priorityRange })
  .min(1, { error: priorityRange })
  .max(254, { error: priorityRange });

const script = z.strictObject({
  interval: duration.describe('From the beginning of one run to that of the next.'),
  fall: z.int().min(1).default(1).describe('Failures in a row that count.'),
  rise: z.int().min(1).default(1).describe('Successes in a row that count.'),
  weight: z
    .int()
    .min(-253)
    .max(253)
    .default(0)
    .describe('Added to the priority while the script is well, or taken from it; 0: FAULT when it fails.'),
  runtime: duration
    .prefault('0s')
    .describe('How long a run that fails takes; one that hangs, its time-out. 0s by default.'),
});

const keepalived = z.strictObject({
  kind: z.literal('keepalived').describe('The times of keepalived: of its tracked script, and of VRRP.'),
  version: z
    .union([z.literal(2), z.literal(3)])
    .default(2)
    .describe('Of VRRP.'),
  advertInterval: duration.describe('`advert_int`.'),
  priorities: z
    .record(z.string().min(1), priority)
    .refine((hosts) => Object.keys(hosts).length >= 2, { error: 'needs two hosts at least' })
    .describe('Base priority of each host of the virtual router.'),
  preempt: z
    .union([z.boolean(), z.array(z.string().min(1))])
    .default(true)
    .describe(
      'Whether hosts take over from a master of lower priority, or which of them do; `nopreempt` in keepalived.conf says that its host does not.',
    ),
  script: script.optional().describe('The tracked script.'),
});

const count = (what: string) => z.int().min(1).describe(what);

const check = z.strictObject({
  kind: z.literal('check').describe('A health check that counts failures and successes in a row.'),
  interval: duration.describe('From the beginning of one check to that of the next.'),
  fall: count('Failures in a row that count.').default(1),
  rise: count('Successes in a row that count.').default(1),
  runtime: duration
    .prefault('0s')
    .describe('How long a check that fails takes; one that hangs, its time-out. 0s by default.'),
});

const retries = z.strictObject({
  kind: z.literal('retries').describe('Attempts with pauses between them.'),
  attempts: count('How often it is tried, the first time included.'),
  interval: duration.describe('From the end of one attempt to the beginning of the next.'),
  timeout: duration
    .prefault('0s')
    .describe('How long an attempt waits for an answer that does not come. 0s by default.'),
});

const timer = z.strictObject({
  kind: z.literal('timer').describe('A timer: until its next tick.'),
  interval: duration.describe('From tick to tick.'),
});

const fixed = z.strictObject({
  kind: z.literal('fixed').describe('A time that is always the same.'),
  time: duration.describe('A time that is a setting itself.'),
});

const measured = z.strictObject({
  kind: z.literal('measured').describe('A time that no setting gives, as it was measured.'),
  source: z.string().min(1).describe('Where the figures are from.'),
  min: duration.optional().describe('The shortest; with `mode` and `max`.'),
  mode: duration.optional().describe('The most likely.'),
  max: duration.optional().describe('The longest.'),
  quantiles: z
    .array(duration)
    .min(1)
    .optional()
    .describe('Instead: times from the shortest to the longest, evenly spread in probability.'),
});

const parts = z.array(modelUse).min(1);

const sequence = z.strictObject({
  kind: z.literal('sequence').describe('Models one after another.'),
  of: parts.describe('Models one after another; their times add up.'),
});

const parallel = z.strictObject({
  kind: z.literal('parallel').describe('Models side by side.'),
  of: parts.describe('Models side by side; the longest time counts.'),
});

/** Settings from which times are predicted, as a target file writes them. */
export const modelsSchema = z.record(
  z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, { error: 'expected letters, digits, dots, dashes' }),
  z.discriminatedUnion('kind', [keepalived, check, retries, timer, fixed, measured, sequence, parallel]),
);

type ModelInput = z.output<typeof modelsSchema>[string];
type KeepalivedInput = z.output<typeof keepalived>;
type MeasuredInput = z.output<typeof measured>;
type Path = readonly (string | number)[];

/** Checks what the models speak of. */
export function checkModels(
  models: Readonly<Record<string, ModelInput>>,
  hostNames: readonly string[],
  report: Report,
): void {
  const planned = Object.fromEntries(Object.entries(models).map(([name, model]) => [name, planModel(model)]));
  for (const [name, model] of Object.entries(models)) {
    const path = ['models', name];
    switch (model.kind) {
      case 'keepalived':
        checkKeepalived(name, model, hostNames, report);
        break;
      case 'check':
      case 'timer':
        if (model.interval <= 0) report([...path, 'interval'], 'interval: must be more than 0');
        break;
      case 'measured':
        checkMeasured(model, path, report);
        break;
      case 'sequence':
      case 'parallel':
        for (const [i, use] of model.of.entries()) {
          checkModelUse(planModelUse(use), planned, [...path, 'of', i], report);
        }
        if (containsItself(name, planned)) report([...path, 'of'], `model "${name}" would contain itself`);
        break;
      case 'retries':
      case 'fixed':
        break;
    }
  }
}

/** Checks that figures of a measurement are given one way, and in order. */
function checkMeasured({ min, mode, max, quantiles }: MeasuredInput, path: Path, report: Report): void {
  const triangle = [min, mode, max].filter((ms) => ms !== undefined);
  if (quantiles === undefined ? triangle.length < 3 : triangle.length > 0) {
    report(path, 'measured: needs either `quantiles`, or `min`, `mode` and `max`');
  }
  const values = quantiles ?? triangle;
  const disordered = values.findIndex((ms, i) => ms < (values[i - 1] ?? 0));
  if (disordered >= 0) {
    const at = quantiles === undefined ? [...path, 'mode'] : [...path, 'quantiles', disordered];
    report(at, quantiles === undefined ? 'mode: must lie between min and max' : 'quantiles: must not fall');
  }
}

function containsItself(name: string, models: Models): boolean {
  const model = models[name];
  if (model?.kind !== 'sequence' && model?.kind !== 'parallel') return false;
  return model.of.some((use) => modelsWithin(models, use).includes(model));
}

function checkKeepalived(
  name: string,
  { priorities, preempt, version, advertInterval, script }: KeepalivedInput,
  hostNames: readonly string[],
  report: Report,
): void {
  const path = ['models', name];
  for (const host of Object.keys(priorities)) {
    if (!hostNames.includes(host))
      report([...path, 'priorities', host], `no host "${host}"${suggest(host, hostNames)}`);
  }
  for (const [i, host] of (Array.isArray(preempt) ? preempt : []).entries()) {
    if (entryOf(priorities, host) === undefined)
      report(
        [...path, 'preempt', i],
        `host "${host}" has no priority in model "${name}"${suggest(host, Object.keys(priorities))}`,
      );
  }
  if (script !== undefined && script.interval <= 0) {
    report([...path, 'script', 'interval'], 'interval: must be more than 0');
  }
  if (advertInterval <= 0) {
    report([...path, 'advertInterval'], 'advertInterval: must be more than 0');
  } else if (version === 2 && advertInterval % 1000 !== 0) {
    report(
      [...path, 'advertInterval'],
      'advertInterval: VRRP version 2 counts in whole seconds, and keepalived rounds to them',
    );
  }
}

/** A model as the analysis takes it; durations in ms. */
export function planModel(input: ModelInput): Model {
  switch (input.kind) {
    case 'keepalived':
      return planKeepalived(input);
    case 'check': {
      const { kind, interval, fall, rise, runtime } = input;
      return { kind, intervalMs: interval, fall, rise, runtimeMs: runtime };
    }
    case 'retries': {
      const { kind, attempts, interval, timeout } = input;
      return { kind, attempts, intervalMs: interval, timeoutMs: timeout };
    }
    case 'timer':
      return { kind: input.kind, intervalMs: input.interval };
    case 'fixed':
      return { kind: input.kind, timeMs: input.time };
    case 'measured': {
      const { kind, source, min = 0, mode = 0, max = 0, quantiles } = input;
      const times =
        quantiles === undefined ? { minMs: min, modeMs: mode, maxMs: max } : { quantilesMs: quantiles };
      return { kind, source, times };
    }
    case 'sequence':
    case 'parallel':
      return { kind: input.kind, of: input.of.map(planModelUse) };
  }
}

/** `preempt` as a list of hosts. */
function planKeepalived({ priorities, preempt, script, ...model }: KeepalivedInput): Model {
  const hosts = Object.keys(priorities);
  return {
    kind: model.kind,
    version: model.version,
    advertIntervalMs: model.advertInterval,
    priorities,
    preempt: Array.isArray(preempt) ? preempt : preempt ? hosts : [],
    ...(script === undefined
      ? {}
      : {
          script: {
            intervalMs: script.interval,
            fall: script.fall,
            rise: script.rise,
            weight: script.weight,
            runtimeMs: script.runtime,
          },
        }),
  };
}
