import type { Condition } from '../../core/condition.ts';
import type { Check, Plan, StageRule } from '../../core/plan.ts';
import { type Answer, LogBuilder, planWith, probeOf } from './log-builder.ts';

/** The true times of the simulated drill, ms on the run clock. */
export const truth = {
  steadyMs: 8000,
  issuedMs: 10_000,
  effectMs: 10_050,
  lbDownMs: 14_200,
  promotedMs: 32_400,
  convergedMs: 41_000,
  /** Up for 2.3 s, then down again. */
  firstUpMs: 43_333,
  secondDownMs: 45_633,
  recoveredMs: 46_777,
  standbyBackMs: 70_300,
  endMs: 80_000,
} as const;

/** Changes to the drill. All ms on the run clock. */
export interface DrillVariant {
  readonly checks?: readonly Check[];
  readonly stages?: readonly StageRule[];
  readonly plan?: Partial<Plan>;
  /** No promotion, no recovery. */
  readonly neverRecovers?: boolean;
  /** Events from this time on are missing from the log, ms. */
  readonly cutAtMs?: number;
}

const primary: Condition = { probe: 'pg-role', is: ['primary'] };
const exactlyOne = { min: 1, max: 1 };

/** Stages of the drill; no sample shows the end of `pgpool re-routes`. */
export const stageRules: readonly StageRule[] = [
  {
    name: 'LB notices',
    until: {
      kind: 'condition',
      condition: { probe: 'lb-backend', is: ['DOWN'], count: { min: 1 } },
      excludeFaultHost: false,
    },
  },
  {
    name: 'repmgr promotes',
    until: { kind: 'condition', condition: { ...primary, count: exactlyOne }, excludeFaultHost: true },
  },
  {
    name: 'pgpool re-routes',
    until: { kind: 'mark', probe: 'watchdog', mark: 'select1-ok', excludeFaultHost: true },
  },
  {
    name: 'watchdog converges',
    until: { kind: 'mark', probe: 'watchdog', mark: 'converged', excludeFaultHost: true },
  },
  { name: 'first 200', until: { kind: 'recovered' } },
];

/** Checks of the drill. All of them pass. */
export const checkList: readonly Check[] = [
  { kind: 'rto', name: 'RTO', maxMs: 90_000 },
  { kind: 'downtime', name: 'downtime', maxMs: 60_000 },
  { kind: 'redundancy', name: 'redundancy', maxMs: 240_000 },
  { kind: 'role-moved', name: 'primary moves', role: 'db-primary' },
  {
    kind: 'never',
    name: 'no split brain',
    condition: { ...primary, count: { min: 2 } },
    toleranceMs: 0,
  },
  {
    kind: 'finally',
    name: 'standby is back',
    condition: { probe: 'pg-role', is: ['standby'], count: exactlyOne },
  },
];

/** The plan of the drill. */
export function crashPlan(variant: DrillVariant = {}): Plan {
  const require: Condition[] = [
    { probe: 'health' },
    { ...primary, count: exactlyOne },
    { probe: 'pg-role', is: ['standby'], count: exactlyOne },
    { probe: 'lb-backend', is: ['UP'] },
  ];
  return planWith({
    scenario: {
      name: 'postgres-crash',
      title: 'Postgres crash on the primary',
      path: 'scenarios/lab/postgres-crash.yaml',
      sha256: 'ab'.repeat(32),
      variables: {},
    },
    probes: [
      probeOf('health', { burstIntervalMs: 50 }),
      ...['node-1', 'node-2'].flatMap((host) => [
        probeOf(`pg-role@${host}`, { kind: 'sql', onFailure: { refused: 'down' } }),
        probeOf(`lb-backend@${host}`, { kind: 'haproxy-stats' }),
        probeOf(`watchdog@${host}`, { kind: 'journal', intervalMs: 2000, timeoutMs: 1800 }),
      ]),
    ],
    roles: { 'db-primary': primary },
    faults: [{ id: 'fault-1', kind: 'process.kill', on: { role: 'db-primary' }, atMs: 0, params: {} }],
    steady: { require, forMs: 5000, withinMs: 120_000 },
    recovery: { probe: 'health', withinMs: 60_000, stableForMs: 5000 },
    redundancy: { require, forMs: 5000, withinMs: 300_000 },
    checks: variant.checks ?? checkList,
    stages: variant.stages ?? stageRules,
    ...variant.plan,
  });
}

type Target = (sendMs: number) => Answer;

/** A target with a sequence of states, each valid from its moment on; `refused` fails. */
function steps(latencyMs: number, ...entries: readonly (readonly [fromMs: number, state: string])[]): Target {
  return (sendMs) => {
    const state = entries.findLast(([fromMs]) => fromMs <= sendMs + latencyMs / 2)?.[1] ?? 'ok';
    const finishMs = sendMs + latencyMs;
    if (state === 'refused') return { status: 'fail', cause: 'refused', finishMs };
    if (state === 'http-5xx') return { status: 'fail', cause: 'http-5xx', finishMs, message: '503 from LB' };
    if (state === 'unknown') return { status: 'unknown', finishMs, message: 'no such container' };
    return { status: 'ok', finishMs, ...(state === 'ok' ? {} : { value: state }) };
  };
}

/** The drill's log up to the fault: steady state, burst, roles resolved. */
export function upToFault(builder: LogBuilder): LogBuilder {
  return builder
    .at(0, { type: 'phase.started', phase: 'steady' })
    .at(truth.steadyMs, { type: 'gate', gate: 'steady', state: 'met', unmet: [] })
    .at(truth.steadyMs, { type: 'rate.changed', burst: true })
    .at(truth.issuedMs - 10, { type: 'role.resolved', role: 'db-primary', host: 'node-1' })
    .at(truth.issuedMs - 10, { type: 'phase.started', phase: 'fault' });
}

/** Adds the drill's probes from 0 to `endMs`. */
export function probes(builder: LogBuilder, endMs: number, neverRecovers: boolean): LogBuilder {
  const t = truth;
  const never = Infinity;
  const later = (ms: number) => (neverRecovers ? never : ms);
  const every = (s: number) => (s >= t.steadyMs && s < later(52_000) ? 50 : 1000);
  return builder
    .probing(
      'health',
      7,
      endMs,
      every,
      steps(
        6,
        [0, 'ok'],
        [t.effectMs, 'http-5xx'],
        [later(t.firstUpMs), 'ok'],
        [later(t.secondDownMs), 'http-5xx'],
        [later(t.recoveredMs), 'ok'],
      ),
    )
    .probing(
      'pg-role@node-1',
      120,
      endMs,
      1000,
      steps(12, [0, 'primary'], [t.effectMs, 'refused'], [later(t.standbyBackMs), 'standby']),
    )
    .probing('pg-role@node-2', 420, endMs, 1000, steps(12, [0, 'standby'], [later(t.promotedMs), 'primary']))
    .probing(
      'lb-backend@node-1',
      220,
      endMs,
      1000,
      steps(3, [0, 'UP'], [t.lbDownMs, 'DOWN'], [later(60_000), 'UP']),
    )
    .probing('lb-backend@node-2', 230, endMs, 1000, steps(3, [0, 'UP']))
    .probing('watchdog@node-1', 300, endMs, 2000, steps(90, [0, 'ok']))
    .probing('watchdog@node-2', 350, endMs, 2000, steps(90, [0, 'ok']));
}

/** A complete Postgres crash with failover to node-2, in the engine's format. */
export function crashDrill(variant: DrillVariant = {}): LogBuilder {
  const t = truth;
  const builder = upToFault(new LogBuilder(crashPlan(variant)));
  const endMs = t.endMs;
  probes(builder, endMs, variant.neverRecovers ?? false)
    .fault(t.issuedMs)
    .at(t.issuedMs + 160, { type: 'phase.started', phase: 'recovery' })
    .at(t.issuedMs + 5000, { type: 'clock.anchor', wallMs: Date.UTC(2026, 2, 1, 10) + t.issuedMs + 5000 });
  if (variant.neverRecovers === true) {
    builder
      .at(70_160, { type: 'gate', gate: 'recovery', state: 'timeout', unmet: ['health: fail http-5xx'] })
      .at(70_161, { type: 'rate.changed', burst: false })
      .at(70_162, { type: 'phase.started', phase: 'heal' });
  } else {
    builder
      .at(41_900, {
        type: 'mark',
        probe: 'watchdog@node-2',
        host: 'node-2',
        name: 'converged',
        atMs: t.convergedMs,
        text: 'converge=done | `x`',
      })
      .at(51_850, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
      .at(51_851, { type: 'rate.changed', burst: false })
      .at(51_852, { type: 'phase.started', phase: 'heal' })
      .at(51_853, { type: 'phase.started', phase: 'redundancy' })
      .at(76_200, { type: 'gate', gate: 'redundancy', state: 'met', unmet: [] });
  }
  return builder
    .at(endMs - 500, { type: 'heal.started', fault: 'fault-1' })
    .at(endMs - 300, { type: 'heal.proven', fault: 'fault-1' })
    .at(endMs, { type: 'run.ended' });
}
