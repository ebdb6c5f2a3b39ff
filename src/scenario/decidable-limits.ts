import type { Condition } from '../core/condition.ts';
import { limitText } from '../core/format-duration.ts';
import type { ProbeName } from '../core/ids.ts';
import type { PlannedProbe } from '../core/plan.ts';
import type { CheckInput } from './check-schema.ts';
import { entryOf, type Known, type Report } from './references.ts';
import type { DurationMs } from '../core/time.ts';

/** What is sampled for a limit: its name, its interval, and the field that sets the interval. */
interface Sampled {
  readonly name: string;
  readonly intervalMs: DurationMs;
  readonly field: 'interval' | 'reads';
  readonly bursts: boolean;
}

/**
 * Checks that the sample intervals can decide the upper limits of checks on a time. An event that is not longer than the
 * interval can occur between two samples, so the upper bound always includes it. Burst intervals do not count: the burst
 * ends with the recovery, but a check covers the time until the end of the drill. A limit of 0 judges the samples alone.
 */
export function checkDecidable(
  checks: readonly CheckInput[],
  recoveryProbe: ProbeName,
  known: Known,
  report: Report,
): void {
  for (const [i, check] of checks.entries()) {
    const limit = limitOf(check);
    if (limit === undefined || limit.ms === 0) continue;
    const slowest = sampledBy(check, recoveryProbe, known).sort((a, b) => b.intervalMs - a.intervalMs)[0];
    if (slowest === undefined || limit.ms > slowest.intervalMs) continue;
    report(['checks', i, limit.field], undecidableText(limit, slowest));
  }
}

function limitOf(
  check: CheckInput,
): { readonly field: 'max' | 'tolerance'; readonly ms: DurationMs } | undefined {
  switch (check.kind) {
    case 'downtime':
    case 'heal-outage':
    case 'ownership':
    case 'happens':
    case 'stale-reads':
    case 'write-outage':
    case 'read-outage':
      return check.max === undefined ? undefined : { field: 'max', ms: check.max };
    case 'never':
      return check.tolerance === undefined ? undefined : { field: 'tolerance', ms: check.tolerance };
    default:
      return undefined;
  }
}

function sampledBy(check: CheckInput, recoveryProbe: ProbeName, known: Known): Sampled[] {
  switch (check.kind) {
    case 'downtime':
      return probesWhere(known, (probe) =>
        check.probe === undefined ? probe.name === recoveryProbe : probe.id === check.probe,
      );
    case 'heal-outage':
      return probesWhere(known, (probe) => probe.name === recoveryProbe);
    case 'happens':
    case 'never':
      return instances(known, check.condition);
    case 'ownership': {
      const sides = entryOf(known.ownership, check.of) ?? {};
      return [check.side, check.differsFrom ?? check.side].flatMap((side) => {
        const condition = entryOf(sides, side);
        return condition === undefined ? [] : instances(known, condition);
      });
    }
    case 'stale-reads':
    case 'read-outage':
      return known.writers
        .filter(({ id }) => id === check.of)
        .map(({ id, readIntervalMs }) => ({
          name: `writer "${id}" reads`,
          intervalMs: readIntervalMs,
          field: 'reads',
          bursts: false,
        }));
    case 'write-outage':
      return known.writers
        .filter(({ id }) => id === check.of)
        .map(({ id, intervalMs }) => ({
          name: `writer "${id}" writes`,
          intervalMs,
          field: 'interval',
          bursts: false,
        }));
    default:
      return [];
  }
}

function instances(known: Known, { probe: name, host }: Condition): Sampled[] {
  return probesWhere(known, (probe) => probe.name === name && (host === undefined || probe.host === host));
}

function probesWhere(known: Known, counts: (probe: PlannedProbe) => boolean): Sampled[] {
  return known.probes.filter(counts).map(({ name, intervalMs, burstIntervalMs }) => ({
    name: `probe "${name}" is sampled`,
    intervalMs,
    field: 'interval',
    bursts: burstIntervalMs !== undefined,
  }));
}

function undecidableText(
  { field, ms }: NonNullable<ReturnType<typeof limitOf>>,
  { name, intervalMs, field: setting, bursts }: Sampled,
): string {
  const every = `every ${limitText(intervalMs)}${bursts ? ' after the burst' : ''}`;
  // Half of the limit leaves room for the response time, and for one observed outage.
  const needed = ms < 2 ? '' : `set \`${setting}: ${fieldText(Math.floor(ms / 2))}\` or less, `;
  return `${field}: samples cannot decide a limit of ${limitText(ms)}: ${name} ${every}, so a shorter event can occur between two samples; ${needed}raise \`${field}\` above ${limitText(intervalMs)}, or write \`${field}: 0s\` (fails if any sample sees it)`;
}

/** A duration as a file writes it. */
function fieldText(ms: DurationMs): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
