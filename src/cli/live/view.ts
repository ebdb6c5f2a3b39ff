import { runningText } from '../../core/format-duration.ts';
import { dilationText } from '../../core/control.ts';
import type { MachinePressure, PhaseName } from '../../core/event.ts';
import type { Plan, PlannedFault } from '../../core/plan.ts';
import { unmetConditions } from '../../core/observed-state.ts';
import { dilationLimit } from '../../core/starvation-limits.ts';
import { type DurationMs, earliest, latest, type RunMs } from '../../core/time.ts';
import { flow, label, type Line, type Size, spinner } from './line.ts';
import { placeLines } from './place-lines.ts';
import { probeLines } from './probe-lines.ts';
import {
  controlAt,
  hidesFailures,
  type LivePhase,
  type LiveState,
  plannedPhases,
  recoveryProbeId,
  seenAt,
  type StepState,
} from './state.ts';

/** Lines above the block that stay visible, if there is room. */
const linesAbove = 8;

/** The live view of a drill at `nowMs` of its run clock: lines that fit `size`, most important first. */
export function drillLines(state: LiveState, nowMs: RunMs, size: Size): readonly Line[] {
  const { plan } = state;
  if (plan === undefined) return [];
  const { columns, rows } = size;
  const most = Math.max(Math.min(rows - 1, 6), rows - linesAbove);
  const top = [
    headLine(state, plan, nowMs),
    ...phaseLines(state, plan, nowMs, columns),
    ...outageLines(state, plan, nowMs, columns),
    ...waitLines(state, plan, nowMs, columns),
    ...stepLines(state, plan, nowMs, columns),
    ...proberLines(state, nowMs, columns),
    ...placeLines(state, plan, nowMs, columns),
  ].slice(0, most);
  return [...top, ...probeLines(state, plan, nowMs, { columns, rows: most - top.length })];
}

function headLine({ startedMs, burst, aborted }: LiveState, plan: Plan, nowMs: RunMs): Line {
  return [
    { text: `${spinner(nowMs)} `, style: 'cyan' },
    { text: `${runningText(nowMs - startedMs)}  ` },
    { text: `${plan.scenario.name} on ${plan.target.name}`, style: 'bold' },
    ...(burst ? [{ text: '  burst rate', style: 'dim' } as const] : []),
    ...(aborted === undefined ? [] : [{ text: `  ABORTED: ${aborted}`, style: 'red' } as const]),
  ];
}

const phaseText: Readonly<Record<PhaseName, string>> = {
  prepare: 'prepare',
  steady: 'steady',
  fault: 'fault',
  recovery: 'recovery',
  heal: 'heal',
  'undo-preparations': 'undo',
  repair: 'repair',
  redundancy: 'redundancy',
  'read-back': 'read back',
  watching: 'watching',
};

function phaseLines({ phases, aborted }: LiveState, plan: Plan, nowMs: RunMs, columns: number): Line[] {
  if (phases.some(({ name }) => name === 'watching')) return [];
  const begun = new Set(phases.map(({ name }) => name));
  const toCome = aborted === undefined ? plannedPhases(plan).filter((name) => !begun.has(name)) : [];
  return flow(
    label('steps'),
    [
      ...phases.map((phase) => phasePart(phase, nowMs)),
      ...toCome.map((name): Line => [{ text: `· ${phaseText[name]}`, style: 'dim' }]),
    ],
    '  ',
    columns,
  );
}

function phasePart({ name, sinceMs, endMs, failed }: LivePhase, nowMs: RunMs): Line {
  const took = runningText((endMs ?? nowMs) - sinceMs);
  const word = phaseText[name];
  if (failed === true) return [{ text: `✗ ${word} ${took}`, style: 'red' }];
  if (endMs !== undefined) return [{ text: '✓', style: 'green' }, { text: ` ${word} ${took}` }];
  return [
    { text: spinner(nowMs), style: 'cyan' },
    { text: ` ${word} ${took}`, style: 'bold' },
  ];
}

/** The outage of the recovery probe since the first fault. */
function outageLines(state: LiveState, plan: Plan, nowMs: RunMs, columns: number): Line[] {
  const { outage, probes, steps } = state;
  if (outage === undefined) return [];
  const last = probes.get(outage.probe)?.last;
  const zeroMs = steps.get(plan.faults[0]?.id ?? '')?.effectMs ?? outage.firstMs;
  const sign: Line[] =
    outage.firstSignMs === undefined
      ? []
      : [
          [
            {
              text: `first sign after ${runningText(outage.firstSignMs - earliest(zeroMs, outage.firstMs))}`,
            },
          ],
        ];
  const again =
    outage.times > 1 ? [[{ text: `outage ${outage.times}, ${runningText(outage.downMs)} down before` }]] : [];
  if (outage.sinceMs === undefined) {
    const good = nowMs - (probes.get(outage.probe)?.goodSinceMs ?? nowMs);
    const back: Line = [{ text: `up for ${runningText(good)}`, style: 'green' }];
    const down: Line = [
      {
        text: `was down ${runningText(outage.downMs)}${outage.times > 1 ? ` in ${outage.times} outages` : ''}`,
      },
    ];
    return flow(label('outage'), [back, down, ...sign], ' · ', columns);
  }
  const { outageMs } = plan.limits;
  const cap: Line[] =
    outageMs === undefined
      ? []
      : [[{ text: `drill stops in ${runningText(outage.firstMs + outageMs - nowMs)}`, style: 'yellow' }]];
  const down: Line = [
    { text: `DOWN ${runningText(nowMs - outage.sinceMs)}`, style: 'red' },
    { text: ` ${outage.probe}${last?.cause === undefined ? '' : `: ${last.cause}`}` },
  ];
  return flow(label('outage'), [down, ...again, ...sign, ...cap], ' · ', columns);
}

/** The gate or recovery that the drill waits for, and the time until its timeout. */
function waitLines(state: LiveState, plan: Plan, nowMs: RunMs, columns: number): Line[] {
  const phase = state.phases.at(-1);
  if (phase === undefined) return [];
  if (phase.name === 'recovery')
    return flow(label('wait'), recoveryParts(state, plan, phase, nowMs), ' · ', columns);
  const { wait } = state;
  if (wait === undefined) return [];
  const { gate, sinceMs, heldSinceMs } = wait;
  const left = leftPart(
    phase.name === 'steady' ? 'steady state' : 'redundancy',
    sinceMs + gate.withinMs - nowMs,
    gate.withinMs,
  );
  if (heldSinceMs !== undefined)
    return flow(label('wait'), [left, heldPart(nowMs - heldSinceMs, gate.forMs)], ' · ', columns);
  const unmet = unmetConditions(gate.require, seenAt(state, plan, nowMs));
  const which = unmet.length > 1 ? ` (1 of ${unmet.length})` : '';
  const missing = unmet.slice(0, 1).map((text): Line => [{ text: `not yet${which}: ${text}`, style: 'dim' }]);
  return flow(label('wait'), [left, ...missing], ' · ', columns);
}

function recoveryParts(state: LiveState, plan: Plan, { sinceMs }: LivePhase, nowMs: RunMs): Line[] {
  const { recovery } = plan;
  const left = leftPart('recovery', sinceMs + recovery.withinMs - nowMs, recovery.withinMs);
  if (state.outage === undefined) return [left, [{ text: 'no outage so far' }]];
  const goodSinceMs = state.probes.get(recoveryProbeId(state) ?? '')?.goodSinceMs;
  if (state.outage.sinceMs !== undefined || goodSinceMs === undefined) return [left];
  return [left, heldPart(nowMs - latest(goodSinceMs, sinceMs), recovery.stableForMs)];
}

function leftPart(what: string, leftMs: DurationMs, withinMs: DurationMs): Line {
  const style = leftMs < withinMs / 4 ? ({ style: 'yellow' } as const) : {};
  return [{ text: `${what}: ` }, { text: `${runningText(leftMs)} left`, ...style }];
}

function heldPart(heldMs: DurationMs, forMs: DurationMs): Line {
  return [{ text: `holds ${runningText(Math.min(heldMs, forMs))} of ${runningText(forMs)}`, style: 'green' }];
}

/** The faults of the plan, open preparations, and repairs. */
function stepLines(state: LiveState, plan: Plan, nowMs: RunMs, columns: number): Line[] {
  const done = (step: PlannedFault): boolean => state.steps.get(step.id) !== undefined;
  const open = (step: PlannedFault): boolean =>
    done(step) && state.steps.get(step.id)?.healedMs === undefined;
  return [
    ...plan.prepare.filter(open).map((step) => ({ word: 'prepared', step })),
    ...plan.faults.map((step) => ({ word: 'fault', step })),
    ...plan.repair.filter(done).map((step) => ({ word: 'repair', step })),
  ].flatMap(({ word, step }) => flow(label(word), stepParts(state, plan, step, nowMs), ' · ', columns));
}

function stepParts(state: LiveState, plan: Plan, planned: PlannedFault, nowMs: RunMs): Line[] {
  const step = state.steps.get(planned.id);
  if (step === undefined) {
    const name: Line = [{ text: `${planned.id}: ${planned.kind} on ${placeOf(planned)}` }];
    return [name, [{ text: dueText(state, planned, nowMs), style: 'dim' }]];
  }
  const name: Line = [{ text: `${planned.id}: ${step.kind} on ${step.host}` }];
  const isRepair = plan.repair.includes(planned);
  if (step.failed === true) return [name, [{ text: 'FAILED', style: 'red' }]];
  if (step.healedMs !== undefined) return [name, [{ text: 'healed, proven', style: 'green' }]];
  if (isRepair)
    return [name, [step.ackedMs === undefined ? { text: 'running' } : { text: 'done', style: 'green' }]];
  if (step.healingMs !== undefined)
    return [name, [{ text: `healing for ${runningText(nowMs - step.healingMs)}`, style: 'cyan' }]];
  return [name, ...openParts(step, planned, plan, nowMs), ...leaseParts(state, planned, nowMs)];
}

/** A limit is shown from this time before its end, ms. */
const limitShownMs = 60_000;

function openParts(
  { issuedMs, ackedMs, effectMs }: StepState,
  planned: PlannedFault,
  plan: Plan,
  nowMs: RunMs,
): Line[] {
  const since = effectMs ?? ackedMs ?? issuedMs;
  const what =
    effectMs !== undefined
      ? 'in effect'
      : ackedMs !== undefined
        ? 'acknowledged, no effect yet'
        : 'injecting';
  const limitMs = issuedMs + plan.limits.faultMs - nowMs;
  return [
    [{ text: `${what} ${runningText(nowMs - since)}`, style: 'yellow' }],
    ...(planned.forMs === undefined || effectMs === undefined
      ? []
      : [[{ text: `heals in ${runningText(effectMs + planned.forMs - nowMs)}` }]]),
    ...(limitMs < limitShownMs
      ? [[{ text: `drill stops in ${runningText(limitMs)}`, style: 'yellow' as const }]]
      : []),
  ];
}

/** Time until the fault's host undoes the fault by itself. Each renewal by firedrill extends it. */
function leaseParts({ leases }: LiveState, { id, leaseMs = 0 }: PlannedFault, nowMs: RunMs): Line[] {
  const untilMs = leases.get(id);
  if (untilMs === undefined) return [];
  if (nowMs > untilMs) return [[{ text: 'lease expired: its host undoes it', style: 'red' }]];
  // firedrill renews the lease after each third of it, so less than half means that a renewal is late.
  const isLate = untilMs - nowMs < leaseMs / 2;
  return [[{ text: `lease ${runningText(untilMs - nowMs)}`, ...(isLate ? { style: 'yellow' } : {}) }]];
}

function placeOf({ on }: PlannedFault): string {
  if ('host' in on) return on.host;
  return 'role' in on ? `the ${on.role}` : `the host of ${on.fault}`;
}

function dueText({ phases, steps }: LiveState, { atMs, after }: PlannedFault, nowMs: RunMs): string {
  const zeroMs =
    after === undefined ? phases.find(({ name }) => name === 'fault')?.sinceMs : steps.get(after)?.healedMs;
  if (zeroMs !== undefined)
    return nowMs < zeroMs + atMs ? `in ${runningText(zeroMs + atMs - nowMs)}` : 'about to be injected';
  return after === undefined ? 'pending' : `once ${after} is healed`;
}

/** The health of the prober's machine, and the pressure of each machine. */
function proberLines(state: LiveState, nowMs: RunMs, columns: number): Line[] {
  const health = controlAt(state, nowMs);
  if (health === undefined || (health.dilation === null && health.state === 'ok')) return [];
  const { state: word, dilation } = health;
  const parts: Line[] = [
    word === 'ok'
      ? [{ text: 'ok', style: 'green' }, { text: `, dilation ${dilationText(dilation ?? 1)}` }]
      : [
          {
            text:
              word === 'silent'
                ? 'DEGRADED: the control reports nothing'
                : `DEGRADED: dilation ${dilationText(dilation ?? 1)}, limit ${dilationText(dilationLimit)}`,
            style: 'red',
          },
        ],
    ...[...state.machines.values()].flatMap(pressurePart),
    ...(hidesFailures(state, nowMs) ? [[{ text: 'failures count as unknown' }]] : []),
  ];
  return flow(label('prober'), parts, ' · ', columns);
}

/** `CPU pressure 34 %`; for machines other than the prober's, with their hosts. */
function pressurePart({ prober, hosts, cpu }: MachinePressure): Line[] {
  const where = prober ? '' : ` of ${hosts.join(', ')}`;
  if (cpu.somePct !== null) return [[{ text: `CPU pressure${where} ${Math.round(cpu.somePct)} %` }]];
  return cpu.runQueue === null ? [] : [[{ text: `run queue${where} ${cpu.runQueue}` }]];
}
