import { createSystemClock } from '../../../../src/engine/system-clock.ts';
import { openRecords } from './stand.ts';

const clock = createSystemClock();
/** A drill of the storm has its fault open for longer than this, ms. */
const openMs = 400;
/** Number of each four consecutive drills that are hit while a fault is open. */
const aimedOfFour = 2;

/** Whether the moment of this drill is aimed at an open fault. */
export function isAimed(number: number): boolean {
  return number % 4 < aimedOfFour;
}

/**
 * Waits for the moment at which the storm hits a drill. For half of the drills, it is a random time between `fromMs` and
 * `toMs` after the start (for a slow machine). For the others, it is within `openMs` after the undo record appears.
 * @throws Error if the drill ends without an undo record
 */
export async function untilMoment(
  number: number,
  {
    drill,
    state,
    random,
    fromMs,
    toMs,
    signal,
  }: {
    readonly drill: Promise<unknown>;
    readonly state: string;
    readonly random: () => number;
    readonly fromMs: number;
    readonly toMs: number;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const share = random();
  if (!isAimed(number)) {
    await clock.sleep(fromMs + share * (toMs - fromMs), signal);
    return;
  }
  let over = false;
  void drill.then(() => (over = true));
  while (openRecords(state).length === 0) {
    if (over) throw new Error('the drill ended without an undo record');
    await clock.sleep(5, signal);
  }
  await clock.sleep(share * openMs, signal);
}
