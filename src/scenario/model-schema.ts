import { z } from 'zod';
import { duration } from '../core/duration.ts';
import type { Model } from '../core/plan.ts';
import { type Models, modelsWithin } from '../model/components.ts';
import { idSchema } from './id-schema.ts';
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
  interval: duration.describe('Time from the start of one run to the start of the next.'),
  fall: z.int().min(1).default(1).describe('Consecutive failures that count as down (default: 1).'),
  rise: z.int().min(1).default(1).describe('Consecutive successes that count as up (default: 1).'),
  weight: z
    .int()
    .min(-253)
    .max(253)
    .default(0)
    .describe(
      'Weight of the script (default: 0). Positive: added to the priority while the script succeeds. Negative: subtracted while it fails. 0: a failure puts the instance into the FAULT state.',
    ),
  runtime: duration
    .prefault('0s')
    .describe('Duration of a failed run; for a run that hangs, its timeout (default: 0s).'),
});

const keepalived = z.strictObject({
  kind: z.literal('keepalived').describe('Times of keepalived: of its tracked script and of VRRP.'),
  version: z
    .union([z.literal(2), z.literal(3)])
    .default(2)
    .describe('Version of VRRP (default: 2).'),
  advertInterval: duration.describe('Time between two adverts: `advert_int` in keepalived.conf.'),
  priorities: z
    .record(z.string().min(1), priority)
    .refine((hosts) => Object.keys(hosts).length >= 2, { error: 'needs at least two hosts' })
    .describe('Base priority of each host of the virtual router.'),
  preempt: z
    .union([z.boolean(), z.array(z.string().min(1))])
    .default(true)
    .describe(
      'Whether a host takes over from a master of lower priority (default: true), or a list of the hosts that do. A host with `nopreempt` in keepalived.conf does not.',
    ),
  script: script.optional().describe('The tracked script.'),
});

const count = (what: string) => z.int().min(1).describe(what);

const check = z.strictObject({
  kind: z.literal('check').describe('A health check that counts consecutive failures and successes.'),
  interval: duration.describe('Time from the start of one check to the start of the next.'),
  fall: count('Consecutive failures that count as down (default: 1).').default(1),
  rise: count('Consecutive successes that count as up (default: 1).').default(1),
  runtime: duration
    .prefault('0s')
    .describe('Duration of a failed check; for a check that hangs, its timeout (default: 0s).'),
});

const retries = z.strictObject({
  kind: z.literal('retries').describe('Attempts with pauses between them.'),
  attempts: count('Number of attempts, including the first.'),
  interval: duration.describe('Time from the end of one attempt to the start of the next.'),
  timeout: duration.prefault('0s').describe('Timeout of an attempt without an answer (default: 0s).'),
});

const timer = z.strictObject({
  kind: z.literal('timer').describe('A periodic timer: the time until its next tick.'),
  interval: duration.describe('Time between two ticks.'),
});

const fixed = z.strictObject({
  kind: z.literal('fixed').describe('A constant time.'),
  time: duration.describe('The constant time, from a setting.'),
});

const measured = z.strictObject({
  kind: z.literal('measured').describe('A measured time, where no setting determines it.'),
  source: z.string().min(1).describe('Source of the figures.'),
  min: duration.optional().describe('Shortest time; needs `mode` and `max`.'),
  mode: duration.optional().describe('Most likely time.'),
  max: duration.optional().describe('Longest time.'),
  quantiles: z
    .array(duration)
    .min(1)
    .optional()
    .describe('In place of `min`, `mode`, and `max`: times in ascending order at evenly spaced quantiles.'),
});

const parts = z.array(modelUse).min(1);

const sequence = z.strictObject({
  kind: z.literal('sequence').describe('Models in sequence.'),
  of: parts.describe('Models in sequence; their times add up.'),
});

const parallel = z.strictObject({
  kind: z.literal('parallel').describe('Models in parallel.'),
  of: parts.describe('Models in parallel; the longest time counts.'),
});

/** The field `models` of a target file: settings from which times are predicted. */
export const modelsSchema = z.record(
  idSchema,
  z.discriminatedUnion('kind', [keepalived, check, retries, timer, fixed, measured, sequence, parallel]),
);

type ModelInput = z.output<typeof modelsSchema>[string];
type KeepalivedInput = z.output<typeof keepalived>;
type MeasuredInput = z.output<typeof measured>;
type Path = readonly (string | number)[];

/** Checks the names and values in models. */
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
        if (containsItself(name, planned)) report([...path, 'of'], `model "${name}" contains itself`);
        break;
      case 'retries':
      case 'fixed':
        break;
    }
  }
}

/** Checks that a measured time has exactly one form, and that its figures ascend. */
function checkMeasured({ min, mode, max, quantiles }: MeasuredInput, path: Path, report: Report): void {
  const triangle = [min, mode, max].filter((ms) => ms !== undefined);
  if (quantiles === undefined ? triangle.length < 3 : triangle.length > 0) {
    report(path, 'measured: needs either `quantiles` or all of `min`, `mode`, and `max`');
  }
  const values = quantiles ?? triangle;
  const disordered = values.findIndex((ms, i) => ms < (values[i - 1] ?? 0));
  if (disordered >= 0) {
    const at = quantiles === undefined ? [...path, 'mode'] : [...path, 'quantiles', disordered];
    report(
      at,
      quantiles === undefined ? 'mode: must be between min and max' : 'quantiles: must be in ascending order',
    );
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
      'advertInterval: must be whole seconds in VRRP version 2, to which keepalived rounds; change it, or set `version: 3`',
    );
  }
}

/** Converts a model to the form of the plan; durations in ms. */
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

/** Plans a keepalived model, with `preempt` as a list of hosts. */
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
