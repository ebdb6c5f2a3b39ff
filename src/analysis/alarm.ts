import { canDetect, leastP, neededAgainst, neededEach, requestedAlpha } from './rank-test.ts';

/**
 * Upper limit of the probability that the comparison of one night with its baseline raises a false
 * alarm, over all drills.
 */
export const alarmAlpha = requestedAlpha / 2;

/**
 * Share of the level for the test of all drills together; the tests of single drills share the rest. A little more
 * than half, so that 4 nights against 4 can raise an alarm.
 */
export const togetherShare = 0.6;

/**
 * One-sided levels of the tests. A test that alarms passes its level on to the others (Holm).
 * `together` is null for a single drill.
 */
export function alarmLevels(drills: number): { readonly together: number | null; readonly single: number } {
  if (drills < 2) return { together: null, single: alarmAlpha };
  return { together: togetherShare * alarmAlpha, single: ((1 - togetherShare) * alarmAlpha) / drills };
}

/** Nights of both sides, and the number of compared drills. */
export interface AlarmSizes {
  readonly baselineNights: number;
  readonly nowNights: number;
  readonly drills: number;
}

/** Whether a comparison can raise an alarm, known before any drill runs. */
export interface AlarmNeeds {
  /** Whether this many nights can raise an alarm at all. */
  readonly possible: boolean;
  /** One sentence each. */
  readonly words: readonly string[];
}

/**
 * Whether these numbers of nights can raise an alarm, however large a regression is, and how many
 * nights could.
 */
export function alarmNeeds({ baselineNights, nowNights, drills }: AlarmSizes): AlarmNeeds {
  const { together, single } = alarmLevels(drills);
  const level = together ?? single;
  const sides = `${nightText(baselineNights)} of the baseline against ${nightText(nowNights)}`;
  const units = 'Runs less than 6 h apart count as one night.';
  if (!canDetect(baselineNights, nowNights, level)) {
    const against = nowNights > 0 ? neededAgainst(nowNights, level) : null;
    const other = against === null ? '' : `, or ${against} of the baseline against ${nightText(nowNights)}`;
    return {
      possible: false,
      words: [
        `${sides} cannot show a regression: their lowest possible p is ${levelText(leastP(baselineNights, nowNights))}, and an alarm needs ${levelText(level)} or less`,
        `a regression needs at least ${neededEach(level)} nights on each side${other}. ${units}`,
      ],
    };
  }
  if (together === null || canDetect(baselineNights, nowNights, single)) return { possible: true, words: [] };
  return {
    possible: true,
    words: [
      `${sides} can only show that all ${drills} figures together got slower; a single one of ${drills} figures needs at least ${neededEach(single)} nights on each side. ${units}`,
    ],
  };
}

/** `1 night`, `4 nights` */
export function nightText(count: number): string {
  return `${count} night${count === 1 ? '' : 's'}`;
}

/** A probability with two significant digits: `0.25`, `0.00042`. */
export function levelText(p: number): string {
  return String(Number(p.toPrecision(2)));
}
