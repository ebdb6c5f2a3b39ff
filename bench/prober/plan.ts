import type { Plan, PlannedProbe } from '../../src/core/plan.ts';
import { planWith } from '../../src/analysis/testing/log-builder.ts';
import { http } from '../../src/probes/http.ts';
import type { Json } from '../../src/core/plan.ts';

/** The default timeout of a probe. */
const timeoutMs = 900;

/** An HTTP probe with the defaults of a target file. */
export function httpProbe(
  id: string,
  url: string,
  rate: Pick<PlannedProbe, 'intervalMs' | 'burstIntervalMs'>,
): PlannedProbe {
  return probeWith(id, { url }, { timeoutMs, ...rate });
}

/** An HTTP probe with parameters of a target file. */
export function probeWith(
  id: string,
  params: Readonly<Record<string, unknown>>,
  times: Pick<PlannedProbe, 'intervalMs' | 'burstIntervalMs' | 'timeoutMs'>,
): PlannedProbe {
  // The kind's own schema always returns JSON (a rule of the catalog).
  return { id, name: id, kind: 'http', params: http.params.parse(params) as Json, ...times };
}

/** The plan of a watch with these probes: no fault, no gate. */
export function watchPlan(probes: readonly PlannedProbe[]): Plan {
  return planWith({ probes });
}
