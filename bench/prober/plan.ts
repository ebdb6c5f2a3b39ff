import type { Plan, PlannedProbe } from '../../src/core/plan.ts';
import { planWith } from '../../src/analysis/testing/log-builder.ts';
import { http } from '../../src/probes/http.ts';
import type { Json } from '../../src/core/plan.ts';

/** The default time-out of a probe. */
const timeoutMs = 900;

/** An HTTP probe as a target file without any settings makes it. */
export function httpProbe(
  id: string,
  url: string,
  rate: Pick<PlannedProbe, 'intervalMs' | 'burstIntervalMs'>,
): PlannedProbe {
  return probeWith(id, { url }, { timeoutMs, ...rate });
}

/** An HTTP probe with parameters as a target file has them. */
export function probeWith(
  id: string,
  params: Readonly<Record<string, unknown>>,
  times: Pick<PlannedProbe, 'intervalMs' | 'burstIntervalMs' | 'timeoutMs'>,
): PlannedProbe {
  // Parsed by the kind's own schema, which yields JSON (the catalog's rule).
  return { id, name: id, kind: 'http', params: http.params.parse(params) as Json, ...times };
}

/** A watch of these probes: no fault, no gate. */
export function watchPlan(probes: readonly PlannedProbe[]): Plan {
  return planWith({ probes });
}
