import type { Dice } from '../dice.ts';
import type { Family, Step } from '../drill-script.ts';
import type { Behavior, Service } from '../service.ts';
import { latencyOf, type Latency, serviceScript, up } from '../service-case.ts';

/** Behaviors of a service that answers with failures at once. */
export function failing(dice: Dice): Behavior {
  const kind = dice.pick(['refuse', 'reset', '5xx', 'bad-body']);
  if (kind === 'refuse' || kind === 'reset') return { kind };
  return { kind: 'error', cause: kind === '5xx' ? 'http-5xx' : 'bad-body', tookMs: dice.scale(0.5, 40) };
}

/** One outage from a moment on. */
export function outage(
  service: Service,
  latency: Latency,
  fromMs: number,
  lengthMs: number,
  down: Behavior,
): Step[] {
  return [
    { afterMs: fromMs, act: () => service.set(down) },
    { afterMs: fromMs + lengthMs, act: () => service.set(up(latency)) },
  ];
}

/** Intervals and time-outs as target files have them; the time-out below the SYN's retransmission. */
export function usualProbe(dice: Dice): { intervalMs: number; timeoutMs: number; burstMs?: number } {
  const intervalMs = dice.pick([200, 500, 1000, 2000]);
  const burst = dice.chance(0.5) ? { burstMs: dice.pick([50, 100, 200]) } : {};
  return { intervalMs, timeoutMs: dice.pick([300, 500, 900]), ...burst };
}

const failures: Family = {
  name: 'failures',
  about: 'one outage: refused, reset, 5xx or a wrong body',
  script: (stage) => {
    const { dice } = stage;
    const latency = latencyOf(dice);
    const probe = usualProbe(dice);
    const down = failing(dice);
    return serviceScript(stage, {
      probe,
      latency,
      stableForMs: 5000,
      effects: (service) =>
        outage(service, latency, dice.between(0, 2000), dice.scale(probe.intervalMs, 15_000), down),
    });
  },
};

const blackHole: Family = {
  name: 'black-hole',
  about: 'one outage in which SYNs are lost; the time-out is below their retransmission',
  script: (stage) => {
    const { dice } = stage;
    const latency = latencyOf(dice);
    const probe = usualProbe(dice);
    return serviceScript(stage, {
      probe,
      latency,
      stableForMs: 5000,
      effects: (service) =>
        outage(service, latency, dice.between(0, 2000), dice.scale(1000, 15_000), { kind: 'drop' }),
    });
  },
};

const longTimeout: Family = {
  name: 'black-hole-long-timeout',
  about: 'SYNs are lost and sent again after 1 s and 3 s; the time-out is longer than that',
  script: (stage) => {
    const { dice } = stage;
    const latency = latencyOf(dice);
    return serviceScript(stage, {
      probe: { intervalMs: dice.pick([200, 1000]), timeoutMs: dice.pick([1500, 3000, 5000]) },
      latency,
      stableForMs: 5000,
      effects: (service) =>
        outage(service, latency, dice.between(0, 2000), dice.scale(300, 8000), { kind: 'drop' }),
    });
  },
};

const hang: Family = {
  name: 'hang',
  about: 'requests hang, and those that still wait are released together',
  script: (stage) => {
    const { dice } = stage;
    const latency = latencyOf(dice);
    const probe = { ...usualProbe(dice), timeoutMs: dice.pick([500, 900, 3000]) };
    const fromMs = dice.between(0, 2000);
    const refusedMs = dice.chance(0.5) ? dice.scale(200, 5000) : 0;
    const hungMs = dice.scale(300, 8000);
    return serviceScript(stage, {
      probe,
      latency,
      stableForMs: 5000,
      effects: (service) => [
        ...(refusedMs > 0 ? [{ afterMs: fromMs, act: () => service.set({ kind: 'refuse' }) }] : []),
        ...outage(service, latency, fromMs + refusedMs, hungMs, { kind: 'hang' }),
      ],
    });
  },
};

const coldStart: Family = {
  name: 'cold-start',
  about: 'the first answers after an outage are slow: JIT, pools, ARP',
  script: (stage) => {
    const { dice } = stage;
    const latency = latencyOf(dice, dice.scale(1, 5));
    const probe = { ...usualProbe(dice), timeoutMs: 900 };
    const fromMs = dice.between(0, 2000);
    const lengthMs = dice.scale(500, 10_000);
    let slowAnswers = dice.whole(1, 4);
    const firstMs = dice.between(100, 800);
    const cold: Behavior = {
      kind: 'up',
      latencyMs: () => (slowAnswers-- > 0 ? firstMs * dice.between(0.6, 1) : latency.latencyMs()),
    };
    return serviceScript(stage, {
      probe,
      latency,
      stableForMs: 5000,
      effects: (service) => [
        { afterMs: fromMs, act: () => service.set(failing(dice)) },
        { afterMs: fromMs + lengthMs, act: () => service.set(cold) },
      ],
    });
  },
};

/** Changes up and down, each phase of a length of that scale. */
function flaps(
  { dice, service, latency }: { dice: Dice; service: Service; latency: Latency },
  scaleMs: number,
  untilMs: number,
): Step[] {
  const steps: Step[] = [];
  let atMs = dice.between(0, 1000);
  while (atMs < untilMs) {
    const lengthMs = scaleMs * dice.scale(0.4, 2.5);
    steps.push(...outage(service, latency, atMs, lengthMs, dice.pick([failing(dice), { kind: 'hang' }])));
    atMs += lengthMs + scaleMs * dice.scale(0.4, 2.5);
  }
  return steps;
}

const flapping: Family = {
  name: 'flapping',
  about: 'the service flaps, on scales from 10 ms to 10 s',
  script: (stage) => {
    const { dice } = stage;
    const latency = latencyOf(dice, dice.scale(1, 5));
    const scaleMs = dice.scale(10, 10_000);
    return serviceScript(stage, {
      probe: usualProbe(dice),
      latency,
      stableForMs: dice.pick([2000, 5000]),
      effects: (service) =>
        flaps({ dice, service, latency }, scaleMs, Math.max(scaleMs, dice.scale(500, 15_000))),
    });
  },
};

const stableGap: Family = {
  name: 'stable-gap',
  about: 'two outages; the gap between them is near the time for which a recovery has to hold',
  script: (stage) => {
    const { dice } = stage;
    const latency = latencyOf(dice);
    const probe = usualProbe(dice);
    const stableForMs = dice.pick([2000, 5000]);
    const fromMs = dice.between(0, 1000);
    const firstMs = dice.scale(2 * probe.intervalMs, 8000);
    const gapMs = stableForMs + dice.between(-1.5, 1.5) * probe.intervalMs;
    return serviceScript(stage, {
      probe,
      latency,
      stableForMs,
      effects: (service) => [
        ...outage(service, latency, fromMs, firstMs, failing(dice)),
        ...outage(
          service,
          latency,
          fromMs + firstMs + Math.max(50, gapMs),
          dice.scale(2 * probe.intervalMs, 6000),
          failing(dice),
        ),
      ],
    });
  },
};

const overtaking: Family = {
  name: 'overtaking',
  about: 'the time-out is longer than the interval, so that answers overtake each other',
  script: (stage) => {
    const { dice } = stage;
    const latency = latencyOf(dice, dice.scale(1, 20));
    const fromMs = dice.between(0, 1000);
    const kinds: Behavior[] = [{ kind: 'refuse' }, { kind: 'drop' }, { kind: 'hang' }];
    return serviceScript(stage, {
      probe: { intervalMs: dice.pick([100, 200, 500]), timeoutMs: dice.pick([900, 2000, 3000]) },
      latency,
      stableForMs: 5000,
      effects: (service) => {
        const steps: Step[] = [];
        let atMs = fromMs;
        for (let n = dice.whole(1, 4); n > 0; n--) {
          const behavior = kinds[dice.whole(0, 2)] ?? { kind: 'refuse' };
          steps.push({ afterMs: atMs, act: () => service.set(behavior) });
          atMs += dice.scale(100, 3000);
        }
        return [...steps, { afterMs: atMs, act: () => service.set(up(latency)) }];
      },
    });
  },
};

const degraded: Family = {
  name: 'degraded',
  about: 'the service is slow for a while, and never down, or down for a while of it',
  script: (stage) => {
    const { dice } = stage;
    const latency = latencyOf(dice, dice.scale(1, 5));
    const slowMs = dice.between(60, 700);
    const slow: Behavior = { kind: 'up', latencyMs: () => slowMs * dice.between(0.5, 1.1) };
    const isDown = dice.chance(0.5);
    const fromMs = dice.between(0, 1000);
    const downMs = dice.scale(300, 4000);
    return serviceScript(stage, {
      probe: { intervalMs: dice.pick([200, 500, 1000]), timeoutMs: 900 },
      latency,
      stableForMs: 5000,
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
    });
  },
};

const untouched: Family = {
  name: 'untouched',
  about: 'the fault breaks nothing that clients see',
  script: (stage) => {
    const latency = latencyOf(stage.dice);
    return serviceScript(stage, {
      probe: usualProbe(stage.dice),
      latency,
      stableForMs: 5000,
      effects: () => [],
    });
  },
};

const hidden: Family = {
  name: 'hidden',
  about: 'an outage shorter than the interval: most lie between two samples',
  script: (stage) => {
    const { dice } = stage;
    const latency = latencyOf(dice, dice.scale(1, 5));
    const probe = { intervalMs: 1000, timeoutMs: 900 };
    const fromMs = dice.between(0, 1500);
    return serviceScript(stage, {
      probe,
      latency,
      stableForMs: 5000,
      holdsOneHidden: true,
      effects: (service) => outage(service, latency, fromMs, dice.between(200, 950), failing(dice)),
    });
  },
};

const hiddenAgain: Family = {
  name: 'hidden-again',
  about: 'an outage that samples meet, and one soon after it that lies between two samples',
  script: (stage) => {
    const { dice } = stage;
    const latency = latencyOf(dice, dice.scale(1, 5));
    const fromMs = dice.between(0, 1500);
    const firstMs = dice.between(1000, 3000);
    return serviceScript(stage, {
      probe: { intervalMs: 1000, timeoutMs: 900 },
      latency,
      stableForMs: 5000,
      holdsOneHidden: true,
      effects: (service) => [
        ...outage(service, latency, fromMs, firstMs, failing(dice)),
        ...outage(
          service,
          latency,
          fromMs + firstMs + dice.between(300, 2500),
          dice.between(200, 900),
          failing(dice),
        ),
      ],
    });
  },
};

const noReturn: Family = {
  name: 'no-return',
  about: 'the service does not come back by itself, or late',
  script: (stage) => {
    const { dice } = stage;
    const latency = latencyOf(dice);
    const withinMs = 10_000;
    return serviceScript(stage, {
      probe: usualProbe(dice),
      latency,
      stableForMs: 3000,
      withinMs,
      effects: (service) =>
        outage(service, latency, dice.between(0, 1000), dice.between(4000, 20_000), failing(dice)),
      heals: (service) => [{ afterMs: dice.between(0, 3000), act: () => service.set(up(latency)) }],
    });
  },
};

const healOutage: Family = {
  name: 'heal-outage',
  about: 'the heal takes the service away once more',
  script: (stage) => {
    const { dice } = stage;
    const latency = latencyOf(dice);
    const probe = usualProbe(dice);
    return serviceScript(stage, {
      probe,
      latency,
      stableForMs: 3000,
      tailMs: 8000,
      effects: (service) =>
        outage(service, latency, dice.between(0, 1000), dice.scale(probe.intervalMs, 4000), failing(dice)),
      heals: (service) => [
        { afterMs: 0, act: () => service.set(up(latency)) },
        ...outage(service, latency, dice.between(1, 3000), dice.scale(probe.intervalMs, 4000), failing(dice)),
      ],
    });
  },
};

const healHidden: Family = {
  name: 'heal-hidden',
  about: 'the heal costs an outage that is shorter than the interval',
  script: (stage) => {
    const { dice } = stage;
    const latency = latencyOf(dice, dice.scale(1, 5));
    return serviceScript(stage, {
      probe: { intervalMs: 1000, timeoutMs: 900 },
      latency,
      stableForMs: 3000,
      tailMs: 4000,
      holdsOneHidden: true,
      effects: (service) =>
        outage(service, latency, dice.between(0, 500), dice.between(2000, 4000), failing(dice)),
      heals: (service) =>
        outage(service, latency, dice.between(1, 2000), dice.between(100, 950), failing(dice)),
    });
  },
};

const openFault: Family = {
  name: 'open-fault',
  about: 'an early blip, and an outage that begins later while the fault is still open (`for`)',
  script: (stage) => {
    const { dice } = stage;
    const latency = latencyOf(dice);
    const blipMs = dice.scale(300, 2000);
    const laterMs = dice.between(blipMs + 3000, 12_000);
    const forMs = laterMs + dice.between(1000, 6000);
    return serviceScript(stage, {
      probe: { ...usualProbe(dice), intervalMs: 500 },
      latency,
      stableForMs: dice.pick([2000, 5000]),
      forMs,
      tailMs: 6000,
      effects: (service) => [
        ...outage(service, latency, dice.between(0, 500), blipMs, failing(dice)),
        { afterMs: laterMs, act: () => service.set(failing(dice)) },
      ],
      heals: (service) => [{ afterMs: dice.scale(10, 2000), act: () => service.set(up(latency)) }],
    });
  },
};

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
  degraded,
  untouched,
  hidden,
  hiddenAgain,
  noReturn,
  healOutage,
  healHidden,
  openFault,
];
