import { z } from 'zod';
import type { Condition, GateCondition, ValuePart } from '../core/condition.ts';
import { maxOffsetMs } from '../core/log-limits.ts';
import type {
  Check,
  CompositeModel,
  FaultFacts,
  Gate,
  Limits,
  MarkSource,
  Model,
  ModelUse,
  Plan,
  PlannedExtension,
  PlannedFault,
  PlannedHost,
  PlannedPath,
  PlannedProbe,
  PlannedWriter,
  Prediction,
  Recovery,
  StageEnd,
  StageRule,
} from '../core/plan.ts';

type FieldOf<T> = T extends unknown ? keyof T : never;

/** A line for each field of a type. The compiler reports a field without a line, and a line without a field. */
type Lines<T, Except extends PropertyKey = never> = {
  readonly [K in Exclude<FieldOf<T>, Except>]: z.ZodType;
};

/** A field that neither the analysis nor a report relies on. */
const unchecked = z.unknown().optional();
const text = z.string();
const ms = z.number().min(0).max(maxOffsetMs);
/** An interval. No probe or writer runs more often than 1000 times per second. */
const everyMs = z.number().min(1).max(maxOffsetMs);
const count = z.int().min(0);
const times = z.int().min(1).max(100_000);

const valuePart = { probe: text, is: z.array(text).optional() } satisfies Lines<ValuePart>;
const conditionFields = {
  ...valuePart,
  host: text.optional(),
  and: z.array(z.looseObject(valuePart)).optional(),
  count: z.looseObject({ min: count, max: count.optional() }).optional(),
} satisfies Lines<Condition>;
const condition = z.looseObject(conditionFields);
const gateCondition = z.looseObject({
  ...conditionFields,
  role: text.optional(),
} satisfies Lines<GateCondition>);
const gate = z.looseObject({
  require: z.array(gateCondition),
  forMs: ms,
  withinMs: ms,
} satisfies Lines<Gate>);

const host = z.looseObject({
  name: text,
  address: text.optional(),
  transport: z.looseObject({ kind: text }),
  server: unchecked,
} satisfies Lines<PlannedHost>);

const extension = z.looseObject({
  entry: text,
  file: text,
  faults: z.record(
    text,
    z.looseObject({
      takesPower: z.literal(true).optional(),
      untilHealed: z.literal(true).optional(),
      changesNetwork: z.literal(true).optional(),
    } satisfies Lines<FaultFacts>),
  ),
  probes: z.record(text, z.looseObject({ lane: z.enum(['network', 'host']) })),
} satisfies Lines<PlannedExtension>);

const probe = z.looseObject({
  id: text,
  name: text,
  host: text.optional(),
  from: text.optional(),
  kind: text,
  params: unchecked,
  intervalMs: everyMs,
  timeoutMs: ms,
  burstIntervalMs: everyMs.optional(),
  usedBy: z.array(text).optional(),
  onFailure: z.record(text, text).optional(),
  always: unchecked,
} satisfies Lines<PlannedProbe>);

const path = z.looseObject({
  id: text,
  host: text.optional(),
  params: unchecked,
} satisfies Lines<PlannedPath>);

const writer = z.looseObject({
  id: text,
  kind: text,
  paths: z.array(path).min(1),
  clients: times,
  intervalMs: everyMs,
  timeoutMs: ms,
  readIntervalMs: everyMs,
  keep: unchecked,
} satisfies Lines<PlannedWriter>);

const fault = z.looseObject({
  id: text,
  kind: text,
  on: z.union(
    [z.looseObject({ host: text }), z.looseObject({ role: text }), z.looseObject({ fault: text })],
    {
      error: 'expected a host, a role, or a fault',
    },
  ),
  atMs: ms,
  after: text.optional(),
  forMs: ms.optional(),
  jitterMs: ms.optional(),
  leaseMs: ms.optional(),
  params: unchecked,
} satisfies Lines<PlannedFault>);

const modelUseFields = { model: text, steps: z.array(text).optional() } satisfies Lines<ModelUse>;
const modelUse = z.looseObject(modelUseFields);
const prediction = z.looseObject({ ...modelUseFields, from: text.optional() } satisfies Lines<Prediction>);
const predictedBy = z.union([prediction, z.array(prediction)], {
  error: 'expected a prediction, or a list of them',
});

const composite = { of: z.array(modelUse) } satisfies Lines<CompositeModel, 'kind'>;
const modelOf = <K extends Model['kind'], S extends Lines<Extract<Model, { kind: K }>, 'kind'>>(
  kind: K,
  lines: S,
) => z.looseObject({ kind: z.literal(kind), ...lines });

const model = z.discriminatedUnion(
  'kind',
  [
    modelOf('keepalived', {
      version: z.union([z.literal(2), z.literal(3)], { error: 'expected 2 or 3' }),
      advertIntervalMs: everyMs,
      priorities: z.record(text, z.int().min(1).max(254)),
      preempt: z.array(text),
      script: z
        .looseObject({ intervalMs: everyMs, fall: times, rise: times, weight: z.int(), runtimeMs: ms })
        .optional(),
    }),
    modelOf('check', { intervalMs: everyMs, fall: times, rise: times, runtimeMs: ms }),
    modelOf('retries', { attempts: times, intervalMs: ms, timeoutMs: ms }),
    modelOf('timer', { intervalMs: everyMs }),
    modelOf('fixed', { timeMs: ms }),
    modelOf('measured', {
      source: text,
      times: z.union(
        [
          z.looseObject({ minMs: ms, modeMs: ms, maxMs: ms }),
          z.looseObject({ quantilesMs: z.array(ms).min(1) }),
        ],
        { error: 'expected minMs, modeMs, and maxMs, or quantilesMs' },
      ),
    }),
    z.looseObject({ kind: z.literal('sequence'), ...composite }),
    z.looseObject({ kind: z.literal('parallel'), ...composite }),
  ],
  { error: unknownKind('model') },
);

const limits = { minMs: ms.optional(), maxMs: ms.optional() };
const operationOutage = {
  of: text,
  clients: z.enum(['all', 'any']),
  time: z.enum(['total', 'longest']),
  ...limits,
};
const marks = z.looseObject({ probe: text, marks: z.array(text) } satisfies Lines<MarkSource>);
const checkOf = <K extends Check['kind']>(
  kind: K,
  lines: Lines<Extract<Check, { kind: K }>, 'kind' | 'name'>,
) => z.looseObject({ kind: z.literal(kind), name: text, ...lines });

const check = z.discriminatedUnion(
  'kind',
  [
    checkOf('rto', { maxMs: ms }),
    checkOf('downtime', { probe: text.optional(), ...limits }),
    checkOf('redundancy', { maxMs: ms }),
    checkOf('no-recovery', {}),
    checkOf('heal-outage', { maxMs: ms }),
    checkOf('return', { maxMs: ms }),
    checkOf('happens', { condition, minMs: ms, maxMs: ms.optional() }),
    checkOf('role-moved', { role: text }),
    checkOf('role-stays', { role: text }),
    checkOf('finally', { condition }),
    checkOf('never', { condition, toleranceMs: ms }),
    checkOf('ownership', {
      of: text,
      side: text,
      state: z.enum(['none', 'multiple']).optional(),
      differsFrom: text.optional(),
      ...limits,
    }),
    checkOf('rpo', { of: text, ...limits }),
    checkOf('rows', {
      of: text,
      are: z.enum(['lost', 'duplicated', 'phantom']),
      min: count.optional(),
      max: count.optional(),
    }),
    checkOf('stale-reads', { of: text, ...limits }),
    checkOf('write-outage', operationOutage),
    checkOf('read-outage', operationOutage),
    checkOf('delivered', { changes: marks, deliveries: marks, withinMs: ms }),
  ],
  { error: unknownKind('check') },
);

const stageHosts = { excludeFaultHost: z.boolean().optional(), onlyFaultHost: z.boolean().optional() };
const stageEndOf = <K extends StageEnd['kind']>(
  kind: K,
  lines: Lines<Extract<StageEnd, { kind: K }>, 'kind'>,
) => z.looseObject({ kind: z.literal(kind), ...lines });

const stage = z.looseObject({
  name: text,
  until: z.discriminatedUnion(
    'kind',
    [
      stageEndOf('condition', { condition, ...stageHosts }),
      stageEndOf('mark', { probe: text, mark: text, ...stageHosts }),
      stageEndOf('recovered', {}),
    ],
    { error: unknownKind("stage's end") },
  ),
  predicted: predictedBy.optional(),
} satisfies Lines<StageRule>);

function unknownKind(what: string) {
  return ({ input }: { readonly input: unknown }): string => {
    const kind = typeof input === 'object' && input !== null && 'kind' in input ? input.kind : undefined;
    return kind === undefined
      ? `a ${what} needs a kind`
      : `this version has no kind ${JSON.stringify(kind)} of ${what}`;
  };
}

/** A plan as a log stores it. Fields newer than 0.1 are optional. */
const plan = z.looseObject({
  scenario: z.looseObject({
    name: text,
    title: text,
    path: text,
    sha256: text,
    variables: z.record(text, z.union([text, z.number(), z.boolean()])).optional(),
    text: text.optional(),
  } satisfies Lines<Plan['scenario']>),
  draw: z.looseObject({ seed: z.number(), round: z.number() }).optional(),
  target: z.looseObject({
    name: text,
    environment: text,
    path: text,
    sha256: text,
  } satisfies Lines<Plan['target']>),
  extensions: z.array(extension).optional(),
  hosts: z.array(host),
  probes: z.array(probe),
  probesLeftOut: z.array(text).optional(),
  writers: z.array(writer).optional(),
  roles: z.record(text, condition),
  ownership: z.record(text, z.record(text, condition)).optional(),
  models: z.record(text, model).optional(),
  prepare: z.array(fault).optional(),
  steady: gate,
  limits: z
    .looseObject({ faultMs: ms.optional(), outageMs: ms.optional() } satisfies Lines<Limits>)
    .optional(),
  healthy: condition.optional(),
  leavesNoHealthyNode: unchecked,
  faults: z.array(fault),
  repair: z.array(fault).optional(),
  recovery: z.looseObject({
    probe: text.max(1000),
    onFaultHost: z.boolean().optional(),
    keptConnection: unchecked,
    withinMs: ms,
    stableForMs: ms,
    quietForMs: ms.optional(),
    until: z.literal('redundancy').optional(),
  } satisfies Lines<Recovery>),
  redundancy: gate.extend({ predicted: predictedBy.optional() }),
  checks: z.array(check),
  stages: z.array(stage),
  returnStages: z.array(stage).optional(),
} satisfies Lines<Plan>);

/**
 * Describes what is wrong with a stored plan, with its place: `plan.checks[1].kind: …`; undefined if
 * it is valid.
 */
export function validatePlan(value: unknown): string | undefined {
  const { success, data, error } = plan.safeParse(value);
  if (!success) return issueText('plan', error);
  return twice(data.probes, 'probe') ?? twice(data.writers ?? [], 'writer') ?? circle(data.models ?? {});
}

/** Describes what is wrong with a stored probe; undefined if it is valid. */
export function validateProbe(value: unknown): string | undefined {
  const { success, error } = probe.safeParse(value);
  return success ? undefined : issueText('probe', error);
}

function issueText(of: string, { issues: [issue] }: z.ZodError): string {
  const place = (issue?.path ?? []).map((part) =>
    typeof part === 'number' ? `[${part}]` : `.${String(part)}`,
  );
  return `${of}${place.join('')}: ${(issue?.message ?? 'is invalid').replace(/^Invalid input: /, '')}`;
}

function twice(list: readonly { readonly id: string }[], what: string): string | undefined {
  const ids = list.map(({ id }) => id);
  const again = ids.find((id, index) => ids.indexOf(id) < index);
  return again === undefined ? undefined : `plan.${what}s: two ${what}s have the id ${JSON.stringify(again)}`;
}

/** Finds a model that contains itself: it has no finite time. */
function circle(models: Readonly<Record<string, z.output<typeof model>>>): string | undefined {
  const done = new Set<string>();
  const visit = (name: string, above: readonly string[]): string | undefined => {
    if (above.includes(name)) return name;
    const found = models[name];
    if (done.has(name) || found === undefined || (found.kind !== 'sequence' && found.kind !== 'parallel'))
      return undefined;
    for (const { model: within } of found.of) {
      const round = visit(within, [...above, name]);
      if (round !== undefined) return round;
    }
    done.add(name);
    return undefined;
  };
  for (const name of Object.keys(models)) {
    const round = visit(name, []);
    if (round !== undefined) return `plan.models.${round}: the model contains itself`;
  }
  return undefined;
}
