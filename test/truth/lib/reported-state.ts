import type { Step } from './drill-script.ts';
import type { Dice } from './dice.ts';
import { Owned } from './owned.ts';
import type { ProbedService } from './prober.ts';
import { type Behavior, Service } from './service.ts';
import { type Latency, up } from './service-case.ts';
import type { SimulatedTime } from './simulated-time.ts';

/** A state that is true or false, and the service whose answers contain it. */
export interface ReportedState {
  readonly state: Owned;
  readonly service: Service;
  /** The behavior with correct answers. */
  readonly well: Behavior;
  readonly probed: Omit<ProbedService, 'probe'>;
}

/** The two values in a service's answers about a state. */
export interface Words {
  readonly yes: string;
  readonly no: string;
}

/** A state, and a service that answers with `yes` or `no`. The service answers correctly until a step changes its behavior. */
export function reportedState(
  { dice, time }: { readonly dice: Dice; readonly time: SimulatedTime },
  latency: Latency,
  { yes, no, isSo }: Words & { readonly isSo: boolean },
): ReportedState {
  const state = new Owned(time, isSo);
  const well = up(latency);
  const value = (): string => (state.isOwner ? yes : no);
  const service = new Service(time, well, { wayMs: () => dice.between(0.05, 0.5), value });
  return { state, service, well, probed: { service, phase: dice.between(0, 1) } };
}

/** Gives the service another behavior for 0.5 s to 8 s. It starts at `latestMs` or before. The state does not change. */
export function silence(
  dice: Dice,
  { service, well }: ReportedState,
  behavior: Behavior,
  latestMs: number,
): Step[] {
  const fromMs = dice.between(0, latestMs);
  return [
    { afterMs: fromMs, act: () => service.set(behavior) },
    { afterMs: fromMs + dice.scale(500, 8000), act: () => service.set(well) },
  ];
}

/** One line with the times of a state's changes. */
export function stateText(name: string, { changes }: Owned, { yes, no }: Words): string {
  return `${name}: ${changes.map(({ atMs, isUp }) => `${isUp ? yes : no} from ${atMs.toFixed(3)}`).join(', ')}`;
}
