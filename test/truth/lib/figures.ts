import type { Dice } from './dice.ts';
import type { HoldsOneHidden } from './drill-script.ts';
import { type CheckText, effectMs, healBeganMs, type KnownRun } from './known-run.ts';
import { msText } from './plan-text.ts';
import { downtimeTruth, firstSignTruth, holdingOneHidden, rtoTruth, type Truth } from './recovery-truth.ts';
import { outagesOf, type Outages } from './sight.ts';

/** The true figures of the service of the recovery probe. */
export interface ServiceFigures {
  readonly outages: Outages;
  readonly downtime: Truth;
  /** Over the whole run. */
  readonly outOfService: Truth;
  readonly rto: Truth;
  readonly first: Truth;
  /** undefined: no fault was healed. */
  readonly healOutage: Truth | undefined;
  /** Checks with limits around the truth. */
  checks(dice: Dice): readonly CheckText[];
}

/** Options of a case for its judge. */
export interface JudgeOptions {
  /** A longer answer is certainly held, ms. */
  readonly lateMs: number;
  readonly holdsOneHidden?: HoldsOneHidden;
}

/** The recovery probe's figures of a run. */
export function judgedFigures(known: KnownRun, { lateMs, holdsOneHidden }: JudgeOptions): ServiceFigures {
  const probe = known.plan.probes.find((p) => p.name === known.plan.recovery.probe);
  if (probe === undefined) throw new Error('judge a run: its plan has no recovery probe');
  const outages = outagesOf(known, probe.id, lateMs);
  const healMs = healBeganMs(known);
  const rto = rtoTruth(known, outages);
  const asClaimed = (truth: Truth): Truth => (holdsOneHidden === undefined ? truth : holdingOneHidden(truth));
  const figures = {
    outages,
    downtime: asClaimed(downtimeTruth(outages, effectMs(known))),
    rto: holdsOneHidden === 'not-rto' ? rto : asClaimed(rto),
    outOfService: asClaimed(downtimeTruth(outages, 0)),
    first: firstSignTruth(known, outages, probe),
    healOutage: healMs === undefined ? undefined : asClaimed(downtimeTruth(outages, healMs)),
  };
  const { intervalMs } = probe;
  return {
    ...figures,
    checks: (dice) => [
      { kind: 'no-recovery', name: 'no recovery' },
      ...limitsNear(dice, figures.rto, intervalMs).map((ms, i) => maxCheck('rto', i, ms)),
      ...limitsNear(dice, figures.downtime, intervalMs).map((ms, i) => maxCheck('downtime', i, ms)),
      ...limitsNear(dice, figures.downtime, intervalMs)
        .slice(0, 2)
        .map((ms, i) => ({ kind: 'downtime', name: `downtime least ${i}`, min: msText(ms) })),
      ...limitsNear(dice, figures.healOutage, intervalMs).map((ms, i) => maxCheck('heal-outage', i, ms)),
    ],
  };
}

function maxCheck(kind: string, index: number, ms: number): CheckText {
  return { kind, name: `${kind} ${index}`, max: msText(ms) };
}

/** Limits below, above, and close to the truth, ms. */
export function limitsNear(dice: Dice, truth: Truth | undefined, intervalMs: number): readonly number[] {
  if (truth === undefined) return [];
  const full = Number.isFinite(truth.full) ? truth.full : dice.between(1000, 20_000);
  return [
    full * dice.between(0.2, 1),
    full * dice.between(1, 1.8) + dice.between(0, 200),
    full + dice.between(-intervalMs, intervalMs),
  ]
    .map((ms) => Math.round(ms))
    .filter((ms) => ms >= 1);
}
