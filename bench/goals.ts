import { errorFigures } from './judge.ts';
import type { Judged } from './judge.ts';
import type { Results } from './results.ts';

/** A goal and what became of it. */
export interface Goal {
  readonly what: string;
  readonly goal: string;
  readonly measured: string;
  readonly met: boolean;
}

/** A window's error may be this much more than the interval: what clocks and processes add. */
const slackMs = 5;
/** Late answers are told from slow ones at this latency (the analysis's own floor). */
const slowMs = 150;

/** The goals that the results can be held against. */
export function goalsOf(results: Results): readonly Goal[] {
  return [
    ...windowGoals(results),
    ...rtoGoals(results),
    ...lightGoals(results),
    ...capacityGoals(results),
    ...isolationGoals(results),
    ...hostileGoals(results),
    ...overloadGoals(results),
    ...analysisGoals(results),
    ...soakGoals(results),
    ...nightsGoals(results),
  ];
}

/** The series of firedrill in the windows part, and the interval that they have at the edges of an outage. */
const series = [
  { tool: 'firedrill 1 s', edgeMs: 1000 },
  { tool: 'firedrill 100 ms', edgeMs: 100 },
  { tool: 'firedrill 1 s, burst 50 ms', edgeMs: 50 },
] as const;

function windowGoals({ windows }: Results): readonly Goal[] {
  if (windows === undefined) return [];
  const outagesOf = (tool: string): readonly Judged[] =>
    windows.result.tools.find((one) => one.tool === tool)?.outages ?? [];
  const errors = series.flatMap(({ tool, edgeMs }) => [
    errorGoal(
      `window error, ${tool}`,
      outagesOf(tool).filter((o) => o.kind !== 'late' && o.kind !== 'black-hole'),
      edgeMs,
    ),
    lateGoal(tool, outagesOf(tool), edgeMs),
    errorGoal(
      `SYN black hole, ${tool}`,
      outagesOf(tool).filter((o) => o.kind === 'black-hole'),
      edgeMs,
    ),
  ]);
  const all = series.flatMap(({ tool }) => outagesOf(tool));
  const bounded = all.filter((o) => o.held !== null);
  const held = bounded.filter((o) => o.held === true).length;
  return [
    ...errors.flat(),
    {
      what: 'bounds hold the truth',
      goal: '100 % of 300 windows or more',
      measured: `${held} of ${bounded.length}`,
      met: held === bounded.length && bounded.length >= 300,
    },
  ];
}

function errorGoal(what: string, outages: readonly Judged[], edgeMs: number): readonly Goal[] {
  const figures = errorFigures(outages);
  if (figures === undefined) return [];
  return [
    {
      what,
      goal: `at most ${edgeMs + slackMs} ms`,
      measured: `${signed(figures.lowestMs)} to ${signed(figures.highestMs)} ms, ${figures.outages} outages`,
      met: figures.worstMs <= edgeMs + slackMs,
    },
  ];
}

/** Only stalls that are long enough to be told for sure. */
function lateGoal(tool: string, outages: readonly Judged[], edgeMs: number): readonly Goal[] {
  const late = outages.filter((o) => o.kind === 'late' && o.trueMs >= slowMs + edgeMs);
  const figures = errorFigures(late);
  if (figures === undefined) return [];
  return [
    {
      what: `late replies, ${tool}`,
      goal: `all found, at most ${edgeMs + slackMs} ms`,
      measured: `${figures.found} of ${figures.outages} found, ${signed(figures.lowestMs)} to ${signed(figures.highestMs)} ms`,
      met: figures.found === figures.outages && figures.worstMs <= edgeMs + slackMs,
    },
  ];
}

function rtoGoals({ rto }: Results): readonly Goal[] {
  if (rto === undefined) return [];
  const judged = rto.result.filter(({ voided }) => !voided);
  const told = judged.flatMap((trial) => (trial.told === null ? [] : [{ ...trial, told: trial.told }]));
  const errors = told.map((trial) => trial.told.ms - trial.trueMs);
  const held = told.filter(
    ({ told: { minMs, maxMs }, trueMs }) => minMs <= trueMs + slackMs && maxMs >= trueMs - slackMs,
  );
  return [
    {
      what: 'RTO of whole drills, burst 50 ms',
      goal: 'within ±30 ms',
      measured: `${signed(Math.min(...errors))} to ${signed(Math.max(...errors))} ms, ${told.length} of ${judged.length} drills, bounds held in ${held.length}`,
      met: told.length === judged.length && errors.every((error) => Math.abs(error) <= 30),
    },
  ];
}

function lightGoals({ light }: Results): readonly Goal[] {
  if (light === undefined) return [];
  const { cpuShare, maxRssBytes, latenessP99Ms, latenessMaxMs, driftMs } = light.result;
  return [
    {
      what: '10 targets at 1 Hz',
      goal: 'at most 2 % of a core, 70 MB',
      measured: `${percent(cpuShare)} of a core, ${megabytes(maxRssBytes)} MB`,
      met: cpuShare <= 0.02 && maxRssBytes <= 70e6,
    },
    {
      what: 'lateness, quiet',
      goal: 'p99 at most 2 ms, no drift',
      measured: `p99 ${fixed(latenessP99Ms)} ms, highest ${fixed(latenessMaxMs)} ms, drift ${signed(driftMs, 2)} ms`,
      met: latenessP99Ms <= 2 && Math.abs(driftMs) <= 1,
    },
  ];
}

function capacityGoals({ capacity }: Results): readonly Goal[] {
  if (capacity === undefined) return [];
  return capacity.result
    .filter(({ wantedPerSecond }) => wantedPerSecond !== 2000)
    .map((rate) => {
      const { wantedPerSecond, latenessP99Ms, cpuShare, maxRssBytes, dropped, bad } = rate;
      const stretch = wantedPerSecond > 1000;
      const punctual = dropped === 0 && bad === 0 && latenessP99Ms <= 5;
      return {
        what: `${wantedPerSecond} new connections a second${stretch ? ' (stretch)' : ''}`,
        goal: `p99 lateness at most 5 ms${stretch ? '' : ', 40 % of a core, 100 MB'}`,
        measured: `p99 ${fixed(latenessP99Ms)} ms, ${percent(cpuShare)} of a core, ${megabytes(maxRssBytes)} MB, ${dropped} dropped, ${bad} bad`,
        met: punctual && (stretch || (cpuShare <= 0.4 && maxRssBytes <= 100e6)),
      };
    });
}

function isolationGoals({ isolation }: Results): readonly Goal[] {
  if (isolation === undefined) return [];
  const { before, during } = isolation.result;
  const lost = during.slots - during.samples;
  return [
    {
      what: 'half the targets hung',
      goal: '0 lost slots elsewhere, p99 +1 ms',
      measured: `${lost} of ${during.slots} slots lost, p99 lateness ${fixed(before.latenessP99Ms)} to ${fixed(during.latenessP99Ms)} ms, p99 latency ${fixed(before.latencyP99Ms)} to ${fixed(during.latencyP99Ms)} ms`,
      met: lost <= 0 && during.latenessP99Ms - before.latenessP99Ms <= 1,
    },
  ];
}

function hostileGoals({ hostile }: Results): readonly Goal[] {
  if (hostile === undefined) return [];
  const { servers, samples, lost, dropped, latenessP99Ms, overrunMs, stalled, misjudged, growthBytes } =
    hostile.result;
  return [
    {
      what: `${servers} hostile servers at once, 100 ms`,
      goal: 'no slot lost or dropped, p99 lateness at most 5 ms, no look 100 ms beyond its time-out, at most 5 MB more',
      measured:
        `${lost} lost and ${dropped} dropped beside ${samples} looks, p99 lateness ${fixed(latenessP99Ms)} ms, ` +
        `${fixed(overrunMs)} ms beyond (${stalled} looks in stalls of the prober), ${signed(growthBytes / 1e6, 1)} MB`,
      met: lost === 0 && dropped === 0 && latenessP99Ms <= 5 && overrunMs <= 100 && growthBytes <= 5e6,
    },
    {
      what: 'what is told of each',
      goal: 'what it is',
      measured: misjudged.length === 0 ? 'all of them' : misjudged.join('; '),
      met: misjudged.length === 0,
    },
  ];
}

function overloadGoals({ overload }: Results): readonly Goal[] {
  // Results that stand from a version with another control have other figures.
  const levels = (overload?.result ?? []).filter(({ dilation }) => dilation !== undefined);
  return levels.map((level) => {
    const { busy, raised, looks, failed, told, unsure, toldWithout, starved, starvedMs, dilation } = level;
    const control =
      dilation === null ? 'no sample' : `p50 ${fixed(dilation.p50)}, p99 ${fixed(dilation.p99)}`;
    return {
      what: `a server that is up, beside ${busy} busy processes${raised ? ' at raised priority' : ''}`,
      goal: 'no outage told',
      measured: `${told} told, ${unsure} unsure (${toldWithout} without the control); ${failed} of ${looks} samples failed; dilation ${control}, starved ${starved} times, ${fixed(starvedMs / 1000)} s`,
      met: told === 0,
    };
  });
}

function analysisGoals({ analysis }: Results): readonly Goal[] {
  if (analysis === undefined) return [];
  const { samples, readMs, windowsMs, maxRssBytes } = analysis.result;
  const perSecond = (samples * 1000) / (readMs + windowsMs);
  return [
    {
      what: 'analysis',
      goal: '5 M samples a second, 64 MB',
      measured: `${fixed(perSecond / 1e6, 2)} M samples a second, ${megabytes(maxRssBytes)} MB for ${fixed(samples / 1e6)} M`,
      met: perSecond >= 5e6 && maxRssBytes <= 64e6,
    },
  ];
}

function soakGoals({ soak }: Results): readonly Goal[] {
  if (soak === undefined) return [];
  const { samples, growthBytes, logBytesPerSample } = soak.result;
  return [
    {
      what: `soak, ${samples} looks`,
      goal: 'at most 5 MB more after the first 3600',
      measured: `${signed(growthBytes / 1e6, 1)} MB, ${fixed(logBytesPerSample, 0)} bytes of log a look`,
      met: growthBytes <= 5e6,
    },
  ];
}

/** What a night may alarm where nothing changed. */
const falseAlarms = 0.025;

function nightsGoals({ nights }: Results): readonly Goal[] {
  return (nights?.result.rows ?? []).map((row) => {
    const { baselineNights, nowNights, runs, drills, unchanged, unchangedStrict } = row;
    const shares = [unchanged, unchangedStrict].map((count) => ({ ...count, ...shareInterval(count) }));
    const words = shares.map(
      ({ alarms, of, low, high }) => `${percent(alarms / of)} (${percent(low)} to ${percent(high)})`,
    );
    return {
      what: `false alarms, ${baselineNights} nights against ${nowNights}, ${drills} drills, ${runs.join(' and ')} runs a night`,
      goal: 'at most 2.5 % of nights',
      measured: `${words[0] ?? ''}, without a tolerance ${words[1] ?? ''}`,
      // Chance alone takes a rate at the limit above it half of the time: missed is what is surely above.
      met: shares.every(({ low }) => low <= falseAlarms),
    };
  });
}

/** Wilson's 95 % interval of a share. */
export function shareInterval({ alarms, of }: { readonly alarms: number; readonly of: number }): {
  readonly low: number;
  readonly high: number;
} {
  const z = 1.96;
  const share = alarms / of;
  const middle = share + (z * z) / (2 * of);
  const half = z * Math.sqrt((share * (1 - share)) / of + (z * z) / (4 * of * of));
  const scale = 1 + (z * z) / of;
  return { low: Math.max(0, (middle - half) / scale), high: Math.min(1, (middle + half) / scale) };
}

/** With its sign. */
export function signed(value: number, digits = 0): string {
  const text = Math.abs(value).toFixed(digits);
  return `${value < 0 ? '-' : '+'}${text}`;
}

function fixed(value: number, digits = 1): string {
  return value.toFixed(digits);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
