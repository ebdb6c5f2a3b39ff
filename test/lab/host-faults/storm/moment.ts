import { createSystemClock } from '../../../../src/engine/system-clock.ts';
import { openRecords } from './stand.ts';

const clock = createSystemClock();
/** A drill of the storm has its fault open for longer than this. */
const openMs = 400;
/** Of four drills in a row so many are met with a fault open. */
const aimedOfFour = 2;

/** Whether the moment of this drill is aimed at an open fault. */
export function isAimed(number: number): boolean {
  return number % 4 < aimedOfFour;
}

/**
 * Waits for the moment at which something befalls a drill: for half of them a random one of all its time, `fromMs` to
 * `toMs` after its start on a machine of no great speed; for the others one of the first that its undo record is there.
 * @throws Error when the drill ends without a record
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
