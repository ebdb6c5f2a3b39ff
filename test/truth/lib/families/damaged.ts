import type { Dice } from '../dice.ts';
import type { Family } from '../drill-script.ts';
import { latencyOf, serviceScript } from '../service-case.ts';
import { failing, outage, usualProbe } from '../service-family.ts';

/** A mutable log line as JSON. */
type Line = Record<string, unknown>;

const oddNumbers = [1e300, -1e300, -1, 1e15, 0.1 + 1e-9] as const;
const oddValues = [null, '', 'x', [], {}, true] as const;
const planParts = [
  'recovery',
  'redundancy',
  'steady',
  'limits',
  'roles',
  'target',
  'scenario',
  'hosts',
] as const;

/** Gives one field of an event an odd number or value. */
function spoilField(dice: Dice, line: Line): void {
  const names = Object.keys(line).filter((name) => name !== 'type' && name !== 'plan');
  const name = names[dice.whole(0, names.length - 1)];
  if (name === undefined) return;
  line[name] =
    typeof line[name] === 'number' && dice.chance(0.7) ? dice.pick(oddNumbers) : dice.pick(oddValues);
}

/** Removes or replaces a part of the plan, or adds a check of an unknown kind. */
function spoilPlan(dice: Dice, line: Line): void {
  const plan = line['plan'] as Line;
  if (dice.chance(0.3))
    plan['checks'] = [{ kind: dice.pick(['unheard-of', 'never', 'ownership']), name: 'odd' }];
  else if (dice.chance(0.5)) delete plan[dice.pick(planParts)];
  else plan[dice.pick(planParts)] = dice.pick(oddValues);
}

/** The log with one damaged line. */
function damaged(dice: Dice, lines: readonly string[]): readonly string[] {
  const out = [...lines];
  const at = dice.chance(0.5) ? 0 : dice.whole(1, lines.length - 1);
  const line = JSON.parse(out[at] ?? '{}') as Line;
  if (at === 0) spoilPlan(dice, line);
  else spoilField(dice, line);
  out[at] = JSON.stringify(line);
  if (dice.chance(0.1)) out[at] = out[at].slice(0, dice.whole(1, out[at].length));
  return out;
}

const damage: Family = {
  name: 'damaged',
  about: 'a log with a wrong field or a wrong part of the plan; it is read, or refused with a message',
  script: (stage) => {
    const { dice } = stage;
    const latency = latencyOf(dice);
    return {
      ...serviceScript(stage, {
        probe: { ...usualProbe(dice), intervalMs: 1000 },
        latency,
        stableForMs: 2000,
        effects: (service) =>
          outage(service, latency, dice.between(0, 500), dice.scale(500, 3000), failing(dice)),
      }),
      damage: (lines) => damaged(dice, lines),
    };
  },
};

/** Families about damaged logs. */
export const damagedFamilies: readonly Family[] = [damage];
