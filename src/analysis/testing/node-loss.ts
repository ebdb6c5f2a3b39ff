import type { Check, Plan } from '../../core/plan.ts';
import type { FailCause } from '../../core/sample.ts';
import { type Answer, LogBuilder, planWith, probeOf } from './log-builder.ts';

/** The true times of the simulated loss and return of node-1, ms on the run clock. */
export const truth = {
  faultMs: 10_000,
  promotedMs: 24_000,
  recoveredMs: 30_000,
  recoveryGateMs: 40_000,
  healMs: 50_000,
  /** The return causes a second outage. */
  secondDownMs: 54_000,
  secondUpMs: 57_000,
  bootedMs: 53_000,
  standbyMs: 70_000,
  gateMs: 80_000,
  endMs: 82_000,
} as const;

/** Changes to the drill. */
export interface LossVariant {
  readonly kind?: string;
  readonly checks?: readonly Check[];
  readonly plan?: Partial<Plan>;
  /** The result of samples of node-1 while it is lost. `unknown`: the prober lost them. */
  readonly silence?: FailCause | 'unknown';
  /** Node-2 is not promoted, and the service stays down until the heal. */
  readonly stuck?: boolean;
  /** Node-1 is the standby: there is no outage, and node-2 is the primary all the time. */
  readonly lostStandby?: boolean;
  /** The heal of node-1 is not proven. */
  readonly unproven?: boolean;
}

const require = [
  { probe: 'health' },
  { probe: 'pg-role', is: ['primary'], count: { min: 1, max: 1 } },
  { probe: 'pg-role', is: ['standby'], count: { min: 1, max: 1 } },
];

function up(sendMs: number, value?: string): Answer {
  return { status: 'ok', finishMs: sendMs + 5, ...(value === undefined ? {} : { value }) };
}

function silent(sendMs: number, how: FailCause | 'unknown'): Answer {
  if (how === 'unknown') return { status: 'unknown', finishMs: sendMs + 5, message: 'no such container' };
  return { status: 'fail', cause: how, finishMs: sendMs + (how === 'timeout' ? 900 : 5) };
}

/** A drill whose fault takes node-1, the primary, away at 10 s. The heal begins at 50 s. */
export function nodeLoss(variant: LossVariant = {}): LogBuilder {
  const t = truth;
  const { kind = 'power.cut', silence = 'timeout', stuck = false, lostStandby = false } = variant;
  const gate = { require, forMs: 5000, withinMs: 120_000 };
  const plan = planWith({
    probes: [
      probeOf('health', { intervalMs: 200 }),
      probeOf('pg-role@node-1', { kind: 'sql', onFailure: { refused: 'down' } }),
      probeOf('pg-role@node-2', { kind: 'sql', onFailure: { refused: 'down' } }),
    ],
    roles: { 'db-primary': { probe: 'pg-role', is: ['primary'] } },
    faults: [{ id: 'fault-1', kind, on: { host: 'node-1' }, atMs: 0, params: {} }],
    steady: gate,
    redundancy: gate,
    recovery: { probe: 'health', withinMs: 30_000, stableForMs: 5000 },
    checks: variant.checks ?? [],
    ...variant.plan,
  });
  const down = (ms: number) =>
    !lostStandby &&
    ((ms >= t.faultMs + 50 && ms < (stuck ? t.secondUpMs : t.recoveredMs)) ||
      (ms >= t.secondDownMs && ms < t.secondUpMs));
  const mine = lostStandby ? 'standby' : 'primary';
  const theirs = lostStandby ? 'primary' : 'standby';
  return new LogBuilder(plan)
    .at(0, { type: 'phase.started', phase: 'steady' })
    .at(6000, { type: 'gate', gate: 'steady', state: 'met', unmet: [] })
    .at(6001, { type: 'phase.started', phase: 'fault' })
    .probing('health', 7, t.endMs, 200, (ms) => (down(ms) ? silent(ms, 'refused') : up(ms)))
    .probing('pg-role@node-1', 120, t.endMs, 1000, (ms) => {
      if (ms < t.faultMs) return up(ms, mine);
      return ms < t.bootedMs
        ? silent(ms, silence)
        : up(ms, ms < t.standbyMs ? 'standby-detached' : 'standby');
    })
    .probing('pg-role@node-2', 420, t.endMs, 1000, (ms) =>
      up(ms, ms >= t.promotedMs && !stuck ? 'primary' : theirs),
    )
    .fault(t.faultMs, { kind })
    .at(t.faultMs + 160, { type: 'phase.started', phase: 'recovery' })
    .at(t.recoveryGateMs, {
      type: 'gate',
      gate: 'recovery',
      ...(stuck ? { state: 'timeout', unmet: ['health: fail refused'] } : { state: 'met', unmet: [] }),
    })
    .at(t.healMs - 1, { type: 'phase.started', phase: 'heal' })
    .at(t.healMs, { type: 'heal.started', fault: 'fault-1' })
    .at(
      t.bootedMs - 500,
      variant.unproven === true
        ? { type: 'heal.failed', fault: 'fault-1', message: 'no answer' }
        : { type: 'heal.proven', fault: 'fault-1' },
    )
    .at(t.bootedMs - 499, { type: 'phase.started', phase: 'redundancy' })
    .at(t.gateMs, { type: 'gate', gate: 'redundancy', state: 'met', unmet: [] })
    .at(t.endMs, { type: 'run.ended' });
}
