import type { Check, Plan } from '../../core/plan.ts';
import type { FailCause } from '../../core/sample.ts';
import { type Answer, LogBuilder, planWith, probeOf } from './log-builder.ts';

/** The true times of the simulated failover of an address from node-1 to node-2, ms on the run clock. */
export const truth = {
  steadyMs: 6000,
  faultMs: 10_000,
  effectMs: 10_050,
  takenMs: 13_700,
  healMs: 40_000,
  endMs: 60_000,
} as const;

type Host = 'node-1' | 'node-2';

/** The owners of the address from a moment on. */
type Owners = readonly (readonly [fromMs: number, ...owners: Host[]])[];

/** Changes to the failover. */
export interface FailoverVariant {
  readonly kind?: string;
  readonly checks?: readonly Check[];
  readonly plan?: Partial<Plan>;
  /** Owners by side. Default for every side: node-1, then no owner, then node-2. */
  readonly claimed?: Owners;
  readonly answered?: Owners;
  /** Times in which samples of the probes on node-1 are unknown, or fail with `blindCause`. */
  readonly blind?: readonly (readonly [fromMs: number, toMs: number])[];
  readonly blindCause?: FailCause;
  /** Events from this time on are missing from the log, ms. */
  readonly cutAtMs?: number;
}

const moved: Owners = [[0, 'node-1'], [truth.effectMs], [truth.takenMs, 'node-2']];

/** How long a sample takes, ms. It reports the state at its middle. */
const effectWaitMs = 10;

/**
 * A drill that takes the address from node-1 at 10 s; node-2 owns it from 13.7 s on. Samples are 200
 * ms apart.
 */
export function vipFailover(variant: FailoverVariant = {}): LogBuilder {
  const { kind = 'container.stop', claimed = moved, answered = moved, blind = [], cutAtMs } = variant;
  const plan = planWith({
    probes: [
      probeOf('health', { intervalMs: 200, timeoutMs: 150 }),
      ...(['node-1', 'node-2'] as const).flatMap((host) => [
        probeOf(`vip-claim@${host}`, { intervalMs: 200, timeoutMs: 150, onFailure: { refused: 'down' } }),
        probeOf(`vip-arp@${host}`, { intervalMs: 200, timeoutMs: 150 }),
        probeOf(`keepalived@${host}`, { kind: 'journal', intervalMs: 1000 }),
      ]),
      probeOf('webhook@vantage', { kind: 'journal', intervalMs: 1000 }),
    ],
    ownership: {
      vip: {
        claimed: { probe: 'vip-claim', is: ['yes'] },
        answered: { probe: 'vip-arp', is: ['answers'] },
      },
    },
    faults: [{ id: 'fault-1', kind, on: { host: 'node-1' }, atMs: 0, params: {} }],
    recovery: { probe: 'health', withinMs: 30_000, stableForMs: 5000 },
    checks: variant.checks ?? [],
    ...variant.plan,
  });
  const owns = (owners: Owners, host: Host, sendMs: number): boolean => {
    const [, ...now] = owners.findLast(([fromMs]) => fromMs <= sendMs + effectWaitMs / 2) ?? [0];
    return now.includes(host);
  };
  const says = (sendMs: number, value: string): Answer => ({
    status: 'ok',
    value,
    finishMs: sendMs + effectWaitMs,
  });
  const isBlind = (sendMs: number) => blind.some(([fromMs, toMs]) => sendMs >= fromMs && sendMs < toMs);
  const broken = (sendMs: number): Answer => ({
    ...(variant.blindCause === undefined
      ? { status: 'unknown' }
      : { status: 'fail', cause: variant.blindCause }),
    finishMs: sendMs + effectWaitMs,
    message: 'no such container',
  });
  const builder = new LogBuilder(plan)
    .at(0, { type: 'phase.started', phase: 'steady' })
    .at(truth.steadyMs, { type: 'gate', gate: 'steady', state: 'met', unmet: [] })
    .probing('health', 7, truth.endMs, 200, (ms) =>
      ms >= truth.effectMs && ms < truth.takenMs
        ? { status: 'fail', cause: 'timeout', finishMs: ms + 150 }
        : { status: 'ok', finishMs: ms + 5 },
    )
    .fault(truth.faultMs, { kind, healedMs: truth.healMs })
    .at(truth.healMs - 1000, { type: 'gate', gate: 'recovery', state: 'met', unmet: [] })
    .probing('webhook@vantage', 500, truth.endMs, 1000, (ms) => says(ms, ''))
    .at(truth.endMs, { type: 'run.ended' });
  for (const [i, host] of (['node-1', 'node-2'] as const).entries()) {
    const hidden = (sendMs: number) => host === 'node-1' && isBlind(sendMs);
    builder
      .probing(`vip-claim@${host}`, 20 + 90 * i, truth.endMs, 200, (ms) =>
        hidden(ms) ? broken(ms) : says(ms, owns(claimed, host, ms) ? 'yes' : 'no'),
      )
      .probing(`vip-arp@${host}`, 60 + 90 * i, truth.endMs, 200, (ms) =>
        says(ms, owns(answered, host, ms) ? 'answers' : 'silent'),
      )
      .probing(`keepalived@${host}`, 300 + 100 * i, truth.endMs, 1000, (ms) =>
        hidden(ms) ? broken(ms) : says(ms, ''),
      );
  }
  return cutAtMs === undefined ? builder : builder.until(cutAtMs);
}

/** Marks of changes or deliveries: `[host, value, ms]`. */
export type Notices = readonly (readonly [host: Host, value: string, atMs: number])[];

/** Adds the marks of keepalived and of the webhook. They are read 0.9 s after they were logged. */
export function announce(
  builder: LogBuilder,
  changes: Notices,
  deliveries: Notices,
  /** Bounds of each delivery's time, ms to both sides. */
  deliveredWithinMs?: number,
): LogBuilder {
  for (const [host, value, atMs] of changes)
    builder.at(atMs + 900, {
      type: 'mark',
      probe: `keepalived@${host}`,
      name: 'state',
      value,
      atMs,
      text: value,
    });
  for (const [host, value, atMs] of deliveries)
    builder.at(atMs + 900, {
      type: 'mark',
      probe: 'webhook@vantage',
      host,
      name: 'delivery',
      value,
      atMs,
      ...(deliveredWithinMs === undefined
        ? {}
        : { minMs: atMs - deliveredWithinMs, maxMs: atMs + deliveredWithinMs }),
      text: `${host} ${value}`,
    });
  return builder;
}
