import { withCommandName } from '../cli/command-name.ts';
import { plansText } from '../cli/plan-text.ts';
import type { Plan, PlannedFault } from '../core/plan.ts';
import { withHintForCaller } from './hint.ts';
import { checkOptions } from './check-options.ts';
import { plansOf, type PlanOptions } from './options.ts';

/** One drill of a scenario. A scenario with a matrix has one for each combination. */
export interface PlannedDrill {
  readonly name: string;
  readonly title: string;
  /** Path of the scenario file. */
  readonly path: string;
  readonly target: { readonly name: string; readonly environment: string; readonly path: string };
  /** In the order of the scenario. `on` is a role, a host, or the id of another fault, as in the file. */
  readonly faults: readonly { readonly id: string; readonly kind: string; readonly on: string }[];
  /** The text that `firedrill plan` prints: each command and the blast radius. */
  readonly text: string;
  /** The whole plan, as `firedrill plan --json` prints it. Its fields may change between versions. */
  readonly json: unknown;
}

/**
 * Plans the drills of a scenario file, or of all scenarios below a folder. Connects to no host and changes nothing.
 * @throws DrillError `invalid-input`, with the file, line, and column in `where`
 */
export function plan(scenario: string, options: PlanOptions = {}): PlannedDrill[] {
  try {
    checkOptions('plan', options);
    return plansOf(scenario, options).map(plannedDrill);
  } catch (error) {
    throw withHintForCaller(error);
  }
}

function plannedDrill(one: Plan): PlannedDrill {
  return {
    name: one.scenario.name,
    title: one.scenario.title,
    path: one.scenario.path,
    target: { name: one.target.name, environment: one.target.environment, path: one.target.path },
    faults: one.faults.map(({ id, kind, on }) => ({ id, kind, on: placeOf(on) })),
    text: withCommandName(plansText([one])),
    json: structuredClone(one),
  };
}

function placeOf(on: PlannedFault['on']): string {
  if ('role' in on) return on.role;
  return 'host' in on ? on.host : on.fault;
}
