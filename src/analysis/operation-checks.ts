import { maxOf } from '../core/extremes.ts';
import { boundedBySamples } from './gap-outcome.ts';
import { clientsIn, downtimeIn, writerOutages } from './operation-outages.ts';
import {
  type CheckOf,
  type Evidence,
  limitsText,
  type Outcome,
  undrilled,
  unfinishedText,
  unmeasured,
} from './outcome.ts';
import { samplingOf } from './sample-gaps.ts';
import { durationOf } from './windows.ts';

/** Judges how long the clients of a writer got no write, or no read, done after the fault. */
export function operationOutageCheck(
  check: CheckOf<'write-outage' | 'read-outage'>,
  { log, recovery }: Evidence,
): Outcome {
  const limit = limitsText(check);
  if (recovery === null) return undrilled(limit);
  const operation = check.kind === 'write-outage' ? 'write' : 'read';
  const planned = log.plan.writers.find(({ id }) => id === check.of);
  if (planned === undefined)
    return unmeasured('not in the plan', limit, `writer ${check.of} is not in the plan`);
  const series = clientsIn(log, planned, operation).map((client) => client.series);
  const idle = series.filter(
    ({ samples }) => !samples.some((s) => s.status === 'ok' && s.finishMs <= recovery.effect.loMs),
  );
  if (idle.length > 0 || series.length === 0)
    return unmeasured(
      `no ${operation} before the fault`,
      limit,
      `${idle[0]?.probe.id ?? check.of} completed no ${operation} before the fault, so the effect of the fault is unknown`,
    );
  const { service, clients } = writerOutages(log, planned, operation, recovery.effect);
  const counted = check.clients === 'all' ? [service] : [...clients.values()];
  const each = counted.map((outages) => ({ outages, downtime: downtimeIn(outages) }));
  const measures = each.map(({ downtime }) => (check.time === 'total' ? downtime : downtime.longest));
  const measure = {
    ms: maxOf(measures.map(({ ms }) => ms)),
    minMs: maxOf(measures.map(({ minMs }) => minMs)),
    maxMs: maxOf(measures.map(({ maxMs }) => maxMs)),
  };
  const shownMs = maxOf(
    counted.flatMap(({ windows }) => windows.map((w) => durationOf(w).maxMs)),
    0,
  );
  const unobservedMs =
    check.time === 'longest'
      ? measure.maxMs - shownMs
      : maxOf(counted.map((outages) => outages.unobservedMs));
  const unfinished = unfinishedText(
    log,
    counted.some(({ windows }) => windows.some((w) => w.open)),
  );
  const lastMs = maxOf(series.flatMap(({ samples }) => samples.at(-1)?.finishMs ?? []));
  return boundedBySamples(
    {
      what: `the ${check.time === 'longest' ? 'longest ' : ''}${operation} outage of ${check.of}`,
      measure,
      unobservedMs,
      sampling: samplingOf(series, { fromMs: recovery.effect.loMs, toMs: lastMs }),
      intervalMs: maxOf(series.map(({ probe }) => probe.intervalMs)),
      edges: Math.max(1, 2 * maxOf(each.map(({ downtime }) => downtime.outages))),
      ...(unfinished === undefined ? {} : { unfinished }),
    },
    check,
  );
}
