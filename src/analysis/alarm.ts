import { canTell, leastP, neededAgainst, neededEach, wantedAlpha } from './rank-test.ts';

/** A night's comparison with its baseline raises a false alarm with this probability at most, over all drills. */
export const alarmAlpha = wantedAlpha / 2;

/**
 * The part of the level that the test of all drills together has where there are several; the others share the rest. A little
 * more than half: 4 nights against 4 can then raise an alarm.
 */
export const togetherShare = 0.6;

/** The one-sided level of the first test to alarm; what one test leaves when it alarms, the others get (Holm). */
export function alarmLevels(drills: number): { readonly together: number | null; readonly single: number } {
  if (drills < 2) return { together: null, single: alarmAlpha };
  return { together: togetherShare * alarmAlpha, single: ((1 - togetherShare) * alarmAlpha) / drills };
}

/** Nights of both sides, and drills that are compared. */
export interface AlarmSizes {
  readonly baselineNights: number;
  readonly nowNights: number;
  readonly drills: number;
}

/** What it takes for an alarm, before anything is run. */
export interface AlarmNeeds {
  /** Whether these numbers can raise one at all. */
  readonly possible: boolean;
  /** One sentence each. */
  readonly words: readonly string[];
}

/** Whether nights so many can raise an alarm, however much longer everything takes, and how many could. */
export function alarmNeeds({ baselineNights, nowNights, drills }: AlarmSizes): AlarmNeeds {
  const { together, single } = alarmLevels(drills);
  const level = together ?? single;
  const sides = `${nightWords(baselineNights)} of the baseline against ${nightWords(nowNights)}`;
  const units = 'Runs with less than 6 h between them are one night.';
  if (!canTell(baselineNights, nowNights, level)) {
    const against = nowNights > 0 ? neededAgainst(nowNights, level) : null;
    const other = against === null ? '' : `, or ${against} of the baseline against ${nightWords(nowNights)}`;
    return {
      possible: false,
      words: [
        `no regression can be found with ${sides}: their lowest possible p is ${levelWords(leastP(baselineNights, nowNights))}, and an alarm needs ${levelWords(level)} or less`,
        `it takes ${neededEach(level)} nights on each side${other}. ${units}`,
      ],
    };
  }
  if (together === null || canTell(baselineNights, nowNights, single)) return { possible: true, words: [] };
  return {
    possible: true,
    words: [
      `${sides} can only show that all ${drills} figures together got slower; for a single one of ${drills} it takes ${neededEach(single)} nights on each side. ${units}`,
    ],
  };
}

/** `1 night`, `4 nights` */
export function nightWords(count: number): string {
  return `${count} night${count === 1 ? '' : 's'}`;
}

/** A probability with two significant digits: `0.25`, `0.00042`. */
export function levelWords(p: number): string {
  return String(Number(p.toPrecision(2)));
}
