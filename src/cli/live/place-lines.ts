import type { Condition } from '../../core/condition.ts';
import type { Plan, Sides } from '../../core/plan.ts';
import { hostsWith, isOpen, type Seen } from '../../core/seen.ts';
import { flow, label, type Line, type Span } from './line.ts';
import { type LiveState, seenAt } from './state.ts';

/** The present hosts of the target's roles, and the present owners of its things. */
export function placeLines(state: LiveState, plan: Plan, nowMs: number, columns: number): Line[] {
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

function rolePart(role: string, before: string | undefined, now: string): Line {
  const moved = before !== undefined && before !== now;
  return [{ text: `${role} ` }, { text: moved ? `${before} → ${now}` : now, ...styleOf(now, moved) }];
}

/** One owner if all sides agree, else the owner of each side. */
function ownerPart(thing: string, sides: Sides, seen: Seen): Line {
  const told = Object.entries(sides).map(([side, condition]) => ({ side, now: hostsText(condition, seen) }));
  const [first] = told;
  if (first !== undefined && told.every(({ now }) => now === first.now))
    return [{ text: `${thing} ` }, { text: first.now, ...styleOf(first.now, false) }];
  return [
    { text: thing },
    ...told.flatMap(({ side, now }) => [{ text: ` ${side} ` }, { text: now, ...styleOf(now, false) }]),
  ];
}

const unseen = '?';
const nobody = 'none';

function hostsText(condition: Condition, seen: Seen): string {
  const hosts = hostsWith(condition, seen);
  if (hosts.length > 0) return hosts.join(' + ');
  return isOpen(condition, seen) ? unseen : nobody;
}

function styleOf(now: string, moved: boolean): Pick<Span, 'style'> {
  if (now === unseen) return { style: 'dim' };
  if (now === nobody || now.includes(' + ')) return { style: 'yellow' };
  return moved ? { style: 'cyan' } : { style: 'green' };
}
