import type { Analysis } from '../analysis/summarize.ts';
import { ownershipOf } from '../analysis/intervals.ts';
import { type FaultRecord, watchedUntil } from '../analysis/run-log.ts';
import { starvedSpans } from '../analysis/degraded.ts';
import { middle } from '../analysis/moment.ts';
import { endOf } from '../analysis/windows.ts';
import { durationText, limitText } from '../core/format-duration.ts';
import { type DurationMs, earliest, type RunMs } from '../core/time.ts';

/** A line of the event log in a report. `atMs` on the run clock. */
export interface TimelineEntry {
  readonly atMs: RunMs;
  readonly what: string;
}

function faultEntries({ log }: Analysis): TimelineEntry[] {
  const entries: TimelineEntry[] = [];
  const add = (atMs: RunMs | null, what: string) => {
    if (atMs !== null) entries.push({ atMs, what });
  };
  const who = (f: FaultRecord) => `${f.id} (${f.kind}${f.host === null ? '' : ` on ${f.host}`})`;
  for (const r of log.repairs) {
    add(r.issuedMs, `repair ${who(r)} started`);
    add(r.unansweredMs, `repair ${who(r)}: lost the connection to its host`);
    add(doneMs(r), `repair ${who(r)} done`);
  }
  for (const p of log.preparations) {
    add(p.issuedMs, `preparation ${who(p)} started`);
    add(p.unansweredMs, `preparation ${who(p)}: lost the connection to its host`);
    add(doneMs(p), `preparation ${who(p)} done`);
    add(p.healStartedMs, `preparation ${who(p)}: undo started`);
    add(p.healedMs, `preparation ${who(p)}: undo proven`);
  }
  for (const f of log.faults) {
    add(f.issuedMs, `${who(f)} issued`);
    add(f.ackedMs, `${who(f)} acknowledged`);
    add(f.unansweredMs, `${who(f)}: lost the connection to its host before the acknowledgment`);
    if (f.effect !== null)
      add(
        middle(f.effect.notBeforeMs, f.effect.notAfterMs),
        `${who(f)} took effect (within ${durationText(f.effect.notAfterMs - f.effect.notBeforeMs)})`,
      );
    add(f.healStartedMs, `${who(f)}: heal started`);
    add(f.healedMs, `${who(f)}: heal proven`);
  }
  return entries;
}

/** When a step was certainly done. */
function doneMs({ ackedMs, unansweredMs, effect }: FaultRecord): RunMs | null {
  return unansweredMs === null ? ackedMs : (effect?.notAfterMs ?? null);
}

function windowEntries({ windows }: Analysis): TimelineEntry[] {
  return [...windows].flatMap(([id, list]) =>
    list.flatMap((w) => {
      if (w.state === 'uncertain')
        return [
          {
            atMs: w.startLoMs,
            what: `${id} uncertain from here on: ${'lost' in w.causes ? 'samples are lost' : 'the prober was degraded'}`,
          },
          ...(w.open ? [] : [{ atMs: w.endHiMs, what: `${id} up, certain again` }]),
        ];
      const start = { atMs: middle(w.startLoMs, w.startHiMs), what: `${id} ${w.state}` };
      return w.open
        ? [start]
        : [
            start,
            {
              atMs: endOf(w).ms,
              what: `${id} ${w.state === 'slow' ? 'no longer slow' : 'up again'}`,
            },
          ];
    }),
  );
}

/** Changes of a role's certain holders; times with an unknown holder are skipped. */
function roleEntries({ log }: Analysis): TimelineEntry[] {
  const range = { fromMs: log.startMs, toMs: watchedUntil(log) };
  return Object.entries(log.plan.roles).flatMap(([role, condition]) => {
    const entries: TimelineEntry[] = [];
    let last: string | undefined;
    for (const span of ownershipOf(log, condition, range)) {
      if (span.maybe.length > 0) continue;
      const now = span.owners.length === 0 ? 'none' : span.owners.join(' and ');
      if (now !== last) entries.push({ atMs: span.fromMs, what: `role ${role}: ${now}` });
      last = now;
    }
    return entries;
  });
}

/** The events of a run in order of time: phases, gates, faults, windows, roles, marks, and warnings. */
export function timelineOf(analysis: Analysis): readonly TimelineEntry[] {
  const { log } = analysis;
  const entries: TimelineEntry[] = [
    ...log.phases.map((p) => ({ atMs: p.t, what: `phase ${p.phase}` })),
    ...log.gates.map((g) => ({
      atMs: g.t,
      what:
        g.state === 'met'
          ? `gate ${g.gate} met`
          : `gate ${g.gate} timed out: ${g.unmet.join('; ') || 'unmet'}`,
    })),
    ...log.rates.map((r) => ({
      atMs: r.t,
      what: r.burst ? burstText(log.plan.probes) : 'probing at the base rate',
    })),
    ...faultEntries(analysis),
    ...windowEntries(analysis),
    ...roleEntries(analysis),
    ...starvedSpans(log).flatMap((s) => [
      { atMs: s.fromMs, what: "the prober's machine is starved of CPU" },
      { atMs: s.toMs, what: "the prober's machine has enough CPU again" },
    ]),
    ...(log.controlProbe?.degraded ?? []).flatMap((s) => [
      { atMs: s.fromMs, what: 'the prober is degraded: its HTTP control does not answer in time' },
      { atMs: earliest(s.toMs, log.endMs), what: "the prober's HTTP control answers in time again" },
    ]),
    ...log.clockSteps.map((s) => ({
      atMs: s.atMs,
      what: `${s.cause === 'suspend' ? "the prober's machine slept" : 'the wall clock was set'}: ${durationText(Math.abs(s.byMs))} ${s.byMs > 0 ? 'forwards' : 'backwards'}`,
    })),
    ...log.marks.map((m) => ({
      atMs: m.atMs,
      what: `${m.name}${m.host === undefined ? '' : ` on ${m.host}`}: ${m.text}`,
    })),
    ...log.logs.filter((l) => l.level !== 'info').map((l) => ({ atMs: l.t, what: `${l.level}: ${l.text}` })),
  ];
  if (log.aborted !== null) entries.push({ atMs: log.aborted.t, what: `run aborted: ${log.aborted.reason}` });
  // The sort is stable: entries of the same moment keep their order.
  return entries.sort((a, b) => a.atMs - b.atMs);
}

function burstText(probes: readonly { readonly burstIntervalMs?: DurationMs }[]): string {
  const fastest = Math.min(...probes.map((p) => p.burstIntervalMs ?? Infinity));
  return Number.isFinite(fastest) ? `probing in a burst, every ${limitText(fastest)}` : 'probing in a burst';
}
