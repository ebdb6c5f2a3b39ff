import type { Condition } from '../../core/condition.ts';
import type { HostName, RoleName } from '../../core/ids.ts';
import type { Plan, Sides } from '../../core/plan.ts';
import { hostsWith, isOpen, type ObservedState } from '../../core/observed-state.ts';
import { flow, label, type Line, type Span } from './line.ts';
import { type LiveState, seenAt } from './state.ts';
import type { RunMs } from '../../core/time.ts';

/** The present hosts of the target's roles, and the present owners of its things. */
export function placeLines(state: LiveState, plan: Plan, nowMs: RunMs, columns: number): Line[] {
  const seen = seenAt(state, plan, nowMs);
  const owners = Object.entries(plan.ownership).map(([thing, sides]) => ownerPart(thing, sides, seen));
  const roles = Object.entries(plan.roles).map(([role, condition]) =>
    rolePart(role, state.resolved.get(role), hostsText(condition, seen)),
  );
  return [
    ...(owners.length === 0 ? [] : flow(label('owner'), owners, ' · ', columns)),
    ...(roles.length === 0 ? [] : flow(label('roles'), roles, ' · ', columns)),
  ];
}

function rolePart(role: RoleName, before: HostName | undefined, now: string): Line {
  const moved = before !== undefined && before !== now;
  return [{ text: `${role} ` }, { text: moved ? `${before} → ${now}` : now, ...styleOf(now, moved) }];
}

/** One owner if all sides agree, else the owner of each side. */
function ownerPart(thing: string, sides: Sides, seen: ObservedState): Line {
  const reported = Object.entries(sides).map(([side, condition]) => ({
    side,
    now: hostsText(condition, seen),
  }));
  const [first] = reported;
  if (first !== undefined && reported.every(({ now }) => now === first.now))
    return [{ text: `${thing} ` }, { text: first.now, ...styleOf(first.now, false) }];
  return [
    { text: thing },
    ...reported.flatMap(({ side, now }) => [{ text: ` ${side} ` }, { text: now, ...styleOf(now, false) }]),
  ];
}

const unobserved = '?';
const none = 'none';

function hostsText(condition: Condition, seen: ObservedState): string {
  const hosts = hostsWith(condition, seen);
  if (hosts.length > 0) return hosts.join(' + ');
  return isOpen(condition, seen) ? unobserved : none;
}

function styleOf(now: string, moved: boolean): Pick<Span, 'style'> {
  if (now === unobserved) return { style: 'dim' };
  if (now === none || now.includes(' + ')) return { style: 'yellow' };
  return moved ? { style: 'cyan' } : { style: 'green' };
}
