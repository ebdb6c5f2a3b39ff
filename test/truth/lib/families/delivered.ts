import type { Analysis } from '../../../../src/analysis/summarize.ts';
import type { Dice } from '../dice.ts';
import type { Family, Step } from '../drill-script.ts';
import { Journal, type WrittenLine } from '../journal.ts';
import { judged, type Judged } from '../judged.ts';
import { effectMs, type KnownRun } from '../known-run.ts';
import { msText } from '../plan-text.ts';
import { latencyOf, serviceScript } from '../service-case.ts';
import { silence, reportedState, type ReportedState } from '../reported-state.ts';

/** Errors of one delivery. */
const faults = ['nothing', 'nothing', 'lost', 'twice', 'late', 'swapped', 'stray'] as const;

/** The journal of the changes, and the journal of the host that receives the deliveries. */
interface Journals {
  readonly changes: Journal;
  readonly deliveries: Journal;
}

/** Changes on the first host, each with its own value, and their deliveries. One delivery may have an error. */
function announcements(dice: Dice, { changes, deliveries }: Journals, withinMs: number): Step[] {
  const wrong = dice.pick(faults);
  const count = dice.whole(2, 6);
  const wrongAt = dice.whole(0, count - 2);
  const steps: Step[] = [];
  const deliver = (value: string, afterMs: number): void => {
    steps.push({
      afterMs,
      act: () => deliveries.write({ name: 'told', value, host: 'node-1' }),
    });
  };
  let atMs = dice.between(10, 1000);
  for (let i = 0; i < count; i++) {
    const value = `state ${i}`;
    steps.push({ afterMs: atMs, act: () => changes.write({ name: 'changed', value }) });
    const quickMs = dice.scale(5, 0.9 * withinMs);
    const isWrong = i === wrongAt;
    if (isWrong && wrong === 'late') deliver(value, atMs + withinMs + dice.scale(1, 3000));
    else if (isWrong && wrong === 'swapped') {
      // Delivered after the next change.
      const nextMs = atMs + dice.scale(1, 0.3 * withinMs);
      const next = `state ${i} and on`;
      steps.push({ afterMs: nextMs, act: () => changes.write({ name: 'changed', value: next }) });
      deliver(next, nextMs + dice.scale(1, 0.2 * withinMs));
      deliver(value, nextMs + dice.between(0.21, 0.5) * withinMs);
    } else if (!isWrong || wrong !== 'lost') deliver(value, atMs + quickMs);
    if (isWrong && wrong === 'twice') deliver(value, atMs + quickMs + dice.scale(5, 3000));
    if (isWrong && wrong === 'stray') deliver('no such state', atMs + dice.scale(5, 3000));
    atMs += Math.max(quickMs, 0.5 * withinMs) + dice.scale(10, 2000);
  }
  return steps;
}

/** Whether all changes are delivered correctly, by the lines that were read. undefined: the lines do not decide it. */
function areDelivered(
  known: KnownRun,
  { changes, deliveries }: Journals,
  withinMs: number,
): boolean | undefined {
  const fromMs = effectMs(known);
  const isDue = ({ atMs }: WrittenLine): boolean => atMs >= fromMs;
  const reported = deliveries.lines.filter(({ isRead }) => isRead);
  const made = changes.lines.filter(({ isRead, atMs }) => isRead && isDue({ atMs, name: '', isRead }));
  const reportedUntilMs = Math.max(
    0,
    ...known.sent.flatMap(({ sample }) =>
      sample.probe === 'told@node-2' && sample.status === 'ok' ? [sample.sendMs] : [],
    ),
  );
  const allMade = new Set(changes.lines.map(({ value }) => value));
  const deliveriesOf = ({ value }: WrittenLine) => reported.filter((line) => line.value === value);
  const isOpen = made.some((one) => deliveriesOf(one).length === 0 && one.atMs + withinMs > reportedUntilMs);
  const isWrong =
    reported.some((line) => isDue(line) && !allMade.has(line.value)) ||
    made.some((one, index) => {
      const [first, ...more] = deliveriesOf(one);
      if (first === undefined) return one.atMs + withinMs <= reportedUntilMs;
      const before = made.slice(0, index).flatMap(deliveriesOf);
      return more.length > 0 || first.atMs - one.atMs > withinMs || before.some((b) => b.atMs > first.atMs);
    });
  if (isWrong) return false;
  // Undecided: no change after the fault, or a written line that was not read.
  const isUnread = [...changes.lines, ...deliveries.lines].some((line) => !line.isRead);
  return isOpen || isUnread || made.length === 0 ? undefined : true;
}

function judgeDelivered({ summary }: Analysis, isRight: boolean | undefined): readonly Judged[] {
  return summary.checks.flatMap(({ kind, status, observed }) => {
    if (kind !== 'delivered') return [];
    // Lines that were not read may be wrong or right: a pass covers only the lines that were read.
    const isWrong = status === 'pass' ? isRight === false : status === 'fail' && isRight !== false;
    const outcome = status === 'inconclusive' ? 'inconclusive' : isWrong ? 'wrong' : 'right';
    const truth = isRight === undefined ? 'undecided' : isRight ? 'all delivered' : 'not all delivered';
    return [judged('check delivered', outcome, `${status}: ${observed}; true: ${truth}`)];
  });
}

const delivered: Family = {
  name: 'delivered',
  about:
    'changes are delivered to another host; one delivery may be lost, late, repeated, out of order, or without a change; the journals are unreadable for a while',
  script: (stage) => {
    const { dice, time } = stage;
    const latency = latencyOf(dice, dice.scale(1, 5));
    const journals = { changes: new Journal(time), deliveries: new Journal(time) };
    const withinMs = dice.pick([500, 2000, 5000]);
    const intervalMs = dice.pick([500, 1000, 2000]);
    const reported = (): ReportedState => reportedState(stage, latency, { yes: '', no: '', isSo: true });
    const [changes, deliveries] = [reported(), reported()];
    const parallel = (id: string, mark: string, host: string, state: ReportedState, journal: Journal) => ({
      text: { id, on: [host], marks: [mark], intervalMs, timeoutMs: 900 },
      reported: new Map([[`${id}@${host}`, { probed: { ...state.probed, journal } }]]),
    });
    const check = {
      kind: 'delivered',
      name: 'delivered',
      changes: { probe: 'log', marks: ['changed'] },
      deliveries: { probe: 'told', marks: ['told'] },
      within: msText(withinMs),
    };
    return {
      ...serviceScript(stage, {
        probe: { intervalMs: 1000, timeoutMs: 900 },
        latency,
        stableForMs: 2000,
        quietForMs: 12_000,
        parallel: [
          parallel('log', 'changed', 'node-1', changes, journals.changes),
          parallel('told', 'told', 'node-2', deliveries, journals.deliveries),
        ],
        effects: () => [
          ...announcements(dice, journals, withinMs),
          ...(dice.chance(0.4)
            ? silence(dice, dice.pick([changes, deliveries]), { kind: 'drop' }, 12_000)
            : []),
        ],
        heals: () => [],
        tailMs: dice.between(500, 8000),
      }),
      // In the plan before the run, so that the run reads the journals.
      someChecks: [check],
      checks: () => [check],
      truthText: () =>
        [...journals.changes.lines, ...journals.deliveries.lines].map(
          ({ atMs, name, value, isRead }) =>
            `${name} ${value} at ${atMs.toFixed(3)}${isRead ? '' : ', not read'}`,
        ),
      judge: (known, analysis) => judgeDelivered(analysis, areDelivered(known, journals, withinMs)),
    };
  },
};

/** Families about announcements of changes. */
export const deliveredFamilies: readonly Family[] = [delivered];
