import type { Step } from './drill-script.ts';
import type { Dice } from './dice.ts';
import { Owned } from './owned.ts';
import type { ProbedService } from './prober.ts';
import { type Behavior, Service } from './service.ts';
import { type Latency, up } from './service-case.ts';
import type { SimulatedTime } from './simulated-time.ts';

/** Something that is so or not, and the service that a probe asks for it. */
export interface ToldState {
  readonly state: Owned;
  readonly service: Service;
  /** It answers as it should. */
  readonly well: Behavior;
  readonly probed: Omit<ProbedService, 'probe'>;
}

/** What a service says of a state. */
export interface Words {
  readonly yes: string;
  readonly no: string;
}

/** A state that a service tells in those words; it answers well until it is made not to. */
export function toldState(
  { dice, time }: { readonly dice: Dice; readonly time: SimulatedTime },
  latency: Latency,
  { yes, no, isSo }: Words & { readonly isSo: boolean },
): ToldState {
  const state = new Owned(time, isSo);
  const well = up(latency);
  const value = (): string => (state.isOwner ? yes : no);
  const service = new Service(time, well, { wayMs: () => dice.between(0.05, 0.5), value });
  return { state, service, well, probed: { service, phase: dice.between(0, 1) } };
}

/** The service behaves otherwise for a while, from `latestMs` on at the latest; the state stays as it is. */
export function silence(
  dice: Dice,
  { service, well }: ToldState,
  behavior: Behavior,
  latestMs: number,
): Step[] {
  const fromMs = dice.between(0, latestMs);
  return [
    { afterMs: fromMs, act: () => service.set(behavior) },
    { afterMs: fromMs + dice.scale(500, 8000), act: () => service.set(well) },
  ];
}

/** When a state changed, a line for people. */
export function stateWords(name: string, { changes }: Owned, { yes, no }: Words): string {
  return `${name}: ${changes.map(({ atMs, isUp }) => `${isUp ? yes : no} from ${atMs.toFixed(3)}`).join(', ')}`;
}
