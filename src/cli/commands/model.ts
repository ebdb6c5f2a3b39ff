import type { Plan } from '../../core/plan.ts';
import { defaultSeed, defaultTrials, predictDrill, type PredictedLine } from '../../model/chain.ts';
import { renderWhatIf, type WhatIf, type WhatIfLine, type WhatIfReport } from '../../report/model-text.ts';
import type { ChangedSetting } from '../../scenario/settings.ts';
import { loadAllPlans } from '../inputs.ts';
import type { Output } from '../output.ts';
import { hostAtRisk } from '../../model/drill-time.ts';

/** Options of `firedrill model`. */
export interface ModelOptions {
  readonly target?: string;
  readonly json: boolean;
  /** Settings of models by `model.name`. */
  readonly set: Readonly<Record<string, string>>;
  /** Values of variables by name. */
  readonly var: Readonly<Record<string, string>>;
  readonly trials?: number;
  readonly seed?: number;
}

/** Predicts drills from their models, with the settings of the file or with changed ones. Changes nothing. */
export function modelCommand(args: readonly string[], options: ModelOptions, output: Output): void {
  const { target, var: variables, set, trials = defaultTrials, seed = defaultSeed } = options;
  const choices = { target, variables };
  const settings = new Map<string, ChangedSetting>();
  const changed = Object.keys(set).length > 0;
  const plans = loadAllPlans(args, choices);
  const asked = changed
    ? loadAllPlans(args, {
        ...choices,
        settings: set,
        onSetting: (setting) => settings.set(setting.name, setting),
      })
    : plans;
  const predict = (plan: Plan) => predictDrill(plan, hostAtRisk(plan), { trials, seed });
  const report: WhatIfReport = {
    schemaVersion: 1,
    trials,
    seed,
    settings: [...settings.values()].map(({ name, before, after }) => ({
      name,
      before: before ?? null,
      after,
    })),
    drills: asked.map((plan, i): WhatIf => {
      const [lines, before] = [predict(plan), changed ? predict(plans[i] ?? plan) : undefined];
      return {
        scenario: plan.scenario.name,
        title: plan.scenario.title,
        target: plan.target.name,
        lines: lines.map((line, at) => whatIfLine(line, before?.[at])),
      };
    }),
  };
  if (options.json) output.data(`${JSON.stringify(report, null, 2)}\n`);
  else output.text(renderWhatIf(report));
}

/** Pairs lines by position, because settings change neither the number of lines nor their order. */
function whatIfLine({ name, predicted, why }: PredictedLine, before: PredictedLine | undefined): WhatIfLine {
  return {
    name,
    predicted: predicted ?? null,
    ...(why === undefined ? {} : { why }),
    ...(before === undefined ? {} : { unchanged: before.predicted ?? null }),
  };
}
