import { ownershipOf } from '../../analysis/intervals.ts';
import type { FaultRecord } from '../../analysis/run-log.ts';
import { dominantStage } from '../../analysis/stages.ts';
import type { Analysis } from '../../analysis/summarize.ts';
import { middle } from '../../analysis/moment.ts';
import { listText } from '../../analysis/format.ts';
import { instancesOf } from '../../core/condition.ts';
import type { Stage } from '../../core/summary.ts';
import { durationText, offsetText } from '../../core/format-duration.ts';
import type { HostName, ProbeName } from '../../core/ids.ts';
import { counted } from '../text.ts';
import { stageText } from '../verdict-text.ts';
import type { Lane, LaneGroup, Marker, Piece } from './lanes.ts';
import { machineLanes } from './machine-lane.ts';
import { probeLane } from './probe-lane.ts';
import { later, type RunMs } from '../../core/time.ts';

/** All lanes of a drill's timeline, without empty groups. Offsets in titles count from `zeroMs`. */
export function drillLanes(analysis: Analysis, zeroMs: RunMs): readonly LaneGroup[] {
  const { log } = analysis;
  const probes = [...log.series.values()].map((s) => s.probe);
  const run = { fromMs: log.startMs, toMs: log.endMs };
  const [first, ...others] = probeGroups(analysis, zeroMs);
  const groups: LaneGroup[] = [
    { title: 'The drill', lanes: [...phaseLane(analysis), ...faultLanes(analysis, zeroMs)] },
    { title: 'Stages', lanes: stageLanes(analysis) },
    ...(first === undefined ? [] : [first]),
    ...ownershipGroups(analysis, zeroMs),
    ...Object.entries(log.plan.roles).map(([role, condition]) => ({
      title: `Role ${role}`,
      lanes: ownerLanes(
        instancesOf(condition, probes).map((i) => i.host ?? i.id),
        ownershipOf(log, condition, run),
        zeroMs,
      ),
    })),
    { title: 'Machines', lanes: machineLanes(log, zeroMs) },
    { title: 'Marks in logs', lanes: markLanes(analysis, zeroMs) },
    ...others,
  ];
  return groups.filter((g) => g.lanes.length > 0);
}

function phaseLane({ log }: Analysis): readonly Lane[] {
  const pieces = log.phases.map(({ t, phase }, i): Piece => {
    const toMs = log.phases[i + 1]?.t ?? log.endMs;
    return { fromMs: t, toMs, kind: 'phase', label: phase, title: `${phase}: ${durationText(toMs - t)}` };
  });
  const words = pieces.map((p) => p.title).join(', ');
  return pieces.length === 0 ? [] : [{ label: 'phases', words, pieces }];
}

function faultLanes({ log }: Analysis, zeroMs: RunMs): readonly Lane[] {
  return [...log.preparations, ...log.faults, ...log.repairs].map((fault): Lane => {
    const { id, kind, host, effect } = fault;
    const what = `${kind}${host === null ? '' : ` on ${host}`}`;
    const markers = faultMarkers(fault, zeroMs);
    const from = effect === null ? null : middle(effect.notBeforeMs, effect.notAfterMs);
    const toMs = fault.healedMs ?? log.endMs;
    return {
      label: id,
      words: `${what}: ${markers.map((m) => m.title).join(', ') || 'not issued'}`,
      pieces:
        from === null
          ? []
          : [
              {
                fromMs: from,
                toMs,
                kind: 'fault',
                label: what,
                title: `${what}, for ${durationText(toMs - from)}`,
              },
            ],
      markers,
    };
  });
}

function faultMarkers(fault: FaultRecord, zeroMs: RunMs): readonly Marker[] {
  const { issuedMs, ackedMs, effect, healStartedMs, healedMs } = fault;
  const markers: Marker[] = [];
  const add = (atMs: RunMs | null, shape: Marker['shape'], what: string) => {
    if (atMs !== null) markers.push({ atMs, shape, title: `${what} ${offsetText(atMs - zeroMs)}` });
  };
  add(issuedMs, 'issued', 'issued');
  add(ackedMs, 'acked', 'acknowledged');
  add(effect === null ? null : middle(effect.notBeforeMs, effect.notAfterMs), 'effect', 'effect');
  add(healStartedMs, 'heal', 'heal began');
  add(healedMs, 'healed', 'healed');
  return markers;
}

function stageLanes({ log, summary, recovery, heal }: Analysis): readonly Lane[] {
  const lane = (label: string, stages: readonly Stage[], startMs: RunMs | undefined): readonly Lane[] => {
    if (stages.length === 0 || startMs === undefined) return [];
    const dominant = dominantStage(stages);
    let fromMs = startMs;
    const pieces = stages.map((s): Piece => {
      const piece: Piece = {
        fromMs,
        toMs: later(fromMs, s.ms),
        kind: s === dominant ? 'longest' : 'stage',
        label: s.name,
        title: `${s.name}: ${stageText(s)}`,
      };
      fromMs = piece.toMs;
      return piece;
    });
    const longest = dominant === undefined ? '' : `; the longest is ${dominant.name}`;
    return [{ label, words: `${pieces.map((p) => p.title).join(', ')}${longest}`, pieces }];
  };
  const startMs = recovery?.effect.ms ?? log.startMs;
  return [
    ...lane('recovery', summary.stages, startMs),
    ...lane('return', summary.heal?.stages ?? [], heal?.began.ms),
  ];
}

/** The group of the recovery probe, then the group of all other probes. */
function probeGroups(analysis: Analysis, zeroMs: RunMs): readonly LaneGroup[] {
  const { log } = analysis;
  const lanes = new Map<ProbeName, Lane[]>();
  for (const series of log.series.values()) {
    const own = lanes.get(series.probe.name) ?? [];
    own.push(probeLane(analysis, series, zeroMs));
    lanes.set(series.probe.name, own);
  }
  const first = lanes.get(log.plan.recovery.probe) ?? [];
  const others = [...lanes].filter(([name]) => name !== log.plan.recovery.probe).flatMap(([, own]) => own);
  const isDrill = log.plan.faults.length > 0;
  return isDrill && first.length > 0
    ? [
        { title: 'Recovery probe', lanes: first },
        { title: 'Other probes', lanes: others },
      ]
    : [{ title: 'Probes', lanes: [...first, ...others] }];
}

function ownershipGroups({ log, summary }: Analysis, zeroMs: RunMs): readonly LaneGroup[] {
  return summary.ownership.flatMap(({ name, sides }) =>
    sides.map(({ side, spans }) => {
      const condition = log.plan.ownership[name]?.[side];
      const probes = [...log.series.values()].map((s) => s.probe);
      const names = condition === undefined ? [] : instancesOf(condition, probes).map((i) => i.host ?? i.id);
      const seen = spans.map(({ fromMs, toMs, owners, maybe }) => ({
        fromMs: later(zeroMs, fromMs),
        toMs: later(zeroMs, toMs),
        owners,
        maybe,
      }));
      return { title: `${name}, ${side} by`, lanes: ownerLanes(names, seen, zeroMs) };
    }),
  );
}

interface Owned {
  readonly fromMs: RunMs;
  readonly toMs: RunMs;
  readonly owners: readonly HostName[];
  readonly maybe: readonly HostName[];
}

/** A lane for each host, and one for times with no owner or multiple owners if there are any. */
function ownerLanes(names: readonly string[], spans: readonly Owned[], zeroMs: RunMs): readonly Lane[] {
  const ownLanes = [...new Set(names)].map((name): Lane => {
    const pieces = joined(
      spans.flatMap((span): Piece[] => {
        const kind = span.owners.includes(name) ? 'owner' : span.maybe.includes(name) ? 'maybe' : undefined;
        return kind === undefined ? [] : [{ ...span, kind, title: '' }];
      }),
    ).map((p): Piece => {
      const sure = p.kind === 'owner' ? name : `unknown whether ${name}`;
      return {
        ...p,
        ...(p.kind === 'owner' ? { label: name } : {}),
        title: `${sure}, ${rangeText(p, zeroMs)}`,
      };
    });
    const sure = pieces.filter((p) => p.kind === 'owner');
    return {
      label: name,
      words: sure.length === 0 ? 'ownership never certain' : sure.map((p) => rangeText(p, zeroMs)).join(', '),
      pieces,
    };
  });
  const odd = joined(
    spans.flatMap((span): Piece[] => {
      if (span.owners.length > 1)
        return [
          { ...span, kind: 'multiple', label: String(span.owners.length), title: listText(span.owners) },
        ];
      return span.owners.length + span.maybe.length === 0
        ? [{ ...span, kind: 'none', title: 'no owner' }]
        : [];
    }),
  ).map((p): Piece => ({ ...p, title: `${p.title}, ${rangeText(p, zeroMs)}` }));
  return odd.length === 0
    ? ownLanes
    : [
        ...ownLanes,
        { label: 'no or multiple owners', words: odd.map((p) => p.title).join('; '), pieces: odd },
      ];
}

/** Merges touching pieces of the same kind and title. */
function joined(pieces: readonly Piece[]): readonly Piece[] {
  const out: { -readonly [K in keyof Piece]: Piece[K] }[] = [];
  for (const piece of pieces) {
    const last = out.at(-1);
    if (last?.kind === piece.kind && last.title === piece.title && last.toMs >= piece.fromMs)
      last.toMs = piece.toMs;
    else out.push({ ...piece });
  }
  return out;
}

function rangeText({ fromMs, toMs }: Piece, zeroMs: RunMs): string {
  return `${offsetText(fromMs - zeroMs, 2)} to ${offsetText(toMs - zeroMs, 2)} (${durationText(toMs - fromMs)})`;
}

/** A lane for each pair of log probe and host. */
function markLanes({ log }: Analysis, zeroMs: RunMs): readonly Lane[] {
  const lanes = new Map<string, Marker[]>();
  for (const mark of log.marks) {
    const label = mark.host === undefined ? mark.probe : `${mark.probe.split('@')[0] ?? ''}: ${mark.host}`;
    const own = lanes.get(label) ?? [];
    own.push({
      atMs: mark.atMs,
      shape: 'mark',
      title: `${offsetText(mark.atMs - zeroMs)} ${mark.name}: ${mark.text}`,
    });
    lanes.set(label, own);
  }
  return [...lanes].map(([label, markers]) => ({
    label,
    words: `${counted(markers.length, 'mark')}, listed in the event log`,
    pieces: [],
    markers,
  }));
}
