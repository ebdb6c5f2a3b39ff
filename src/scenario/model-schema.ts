import { z } from 'zod';
import { duration } from '../core/duration.ts';
import type { Model } from '../core/plan.ts';
import { suggest } from './problems.ts';
import { entryOf, type Report } from './references.ts';

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
    .default(0)
    .describe('How long a run that fails takes; one that hangs, its time-out. 0s by default.'),
});

const keepalived = z.strictObject({
  kind: z.literal('keepalived'),
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

/** Settings from which detection times are predicted, as a target file writes them. */
export const modelsSchema = z.record(
  z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, { error: 'expected letters, digits, dots, dashes' }),
  z.discriminatedUnion('kind', [keepalived]),
);

type ModelInput = z.output<typeof keepalived>;

/** Checks what the models speak of. */
export function checkModels(
  models: Readonly<Record<string, ModelInput>>,
  hostNames: readonly string[],
  report: Report,
): void {
  for (const [name, { priorities, preempt, version, advertInterval, script }] of Object.entries(models)) {
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
}

/** A model as the analysis takes it; durations in ms, `preempt` as a list of hosts. */
export function planModel({ priorities, preempt, script, ...model }: ModelInput): Model {
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
