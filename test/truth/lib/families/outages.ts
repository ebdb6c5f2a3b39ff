import type { Family, Step } from '../drill-script.ts';
import type { Behavior } from '../service.ts';
import { type Latency, up } from '../service-case.ts';
import { failing, serviceFamily } from '../service-family.ts';

/** Option of families with quick answers: the fastest takes at most 5 ms. */
const quick = { baseMs: 5 };

const failures = serviceFamily(
  'failures',
  'one outage: refused, reset, 5xx, or a wrong body',
  ({ dice, probe, out }) => ({
    effects: (service) => out(service, dice.between(0, 2000), dice.scale(probe.intervalMs, 15_000)),
  }),
);

const blackHole = serviceFamily(
  'black-hole',
  'one outage that drops SYNs; the timeout is shorter than their retransmission time',
  ({ dice, out }) => ({
    effects: (service) => out(service, dice.between(0, 2000), dice.scale(1000, 15_000), { kind: 'drop' }),
  }),
);

const longTimeout = serviceFamily(
  'black-hole-long-timeout',
  'one outage that drops SYNs, which are retransmitted after 1 s and 3 s; the timeout is longer',
  ({ dice, out }) => ({
    probe: { intervalMs: dice.pick([200, 1000]), timeoutMs: dice.pick([1500, 3000, 5000]) },
    effects: (service) => out(service, dice.between(0, 2000), dice.scale(300, 8000), { kind: 'drop' }),
  }),
);

const hang = serviceFamily(
  'hang',
  'requests hang, and the waiting ones are answered together',
  ({ dice, probe, out }) => {
    const fromMs = dice.between(0, 2000);
    const refusedMs = dice.chance(0.5) ? dice.scale(200, 5000) : 0;
    return {
      probe: { ...probe, timeoutMs: dice.pick([500, 900, 3000]) },
      effects: (service) => [
        ...(refusedMs > 0 ? [{ afterMs: fromMs, act: () => service.set({ kind: 'refuse' }) }] : []),
        ...out(service, fromMs + refusedMs, dice.scale(300, 8000), { kind: 'hang' }),
      ],
    };
  },
);

const coldStart = serviceFamily(
  'cold-start',
  'the first answers after an outage are slow: JIT, pools, ARP',
  ({ dice, probe, latency }) => {
    const fromMs = dice.between(0, 2000);
    const lengthMs = dice.scale(500, 10_000);
    let slowAnswers = dice.whole(1, 4);
    const firstMs = dice.between(100, 800);
    const cold: Behavior = {
      kind: 'up',
      latencyMs: () => (slowAnswers-- > 0 ? firstMs * dice.between(0.6, 1) : latency.latencyMs()),
    };
    return {
      probe: { ...probe, timeoutMs: 900 },
      effects: (service) => [
        { afterMs: fromMs, act: () => service.set(failing(dice)) },
        { afterMs: fromMs + lengthMs, act: () => service.set(cold) },
      ],
    };
  },
  quick,
);

const flapping = serviceFamily(
  'flapping',
  'the service flaps, on scales from 10 ms to 10 s',
  ({ dice, out }) => {
    const scaleMs = dice.scale(10, 10_000);
    return {
      stableForMs: dice.pick([2000, 5000]),
      effects: (service) => {
        const untilMs = Math.max(scaleMs, dice.scale(500, 15_000));
        const steps: Step[] = [];
        let atMs = dice.between(0, 1000);
        while (atMs < untilMs) {
          const lengthMs = scaleMs * dice.scale(0.4, 2.5);
          steps.push(...out(service, atMs, lengthMs, dice.pick([failing(dice), { kind: 'hang' }])));
          atMs += lengthMs + scaleMs * dice.scale(0.4, 2.5);
        }
        return steps;
      },
    };
  },
  quick,
);

const stableGap = serviceFamily(
  'stable-gap',
  'two outages; the gap between them is close to the time for which a recovery must hold',
  ({ dice, probe: { intervalMs }, out }) => {
    const stableForMs = dice.pick([2000, 5000]);
    const fromMs = dice.between(0, 1000);
    const firstMs = dice.scale(2 * intervalMs, 8000);
    const gapMs = Math.max(50, stableForMs + dice.between(-1.5, 1.5) * intervalMs);
    return {
      stableForMs,
      effects: (service) => [
        ...out(service, fromMs, firstMs),
        ...out(service, fromMs + firstMs + gapMs, dice.scale(2 * intervalMs, 6000)),
      ],
    };
  },
);

const overtaking = serviceFamily(
  'overtaking',
  'the timeout is longer than the interval, so that answers overtake each other',
  ({ dice, latency }) => ({
    probe: { intervalMs: dice.pick([100, 200, 500]), timeoutMs: dice.pick([900, 2000, 3000]) },
    effects: (service) => {
      const steps: Step[] = [];
      let atMs = dice.between(0, 1000);
      for (let n = dice.whole(1, 4); n > 0; n--) {
        const behavior = dice.pick<Behavior>([{ kind: 'refuse' }, { kind: 'drop' }, { kind: 'hang' }]);
        steps.push({ afterMs: atMs, act: () => service.set(behavior) });
        atMs += dice.scale(100, 3000);
      }
      return [...steps, { afterMs: atMs, act: () => service.set(up(latency)) }];
    },
  }),
);

const farAway = serviceFamily(
  'far-away',
  'the network latency to the service varies, and may exceed the interval',
  ({ dice, latency: healthy, out }) => {
    const leastMs = dice.scale(5, 100);
    const spreadMs = dice.scale(1, 80);
    // The healthy latency includes both directions.
    const capMs = healthy.capMs + 2 * (leastMs + spreadMs);
    const latency: Latency = { ...healthy, capMs, lateMs: Math.max(150, 5 * capMs) + 20 };
    return {
      probe: { intervalMs: dice.pick([50, 100, 200, 1000]), timeoutMs: dice.pick([900, 2000]) },
      latency,
      wayMs: () => leastMs + dice.between(0, spreadMs),
      effects: (service) =>
        out(
          service,
          dice.between(0, 1000),
          dice.scale(300, 6000),
          dice.pick([failing(dice), { kind: 'drop' }]),
        ),
    };
  },
  quick,
);

const degraded = serviceFamily(
  'degraded',
  'the service is slow for a while, in some cases with an outage during that time',
  ({ dice, latency }) => {
    const slowMs = dice.between(60, 700);
    const slow: Behavior = { kind: 'up', latencyMs: () => slowMs * dice.between(0.5, 1.1) };
    const isDown = dice.chance(0.5);
    const fromMs = dice.between(0, 1000);
    const downMs = dice.scale(300, 4000);
    return {
      probe: { intervalMs: dice.pick([200, 500, 1000]), timeoutMs: 900 },
      effects: (service) => [
        { afterMs: fromMs, act: () => service.set(slow) },
        ...(isDown
          ? [
              { afterMs: fromMs + 1500, act: () => service.set(failing(dice)) },
              { afterMs: fromMs + 1500 + downMs, act: () => service.set(slow) },
            ]
          : []),
        { afterMs: fromMs + 1500 + downMs + dice.between(500, 4000), act: () => service.set(up(latency)) },
      ],
    };
  },
  quick,
);

const untouched = serviceFamily('untouched', 'the fault does not affect clients', () => ({
  effects: () => [],
}));

/** A probe with an interval of 1 s; bounds must contain the longest outage between two samples. */
const seldom = { probe: { intervalMs: 1000, timeoutMs: 900 }, holdsOneHidden: 'all' } as const;

const hidden = serviceFamily(
  'hidden',
  'an outage shorter than the interval: most lie between two samples',
  ({ dice, out }) => ({
    ...seldom,
    effects: (service) => out(service, dice.between(0, 1500), dice.between(200, 950)),
  }),
  quick,
);

const hiddenAgain = serviceFamily(
  'hidden-again',
  'an outage that samples meet, and soon after it an outage between two samples',
  ({ dice, out }) => {
    const fromMs = dice.between(0, 1500);
    const firstMs = dice.between(1000, 3000);
    return {
      ...seldom,
      effects: (service) => [
        ...out(service, fromMs, firstMs),
        ...out(service, fromMs + firstMs + dice.between(300, 2500), dice.between(200, 900)),
      ],
    };
  },
  quick,
);

const hiddenLater = serviceFamily(
  'hidden-later',
  'a long quiet time before the heal, whose samples the analysis drops, with an outage between two of them',
  ({ dice, probe, out }) => {
    const lengthMs = dice.scale(300, 4000);
    const quietForMs = dice.between(30_000, 50_000);
    return {
      probe: { ...probe, intervalMs: dice.pick([500, 1000, 2000]) },
      holdsOneHidden: 'not-rto',
      ...(dice.chance(0.5) ? { forMs: quietForMs } : {}),
      quietForMs,
      tailMs: dice.between(500, 20_000),
      effects: (service) => [
        ...(dice.chance(0.5) ? out(service, dice.between(0, 1000), lengthMs) : []),
        ...out(service, dice.between(8000, quietForMs), dice.between(100, 1900)),
      ],
    };
  },
  quick,
);

const noReturn = serviceFamily(
  'no-return',
  'the service comes back late, or not before the heal',
  ({ dice, latency, out }) => ({
    stableForMs: 3000,
    withinMs: 10_000,
    effects: (service) => out(service, dice.between(0, 1000), dice.between(4000, 20_000)),
    heals: (service) => [{ afterMs: dice.between(0, 3000), act: () => service.set(up(latency)) }],
  }),
);

const healOutage = serviceFamily(
  'heal-outage',
  'the heal causes another outage',
  ({ dice, latency, probe: { intervalMs }, out }) => ({
    stableForMs: 3000,
    tailMs: 8000,
    effects: (service) => out(service, dice.between(0, 1000), dice.scale(intervalMs, 4000)),
    heals: (service) => [
      { afterMs: 0, act: () => service.set(up(latency)) },
      ...out(service, dice.between(1, 3000), dice.scale(intervalMs, 4000)),
    ],
  }),
);

const healHidden = serviceFamily(
  'heal-hidden',
  'the heal causes an outage that is shorter than the interval',
  ({ dice, out }) => ({
    ...seldom,
    stableForMs: 3000,
    tailMs: 4000,
    effects: (service) => out(service, dice.between(0, 500), dice.between(2000, 4000)),
    heals: (service) => out(service, dice.between(1, 2000), dice.between(100, 950)),
  }),
  quick,
);

const openFault = serviceFamily(
  'open-fault',
  'an early short outage, and a later one while the fault is still active (`for`)',
  ({ dice, probe, latency, out }) => {
    const blipMs = dice.scale(300, 2000);
    const laterMs = dice.between(blipMs + 3000, 12_000);
    return {
      probe: { ...probe, intervalMs: 500 },
      stableForMs: dice.pick([2000, 5000]),
      forMs: laterMs + dice.between(1000, 6000),
      tailMs: 6000,
      effects: (service) => [
        ...out(service, dice.between(0, 500), blipMs),
        { afterMs: laterMs, act: () => service.set(failing(dice)) },
      ],
      heals: (service) => [{ afterMs: dice.scale(10, 2000), act: () => service.set(up(latency)) }],
    };
  },
);

/** Families about the outages of one service. */
export const outageFamilies: readonly Family[] = [
  failures,
  blackHole,
  longTimeout,
  hang,
  coldStart,
  flapping,
  stableGap,
  overtaking,
  farAway,
  degraded,
  untouched,
  hidden,
  hiddenAgain,
  hiddenLater,
  noReturn,
  healOutage,
  healHidden,
  openFault,
];
