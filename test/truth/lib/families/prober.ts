import type { Family } from '../drill-script.ts';
import { serviceFamily } from '../service-family.ts';

const stalls = serviceFamily(
  'stalls',
  "the prober's thread stalls at times before, during, or after an outage",
  ({ dice, time, stalls: stalled, out }) => {
    const count = dice.whole(1, 3);
    return {
      holdsOneHidden: 'all',
      effects: (service) => [
        ...out(service, dice.between(0, 2000), dice.scale(300, 8000)),
        ...Array.from({ length: count }, () => ({
          afterMs: dice.between(0, 9000),
          act: () => {
            stalled.push({ fromMs: time.nowMs(), toMs: time.nowMs() + dice.scale(60, 2500) });
          },
        })),
      ],
    };
  },
);

const enclosingStall = serviceFamily(
  'enclosing-stall',
  'one stall of the prober covers the complete outage',
  ({ dice, time, stalls: stalled, out }) => {
    const fromMs = dice.between(200, 1500);
    const lengthMs = dice.scale(300, 4000);
    const [leadMs, tailMs] = [dice.between(20, 200), dice.between(20, 500)];
    return {
      holdsOneHidden: 'all',
      effects: (service) => [
        {
          afterMs: fromMs - leadMs,
          act: () => {
            stalled.push({ fromMs: time.nowMs(), toMs: time.nowMs() + leadMs + lengthMs + tailMs });
          },
        },
        ...out(service, fromMs, lengthMs),
      ],
    };
  },
);

const lostSamples = serviceFamily(
  'lost-samples',
  'some samples are missing from the log, or unknown because the attempt itself failed',
  ({ dice, out }) => {
    const fate = dice.pick(['lost', 'unknown'] as const);
    const first = dice.whole(4, 40);
    const last = first + dice.whole(0, 20);
    const share = dice.chance(0.5) ? 1 : dice.between(0.05, 0.5);
    return {
      holdsOneHidden: 'all',
      fate: (slot) => (slot >= first && slot <= last && dice.chance(share) ? fate : undefined),
      effects: (service) => out(service, dice.between(0, 2000), dice.scale(300, 8000)),
    };
  },
);

/** Families about failures of the prober. */
export const proberFamilies: readonly Family[] = [stalls, enclosingStall, lostSamples];
