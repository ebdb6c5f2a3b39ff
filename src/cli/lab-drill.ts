import { resolve } from 'node:path';
import { DrillError } from '../core/errors.ts';
import type { Finding } from '../core/finding.ts';
import { loadFindings, timeFindings } from '../doctor/load-findings.ts';
import type { Lab } from '../lab/manifest.ts';
import { display } from './display-path.ts';
import { loadPlans } from './inputs.ts';

/** Choices of the user for the lab. */
export interface DrillChoices {
  /** A setting of the stack differs from its default, so the target's models do not apply. */
  readonly settingsChanged?: boolean;
}

/**
 * The duration of the stack's first drill (`drill` in lab.yaml), and the load of its probes. Empty if lab.yaml names no
 * drill. Without a duration if no model predicts it, or if settings are changed. A scenario that cannot be read is only a
 * warning, because the lab does not need it.
 */
export function drillFindings(lab: Lab, { settingsChanged = false }: DrillChoices = {}): Finding[] {
  const { drill } = lab.manifest;
  if (drill === undefined) return [];
  const path = display(resolve(lab.stackDir, drill));
  try {
    const plans = loadPlans(path);
    const [plan] = plans;
    if (plan === undefined) return [];
    return [...(settingsChanged ? [] : timeFindings(plans)), ...loadFindings(plan, plans)];
  } catch (error) {
    if (!(error instanceof DrillError) || error.code !== 'invalid-input') throw error;
    return [
      {
        name: 'drill',
        status: 'warn',
        observed: `the time and the load of a drill are unknown: ${error.message}`,
        hint: `Run \`firedrill validate ${path}\`.`,
      },
    ];
  }
}
