import type { EventType } from '../core/event.ts';
import { isRecord } from '../core/field-kinds.ts';
import { renamedValue } from '../core/renamed-words.ts';

/** Event types that firedrill 0.2.0 renamed, by the name that logs of schema version 1 have. */
const renamedTypes = new Map<unknown, EventType>([
  // vocabulary: "canary" the event of the control in 0.1.0
  ['canary.started', 'control_probe.started'],
  ['lease.kept', 'lease.renewed'],
  ['fault.unanswered', 'fault.outcome_unknown'],
]);

/**
 * A parsed line of an event log with the names of the current schema version. Logs of schema version 1 (firedrill 0.1.0) differ in
 * names only. Everything else, malformed lines included, is returned unchanged: the validation of the line reports what is wrong.
 */
export function upgradeEvent(value: unknown): unknown {
  if (!isRecord(value)) return value;
  const { type } = value;
  if (type === 'run.started')
    return value['schemaVersion'] === 1 ? { ...value, plan: upgradeChecks(value['plan']) } : value;
  // vocabulary: "beside" the value in 0.1.0
  if (type === 'rows.read') return value['moment'] === 'beside' ? { ...value, moment: 'parallel' } : value;
  const renamed = renamedTypes.get(type);
  return renamed === undefined ? value : { ...value, type: renamed };
}

function upgradeChecks(plan: unknown): unknown {
  if (!isRecord(plan) || !Array.isArray(plan['checks'])) return plan;
  return { ...plan, checks: plan['checks'].map(upgradeCheck) };
}

function upgradeCheck(check: unknown): unknown {
  if (!isRecord(check)) return check;
  return Object.fromEntries(
    Object.entries(check).map(([name, value]) => [name, renamedValue(name, value) ?? value]),
  );
}
