import type { Dice } from './dice.ts';
import type { Family, Step } from './drill-script.ts';
import type { ProbeText } from './plan-text.ts';
import type { Behavior, Service } from './service.ts';
import { type Latency, latencyOf, type ServiceCase, serviceScript, up } from './service-case.ts';
import type { SimulatedTime } from './simulated-time.ts';
import type { Stall } from './prober.ts';

/** Picks a behavior that fails each request at once. */
export function failing(dice: Dice): Behavior {
  const kind = dice.pick(['refuse', 'reset', '5xx', 'bad-body']);
  if (kind === 'refuse' || kind === 'reset') return { kind };
  return { kind: 'error', cause: kind === '5xx' ? 'http-5xx' : 'bad-body', tookMs: dice.scale(0.5, 40) };
}

/** The steps of one outage that starts at `fromMs`. */
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

/** Intervals and timeouts as in target files. The timeout is shorter than the SYN's retransmission. */
export function usualProbe(dice: Dice): Omit<ProbeText, 'id'> {
  const intervalMs = dice.pick([200, 500, 1000, 2000]);
  const burst = dice.chance(0.5) ? { burstMs: dice.pick([50, 100, 200]) } : {};
  return { intervalMs, timeoutMs: dice.pick([300, 500, 900]), ...burst };
}

/** The inputs of a case with one service. */
export interface Given {
  readonly dice: Dice;
  readonly time: SimulatedTime;
  readonly stalls: Stall[];
  readonly latency: Latency;
  readonly probe: Omit<ProbeText, 'id'>;
  /** The steps of an outage. The default of `down` is a behavior that fails at once. */
  readonly out: (service: Service, fromMs: number, lengthMs: number, down?: Behavior) => Step[];
}

/** A case; `serviceFamily` sets the parts that it leaves out. */
export type UsualCase = Partial<ServiceCase> & Pick<ServiceCase, 'effects'>;

/** A family of drills of one service. `baseMs` is the upper limit of the base latency. */
export function serviceFamily(
  name: string,
  about: string,
  caseOf: (given: Given) => UsualCase,
  { baseMs = 20 }: { readonly baseMs?: number } = {},
): Family {
  return {
    name,
    about,
    script: (stage) => {
      const { dice, time, stalls } = stage;
      const latency = latencyOf(dice, dice.scale(1, baseMs));
      const probe = usualProbe(dice);
      const out: Given['out'] = (service, fromMs, lengthMs, down = failing(dice)) =>
        outage(service, latency, fromMs, lengthMs, down);
      const usual = { probe, latency, stableForMs: 5000 };
      return serviceScript(stage, { ...usual, ...caseOf({ dice, time, stalls, latency, probe, out }) });
    },
  };
}
