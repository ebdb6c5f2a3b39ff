import { roundMs } from '../core/clock.ts';
import { maxOf } from '../core/extremes.ts';
import { downtimeOf } from './downtime.ts';
import { boundedBySamples } from './gap-outcome.ts';
import { bound, clientsIn, downtimeIn, writerOutages } from './operation-outages.ts';
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
  // All clients are out while those are that got through before. The path of a standby may refuse all writes until then.
  const needed = check.clients === 'all' ? 1 : series.length;
  if (series.length - idle.length < Math.max(1, needed))
    return unmeasured(
      `no ${operation} before the fault`,
      limit,
      `${idle[0]?.probe.id ?? check.of} completed no ${operation} before the fault, so the effect of the fault is unknown`,
    );
  const silent = series.find(({ samples }) => !samples.some((s) => s.finishMs > recovery.effect.loMs));
  if (silent !== undefined)
    return unmeasured(
      `no ${operation} after the fault`,
      limit,
      `the event log has no ${operation} of ${silent.probe.id} after the fault, so its outage is unknown`,
    );
  const { service, clients } = writerOutages(log, planned, operation, recovery.effect);
  const counted = check.clients === 'all' ? [service] : [...clients.values()];
  const each = counted.map((outages) => ({ outages, downtime: downtimeIn(outages) }));
  const measures = each.map(({ downtime }) => (check.time === 'total' ? downtime : downtime.longest));
  const measure = bound(measures, maxOf);
  const shownMs = maxOf(
    counted.map(({ windows }) =>
      check.time === 'total'
        ? downtimeOf(windows).total.maxMs
        : maxOf(
            windows.map((w) => durationOf(w).maxMs),
            0,
          ),
    ),
  );
  const unfinished = unfinishedText(
    log,
    counted.some(({ windows }) => windows.some((w) => w.open)),
  );
  const lastMs = maxOf(series.flatMap(({ samples }) => samples.at(-1)?.finishMs ?? []));
  return boundedBySamples(
    {
      what: `the ${check.time === 'longest' ? 'longest ' : ''}${operation} outage of ${check.of}`,
      measure,
      unobservedMs: roundMs(measure.maxMs - shownMs),
      sampling: samplingOf(series, { fromMs: recovery.effect.loMs, toMs: lastMs }),
      intervalMs: maxOf(series.map(({ probe }) => probe.intervalMs)),
      edges: Math.max(1, 2 * maxOf(each.map(({ downtime }) => downtime.outages))),
      ...(unfinished === undefined ? {} : { unfinished }),
    },
    check,
  );
}
