import { limitText } from '../core/format-duration.ts';
import type { Kinds } from '../core/kinds.ts';
import type { Plan } from '../core/plan.ts';
import type { DurationMs } from '../core/time.ts';
import { builtInKinds } from '../extension/kinds.ts';
import { probingLoad, type Load, type LoadPlan } from './probing-load.ts';

/**
 * Limits above which probing itself may overload the stack. Source: on two cores at 2.1 GHz, a new PostgreSQL session took
 * about 70 ms of CPU and a Docker client about 73 ms. There, a burst of 65 samples and 44 new connections a second took a
 * Patroni pair down. The limit on connections is about half of that, and a process costs about as much as a connection.
 * A sample over a kept connection costs a hundredth of either, so such samples have no limit.
 */
const sensibleLoad = { newConnectionsPerSecond: 20, processesPerSecond: 20 } as const;

type LimitedFigure = keyof typeof sensibleLoad;

/** A load above the limit, and the edit that lowers it. */
export interface LoadAdvice {
  readonly text: string;
  readonly hint: string;
}

/** `65 samples, 44 new connections, and 3 commands a second`. Processes and rows appear only if there are any. */
export function loadText(load: Load): string {
  const { commandsPerSecond: commands, processesPerSecond: processes, rowsPerSecond: rows } = load;
  const parts = [
    counted(load.samplesPerSecond, 'sample'),
    counted(load.newConnectionsPerSecond, 'new connection'),
  ];
  const started = processes > commands ? ` (at least ${figure(processes)} processes)` : '';
  const written = rows > 0 ? `; ${counted(rows, 'row')} written` : '';
  return `${parts.join(', ')}, and ${counted(commands, 'command')}${started} a second${written}`;
}

/** The load plan, and the recovery probe if the plan is that of a drill. */
type AdvisedPlan = LoadPlan & Partial<Pick<Plan, 'recovery'>>;

/** Advice for each load above its limit, at the base rate and in the burst. */
export function loadAdvice(plan: AdvisedPlan, kinds: Kinds = builtInKinds): readonly LoadAdvice[] {
  const { base, burst } = probingLoad(plan, kinds);
  return [
    ...adviceAt('base', base, plan, kinds, 'newConnectionsPerSecond'),
    ...adviceAt('burst', burst, plan, kinds, 'newConnectionsPerSecond'),
    ...adviceAt('base', base, plan, kinds, 'processesPerSecond'),
    ...adviceAt('burst', burst, plan, kinds, 'processesPerSecond'),
  ];
}

const figureText: Readonly<Record<LimitedFigure, string>> = {
  newConnectionsPerSecond: 'new connections',
  processesPerSecond: 'processes on hosts',
};

/** If the base rate alone is above the limit, there is no advice on the burst: the edit of the base rate comes first. */
function adviceAt(
  rate: 'base' | 'burst',
  load: Load,
  plan: AdvisedPlan,
  kinds: Kinds,
  what: LimitedFigure,
): LoadAdvice[] {
  const limit = sensibleLoad[what];
  if (load[what] <= limit) return [];
  if (rate === 'burst' && probingLoad(plan, kinds).base[what] > limit) return [];
  const where = rate === 'base' ? 'at the base rate' : 'in the burst';
  return [
    {
      text: `probing itself may be the load: ${figure(load[what])} ${figureText[what]} a second ${where} (limit: ${limit})`,
      hint: hintFor(rate, plan, kinds, what),
    },
  ];
}

/** The edit with the largest effect. Other probes' bursts come first, because only the recovery probe sets the RTO's bounds. */
function hintFor(rate: 'base' | 'burst', plan: AdvisedPlan, kinds: Kinds, what: LimitedFigure): string {
  const parts = partsOf(plan, kinds, what)
    .map((part): Adding => {
      const everyMs = rate === 'burst' ? (part.burstMs ?? part.intervalMs) : part.intervalMs;
      return { ...part, adds: part[rate], everyMs };
    })
    .filter(({ adds }) => adds > 0)
    .sort((a, b) => b.adds - a.adds);
  if (rate === 'burst') {
    // For other probes, a longer burst interval has no effect.
    const bursting = parts.filter(({ burstMs, burst, base }) => burstMs !== undefined && burst > base);
    const spare =
      plan.recovery === undefined ? [] : bursting.filter(({ name }) => name !== plan.recovery?.probe);
    if (plan.recovery !== undefined && spare.length > 0) {
      return `remove \`burst\`, or set a longer one, for ${named(spare)}; only the recovery probe \`${plan.recovery.probe}\` sets the bounds of the RTO`;
    }
    const writing = parts.filter(({ name }) => plan.writers.some(({ id }) => id === name));
    const slower = writing.length === 0 ? '' : `, or a longer \`interval\` for the writer ${named(writing)}`;
    if (bursting.length > 0) return `set a longer \`burst\` for ${named(bursting)}${slower}`;
  }
  return `set a longer \`interval\` for ${named(parts)}`;
}

/** The load of one probe, or of one writer. */
interface Share {
  readonly name: string;
  readonly base: number;
  readonly burst: number;
  readonly intervalMs: DurationMs;
  readonly burstMs: DurationMs | undefined;
}

/** The same, with its load and interval at one of the rates. */
interface Adding extends Share {
  readonly adds: number;
  readonly everyMs: DurationMs;
}

function partsOf(plan: LoadPlan, kinds: Kinds, what: LimitedFigure): Share[] {
  const { hosts } = plan;
  const share = (part: Pick<LoadPlan, 'probes' | 'writers'>) => {
    const { base, burst } = probingLoad({ hosts, ...part }, kinds);
    return { base: base[what], burst: burst[what] };
  };
  const names = [...new Set(plan.probes.map(({ name }) => name))];
  return [
    ...names.flatMap((name): Share[] => {
      const probes = plan.probes.filter((probe) => probe.name === name);
      const [first] = probes;
      if (first === undefined) return [];
      const { intervalMs, burstIntervalMs: burstMs } = first;
      return [{ name, ...share({ probes, writers: [] }), intervalMs, burstMs }];
    }),
    ...plan.writers.map((writer): Share => ({
      name: writer.id,
      ...share({ probes: [], writers: [writer] }),
      intervalMs: writer.intervalMs,
      burstMs: undefined,
    })),
  ];
}

/** The first three, with interval and load: `service (50 ms: 20 a second)`. */
function named(parts: readonly Adding[]): string {
  return parts
    .slice(0, 3)
    .map(({ name, everyMs, adds }) => `\`${name}\` (${limitText(everyMs)}: ${figure(adds)} a second)`)
    .join(', ');
}

function counted(perSecond: number, noun: string): string {
  return `${figure(perSecond)} ${noun}${figure(perSecond) === '1' ? '' : 's'}`;
}

/** At most one decimal: 0.5, 12, 43.5. */
function figure(perSecond: number): string {
  return String(Number(perSecond.toFixed(1)));
}
