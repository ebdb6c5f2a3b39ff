import { resolve } from 'node:path';
import { DrillError } from '../core/errors.ts';
import type { Finding } from '../core/finding.ts';
import { loadFindings, timeFindings } from '../doctor/load-findings.ts';
import type { Lab } from '../lab/manifest.ts';
import { display, loadPlans } from './inputs.ts';

/** How the lab is to be brought up. */
export interface DrillChoices {
  /** Some setting of the stack is another one than its default, for which the target's models do not speak. */
  readonly settingsChanged?: boolean;
}

/**
 * How long the stack's first drill (`drill` in lab.yaml) takes, and what probing asks of the stack in it. Empty where lab.yaml
 * names none. No time where no model predicts it, or where settings are changed. A scenario that cannot be read is a warning,
 * because the lab does not need it.
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
        observed: `what a drill takes is not known: ${error.message}`,
        mend: `Run \`firedrill validate ${path}\`.`,
      },
    ];
  }
}
