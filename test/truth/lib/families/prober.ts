import type { Family } from '../drill-script.ts';
import { latencyOf, serviceScript } from '../service-case.ts';
import { outage, failing, usualProbe } from './outages.ts';

const stalls: Family = {
  name: 'stalls',
  about: "the prober's thread stands still now and then, before, over or after an outage",
  script: (stage) => {
    const { dice, time } = stage;
    const latency = latencyOf(dice);
    const probe = usualProbe(dice);
    const count = dice.whole(1, 3);
    return serviceScript(stage, {
      probe,
      latency,
      stableForMs: 5000,
      holdsOneHidden: true,
      effects: (service) => [
        ...outage(service, latency, dice.between(0, 2000), dice.scale(300, 8000), failing(dice)),
        ...Array.from({ length: count }, () => ({
          afterMs: dice.between(0, 9000),
          act: () => {
            stage.stalls.push({ fromMs: time.nowMs(), toMs: time.nowMs() + dice.scale(60, 2500) });
          },
        })),
      ],
    });
  },
};

const enclosingStall: Family = {
  name: 'enclosing-stall',
  about: 'one stall of the prober encloses the whole outage',
  script: (stage) => {
    const { dice, time } = stage;
    const latency = latencyOf(dice);
    const probe = usualProbe(dice);
    const fromMs = dice.between(200, 1500);
    const lengthMs = dice.scale(300, 4000);
    const [leadMs, tailMs] = [dice.between(20, 200), dice.between(20, 500)];
    return serviceScript(stage, {
      probe,
      latency,
      stableForMs: 5000,
      holdsOneHidden: true,
      effects: (service) => [
        {
          afterMs: fromMs - leadMs,
          act: () => {
            stage.stalls.push({ fromMs: time.nowMs(), toMs: time.nowMs() + leadMs + lengthMs + tailMs });
          },
        },
        ...outage(service, latency, fromMs, lengthMs, failing(dice)),
      ],
    });
  },
};

const lostSamples: Family = {
  name: 'lost-samples',
  about: 'some samples are lost from the log, or unknown because the observer broke',
  script: (stage) => {
    const { dice } = stage;
    const latency = latencyOf(dice);
    const fate = dice.pick(['lost', 'unknown'] as const);
    const first = dice.whole(4, 40);
    const last = first + dice.whole(0, 20);
    const share = dice.chance(0.5) ? 1 : dice.between(0.05, 0.5);
    return serviceScript(stage, {
      probe: usualProbe(dice),
      latency,
      stableForMs: 5000,
      holdsOneHidden: true,
      fate: (slot) => (slot >= first && slot <= last && dice.chance(share) ? fate : undefined),
      effects: (service) =>
        outage(service, latency, dice.between(0, 2000), dice.scale(300, 8000), failing(dice)),
    });
  },
};

/** Families about what the prober cannot see. */
export const proberFamilies: readonly Family[] = [stalls, enclosingStall, lostSamples];
