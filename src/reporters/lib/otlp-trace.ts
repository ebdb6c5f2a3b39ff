import { createHash } from 'node:crypto';
import type { Measure, Predicted, Stage, Summary, Window } from '../../core/summary.ts';
import { later, latest, type WallMs } from '../../core/time.ts';
import { listText } from '../../analysis/format.ts';
import type { FinishedDrill } from '../reporter.ts';
import {
  faultStretch,
  healOf,
  phasesOf,
  recoveryOf,
  recoveryProbeOf,
  type Stretch,
  wallMsOf,
} from './moments.ts';
import type { ProbeName } from '../../core/ids.ts';

/** A value in OTLP's JSON encoding: 64-bit integers are strings. https://opentelemetry.io/docs/specs/otlp/ */
export type AnyValue =
  | { readonly stringValue: string }
  | { readonly boolValue: boolean }
  | { readonly intValue: string }
  | { readonly doubleValue: number }
  | { readonly arrayValue: { readonly values: readonly AnyValue[] } };

/** An attribute. */
export interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}

interface SpanEvent {
  readonly timeUnixNano: string;
  readonly name: string;
  readonly attributes: readonly KeyValue[];
}

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly KeyValue[];
  readonly events: readonly SpanEvent[];
  readonly status: { readonly code?: number; readonly message?: string };
}

/** An ExportTraceServiceRequest. */
export interface TraceRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string; readonly version: string };
      readonly spans: readonly Span[];
    }[];
  }[];
}

/** Attribute values before their OTLP encoding; `int` marks integers. */
type Plain = string | boolean | number | readonly string[] | { readonly int: number };
type Attributes = Readonly<Record<string, Plain | null | undefined>>;

/** SPAN_KIND_INTERNAL, STATUS_CODE_OK, STATUS_CODE_ERROR. */
const internal = 1;
const ok = 1;
const failed = 2;

/** Maximum window spans of a trace, to keep it readable; the root span has the number of omitted windows. */
const mostWindows = 200;

/** A span without its ids. */
interface Part extends Stretch {
  readonly name: string;
  /** Unique among its siblings, and independent of their order. */
  readonly key: string;
  readonly attributes: Attributes;
  readonly events?: readonly {
    readonly atMs: WallMs;
    readonly name: string;
    readonly attributes?: Attributes;
  }[];
  readonly status?: Span['status'];
  readonly children?: readonly Part[];
}

/**
 * A drill as a trace. The root span has child spans for phases, faults, the recovery with its stages, the windows of the
 * recovery probe, the heal, and the return with its stages. Ids are hashes of the run id: the same run gives the same trace.
 */
export function traceOf(
  drill: FinishedDrill,
  resource: Readonly<Record<string, string>>,
  version: string,
): TraceRequest {
  return {
    resourceSpans: [
      {
        resource: { attributes: attributes(resource) },
        scopeSpans: [{ scope: { name: 'firedrill', version }, spans: spansOf(drill) }],
      },
    ],
  };
}

function spansOf(drill: FinishedDrill): readonly Span[] {
  const { runId } = drill.summary;
  const traceId = digest(runId, 32);
  const spans = (part: Part, path: string, parentSpanId?: string): readonly Span[] => {
    const spanId = digest(`${runId}\n${path}`, 16);
    const span: Span = {
      traceId,
      spanId,
      ...(parentSpanId === undefined ? {} : { parentSpanId }),
      name: part.name.toWellFormed(),
      kind: internal,
      startTimeUnixNano: nanos(part.fromMs),
      endTimeUnixNano: nanos(latest(part.fromMs, part.toMs)),
      attributes: attributes(part.attributes),
      events: (part.events ?? []).map((e) => ({
        timeUnixNano: nanos(e.atMs),
        name: e.name,
        attributes: attributes(e.attributes ?? {}),
      })),
      status: part.status ?? {},
    };
    return [span, ...(part.children ?? []).flatMap((child) => spans(child, `${path}\n${child.key}`, spanId))];
  };
  return spans(drillPart(drill), 'drill');
}

function drillPart({ plan, summary, exitCode }: FinishedDrill): Part {
  const { scenario, rto, rpo, downtime, redundancy, heal, verdict } = summary;
  const windows = recoveryProbeOf(plan, summary)?.windows ?? [];
  const unmet = summary.checks.filter((c) => c.status !== 'pass').map((c) => c.name);
  return {
    name: `drill ${scenario.name}`,
    key: 'drill',
    fromMs: wallMsOf(summary.startedAt),
    toMs: wallMsOf(summary.endedAt),
    attributes: {
      'firedrill.run.id': summary.runId,
      'firedrill.scenario.name': scenario.name,
      'firedrill.scenario.title': scenario.title,
      'firedrill.scenario.path': scenario.path,
      'firedrill.scenario.sha256': scenario.sha256,
      ...Object.fromEntries(
        Object.entries(scenario.variables).map(([name, value]) => [`firedrill.variable.${name}`, value]),
      ),
      'firedrill.target': summary.target,
      'firedrill.environment': plan.target.environment,
      'firedrill.verdict': verdict,
      'firedrill.healed': summary.healed,
      'firedrill.exit_code': { int: exitCode },
      'firedrill.reasons': summary.reasons.length === 0 ? null : summary.reasons,
      'firedrill.checks.unmet': unmet.length === 0 ? null : unmet,
      ...measure('firedrill.rto', rto),
      ...measure('firedrill.rto.first', rto?.first),
      ...measure('firedrill.downtime', downtime),
      ...measure('firedrill.redundancy', redundancy),
      ...measure('firedrill.rpo', rpo),
      'firedrill.rpo.acked': rpo && { int: rpo.acked },
      'firedrill.rpo.lost': rpo && { int: rpo.lost },
      'firedrill.rpo.duplicated': rpo && { int: rpo.duplicated },
      ...measure('firedrill.heal.return', heal?.return),
      ...measure('firedrill.heal.outage', heal?.outage),
      'firedrill.windows.left_out':
        windows.length > mostWindows ? { int: windows.length - mostWindows } : null,
    },
    events: summary.checks.map((check) => ({
      atMs: wallMsOf(summary.endedAt),
      name: 'check',
      attributes: {
        'firedrill.check.name': check.name,
        'firedrill.check.kind': check.kind,
        'firedrill.check.status': check.status,
        'firedrill.check.observed': check.observed,
        'firedrill.check.limit': check.limit,
      },
    })),
    status: statusOf(summary),
    children: [
      ...phasesOf(summary).map((phase) => ({
        name: `phase ${phase.name}`,
        key: `phase ${phase.name}`,
        fromMs: phase.fromMs,
        toMs: phase.toMs,
        attributes: { 'firedrill.phase': phase.name },
      })),
      ...summary.faults.map((fault) => faultPart(fault, summary)),
      ...recoveryPart(summary),
      ...windows
        .slice(0, mostWindows)
        .map((window, index) => windowPart(window, index, plan.recovery.probe, summary)),
      ...healParts(summary),
    ],
  };
}

function statusOf({ verdict, healed, reasons }: Summary): Span['status'] {
  if (!healed) return { code: failed, message: ['not proven healed', ...reasons].join('; ').toWellFormed() };
  switch (verdict) {
    case 'pass':
      return { code: ok };
    case 'fail':
      return { code: failed, message: reasons.join('; ').toWellFormed() };
    case 'inconclusive':
      return {};
  }
}

function faultPart(fault: Summary['faults'][number], summary: Summary): Part {
  const event = (name: string, at: string | null) => (at === null ? [] : [{ name, atMs: wallMsOf(at) }]);
  return {
    name: `fault ${fault.kind}`,
    key: `fault ${fault.id}`,
    ...faultStretch(fault, summary),
    attributes: {
      'firedrill.fault.id': fault.id,
      'firedrill.fault.kind': fault.kind,
      'firedrill.fault.on': fault.on,
      'firedrill.fault.healed': fault.healedAt !== null,
    },
    events: [...event('acknowledged', fault.ackedAt), ...event('effect', fault.effectAt)],
    status: fault.healedAt === null ? { code: failed, message: 'not proven healed' } : {},
  };
}

function recoveryPart(summary: Summary): readonly Part[] {
  const recovery = recoveryOf(summary);
  if (recovery === undefined) return [];
  return [
    {
      name: 'recovery',
      key: 'recovery',
      ...recovery,
      attributes: { ...measure('firedrill.rto', summary.rto), ...predicted(summary.predicted?.rto) },
      children: summary.stages.map(stagePart),
    },
  ];
}

function stagePart(stage: Stage, index: number): Part {
  return {
    name: `stage ${stage.name}`,
    key: `stage ${index}`,
    fromMs: wallMsOf(stage.startAt),
    toMs: later(wallMsOf(stage.startAt), stage.ms),
    attributes: {
      'firedrill.stage.name': stage.name,
      ...measure('firedrill.stage', stage),
      'firedrill.stage.includes': stage.includes.length === 0 ? null : listText(stage.includes),
      ...predicted(stage.predicted),
    },
  };
}

function windowPart(window: Window, index: number, probe: ProbeName, { endedAt }: Summary): Part {
  return {
    name: `${window.state} ${probe}`,
    key: `window ${index}`,
    fromMs: wallMsOf(window.startAt),
    toMs: wallMsOf(window.endAt ?? endedAt),
    attributes: {
      'firedrill.window.state': window.state,
      'firedrill.window.open': window.endAt === null,
      ...measure('firedrill.window', window),
      ...Object.fromEntries(
        Object.entries(window.causes).map(([cause, count]) => [
          `firedrill.window.cause.${cause}`,
          { int: count },
        ]),
      ),
    },
  };
}

/** The heal, and the return to redundancy with its stages. */
function healParts(summary: Summary): readonly Part[] {
  const { heal } = summary;
  const stretch = healOf(summary);
  if (heal === null || stretch === undefined) return [];
  const healed: Part = {
    name: 'heal',
    key: 'heal',
    ...stretch,
    attributes: {},
    status: summary.healed ? {} : { code: failed, message: 'not proven healed' },
  };
  if (heal.return === null) return [healed];
  const back: Part = {
    name: 'return',
    key: 'return',
    fromMs: stretch.fromMs,
    toMs: later(stretch.fromMs, heal.return.ms),
    attributes: {
      ...measure('firedrill.heal.return', heal.return),
      ...measure('firedrill.heal.outage', heal.outage),
      'firedrill.heal.outage.windows': { int: heal.outage.windows },
    },
    children: heal.stages.map(stagePart),
  };
  return [healed, back];
}

/** An estimate and its bounds, in ms. */
function measure(name: string, value: Measure | null | undefined): Attributes {
  return value === null || value === undefined
    ? {}
    : { [`${name}.ms`]: value.ms, [`${name}.min_ms`]: value.minMs, [`${name}.max_ms`]: value.maxMs };
}

function predicted(value: Predicted | undefined): Attributes {
  return value === undefined
    ? {}
    : {
        'firedrill.predicted.min_ms': value.minMs,
        'firedrill.predicted.median_ms': value.medianMs,
        'firedrill.predicted.max_ms': value.maxMs,
      };
}

function attributes(given: Attributes): readonly KeyValue[] {
  return Object.entries(given).flatMap(([key, value]) =>
    value === null || value === undefined ? [] : [{ key: key.toWellFormed(), value: anyValue(value) }],
  );
}

function anyValue(value: Plain): AnyValue {
  if (typeof value === 'string') return { stringValue: value.toWellFormed() };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') return { doubleValue: value };
  if ('int' in value) return { intValue: String(value.int) };
  return { arrayValue: { values: value.map((text) => ({ stringValue: text.toWellFormed() })) } };
}

/** Nanoseconds since the Unix epoch as text, rounded to 1 µs: no offset is known more precisely. */
function nanos(ms: WallMs): string {
  return `${Math.round(ms * 1000)}000`;
}

/** The first `digits` hex digits of a text's SHA-256. An id of only zeros would be invalid, but is practically impossible. */
function digest(text: string, digits: number): string {
  return createHash('sha256').update(`firedrill\n${text}`).digest('hex').slice(0, digits);
}
