import { beforeAll, describe, expect, test, vi } from 'vitest';
import { planWith } from '../analysis/testing/log-builder.ts';
import type { DrillEvent, NewEvent } from '../core/event.ts';
import type { Plan } from '../core/plan.ts';
import type { AnyFaultKind } from '../core/kinds.ts';
import { faultKind, faultKinds } from '../faults/catalog.ts';
import type { Disturbance } from '../extension/conformance/disturbance.ts';
import { faultCases, passingKinds } from '../faults/testing/fault-cases.ts';
import { createMachine, type SimulatedMachine } from '../faults/testing/simulated-machine.ts';
import { healOpen } from './heal.ts';
import { injectFault } from './inject.ts';
import type { LedgerRecord } from './ledger.ts';
import { createRun, type DrillDeps } from './run.ts';
import { simulatedClock } from './testing/simulated-clock.ts';

// A command takes effect, and its answer is lost. Each kind goes through its whole life this way: the check before
// it, the auto-revert timer, the injection, the effect, the renewals, the heal, and its proof.

/** Part of a fault's life, by the latest event of its drill. */
type Stage = 'prepare' | 'inject' | 'last' | 'heal';

interface Step {
  readonly stage: Stage;
  readonly words: readonly string[];
}

/** A fault's life on a machine, and what was true on the machine at its events. */
interface Life {
  readonly events: readonly DrillEvent[];
  readonly types: readonly string[];
  readonly steps: readonly Step[];
  readonly open: readonly LedgerRecord[];
  /** Calls of the kind's `inject`. */
  readonly injections: number;
  /** Changes of the machine between the issue and the heal. */
  readonly changes: number;
  /** What an event claimed, and the machine contradicts. */
  readonly contradictions: readonly string[];
}

const leaseMs = 30_000;
const never = new AbortController().signal;

function planOf(kind: AnyFaultKind, given: Readonly<Record<string, unknown>>): Plan {
  const gate = { require: [], forMs: 0, withinMs: 0 };
  const fault = {
    id: 'f',
    kind: kind.kind,
    on: { host: 'alpha' },
    atMs: 0,
    params: kind.params.parse(given),
  };
  return planWith({
    hosts: [{ name: 'alpha', transport: { kind: 'local' } }],
    steady: gate,
    limits: { faultMs: 86_400_000 },
    faults: [{ ...fault, leaseMs }],
    recovery: { probe: 'web', withinMs: 0, stableForMs: 0 },
    redundancy: gate,
  });
}

/** A ledger in memory. */
function memoryLedger(open: LedgerRecord[]): DrillDeps['ledger'] {
  const without = (faultId: string): LedgerRecord[] => open.filter((record) => record.faultId !== faultId);
  const set = (records: readonly LedgerRecord[]): void => void open.splice(0, open.length, ...records);
  return {
    directory: '',
    open: (record) => void open.push(record),
    replace: (record) => set([...without(record.faultId), record]),
    close: ({ faultId }) => set(without(faultId)),
    list: () => open,
    unreadable: () => [],
  };
}

/** Stage of the steps after an event. */
const stageAfter: Partial<Record<DrillEvent['type'], Stage>> = {
  'fault.issued': 'inject',
  'fault.acked': 'last',
  'fault.outcome_unknown': 'last',
  'fault.failed': 'last',
  'heal.started': 'heal',
};

/** What the machine says against an event. */
function contradiction(
  machine: SimulatedMachine,
  kind: string,
  event: NewEvent,
  { changes, hasEffect }: { readonly changes: number; readonly hasEffect: boolean },
): string[] {
  if (event.type === 'fault.effect') {
    const acted = changes > 0 && (passingKinds.includes(kind) || machine.isBroken());
    return acted ? [] : ['fault.effect without an effect'];
  }
  if (event.type === 'log' && /effect was gone/.test(event.text))
    return hasEffect ? [] : ['the end of an effect that was never seen'];
  if (event.type !== 'heal.proven') return [];
  return [
    ...(machine.isBroken() ? ['heal.proven while the fault is in force'] : []),
    ...(machine.timers().length > 0 ? ['heal.proven while an auto-revert timer is armed'] : []),
  ];
}

/** Injects the fault, keeps it for two renewals of its lease, and heals it. `at` disturbs its steps. */
async function live(
  [name, given]: (typeof faultCases)[number],
  at: (step: Step, number: number) => Disturbance | undefined,
): Promise<Life> {
  const kind = faultKind(name)!;
  const clock = simulatedClock();
  const machine = createMachine();
  const events: DrillEvent[] = [];
  const steps: Step[] = [];
  const open: LedgerRecord[] = [];
  const contradictions: string[] = [];
  let stage: Stage = 'prepare';
  let changesBefore = 0;
  let changes = 0;
  const { host, server } = machine.access((number, words) => {
    steps.push({ stage, words });
    return at({ stage, words }, number);
  });
  const append = (event: NewEvent): DrillEvent => {
    stage = stageAfter[event.type] ?? stage;
    if (event.type === 'fault.issued') changesBefore = machine.changes();
    if (stage === 'inject' || stage === 'last' || event.type === 'heal.started')
      changes = machine.changes() - changesBefore;
    const hasEffect = events.some(({ type }) => type === 'fault.effect');
    contradictions.push(...contradiction(machine, name, event, { changes, hasEffect }));
    const logged = { ...event, t: clock.nowMs() };
    events.push(logged);
    return logged;
  };
  const inject = vi.spyOn(kind, 'inject');
  const plan = planOf(kind, given);
  const run = createRun(
    plan,
    {
      runId: 'r',
      clock,
      log: { append, sync: () => {}, broken: never, subscribe: () => () => {}, close: () => {} },
      ledger: memoryLedger(open),
      createHost: () => host,
      createServer: () => server,
      versions: { firedrill: '0', node: '0' },
    },
    never,
  );
  await run.probing(async () => {
    await injectFault(run, plan.faults[0]!).catch(() => undefined);
    await clock.sleep((leaseMs * 5) / 6, never);
    await healOpen(run, () => true);
  });
  const injections = inject.mock.calls.length;
  inject.mockRestore();
  const types = events
    .map(({ type }) => type)
    .filter((type) => !['clock.anchor', 'harness.cost'].includes(type));
  return { events, types, steps, open, injections, changes, contradictions };
}

/** What is wrong with a disturbed life, compared with the undisturbed one. */
function wrongs(life: Life, undisturbed: Life): string[] {
  const { types, contradictions, injections, changes, open, steps } = life;
  const count = (type: DrillEvent['type']): number => types.filter((one) => one === type).length;
  const after = (type: DrillEvent['type']): readonly string[] =>
    types.slice(types.indexOf(type) + 1).filter((one) => one.startsWith('fault.'));
  const isOpened = types.includes('heal.started');
  const isChecked = steps.some((step) => step.stage === 'last');
  const statements: readonly (readonly [boolean, string])[] = [
    [injections > 1 || count('fault.issued') > 1, 'a second injection'],
    [changes > undisturbed.changes, 'more changes than one injection makes'],
    [injections > 0 && count('fault.issued') === 0, 'an injection without `fault.issued`'],
    [types.includes('fault.outcome_unknown') && !isChecked, 'the effect was not checked'],
    [
      types.includes('fault.outcome_unknown') &&
        !['fault.effect', 'fault.failed'].includes(after('fault.outcome_unknown')[0] ?? ''),
      'the outcome stays unknown without a result of the checks',
    ],
    [types.includes('fault.acked') && types.includes('fault.outcome_unknown'), 'acknowledged, and unknown'],
    [isOpened && count('heal.proven') + count('heal.failed') !== 1, 'a heal without one result'],
    [types.includes('heal.proven') !== (isOpened && open.length === 0), 'the ledger contradicts the log'],
    [injections > 0 && !isOpened, 'an injection without a heal'],
  ];
  return [...contradictions, ...statements.flatMap(([is, text]) => (is ? [text] : []))];
}

test('the cases cover every kind', () => {
  expect([...new Set(faultCases.map(([kind]) => kind))].sort()).toEqual(
    faultKinds.map(({ kind }) => kind).sort(),
  );
});

describe.each(faultCases)('%s %j', (...fault) => {
  let undisturbed: Life;
  beforeAll(async () => {
    undisturbed = await live(fault, () => undefined);
  });

  test('arms, injects, renews, heals, and disarms if no answer is lost', async () => {
    const life = undisturbed;
    expect(wrongs(life, life)).toEqual([]);
    expect(life.types.filter((type) => /^(fault|heal)/.test(type))).toEqual([
      'fault.issued',
      'fault.acked',
      'fault.effect',
      'heal.started',
      'heal.proven',
    ]);
    const hasTimer = life.steps.some(({ words }) => words[0] === 'systemd-run');
    // Once when it is armed, and then by the renewals.
    expect(life.types.filter((type) => type === 'lease.renewed')).toHaveLength(hasTimer ? 3 : 0);
  });

  test.each([
    ['after it ran', 'lost after'],
    ['before it ran', 'lost before'],
  ] as const)('ends healed, with evidence, if any one command is lost %s', async (_when, lost) => {
    const found: Record<string, readonly string[]> = {};
    for (const [number, step] of undisturbed.steps.entries()) {
      // A heal repeats its checks for a minute: losing each of them shows no more than losing two.
      const command = ({ stage, words }: Step): string => `${stage}: ${words.join(' ')}`;
      const before = undisturbed.steps.slice(0, number).filter((other) => command(other) === command(step));
      if (before.length >= 2) continue;
      const life = await live(fault, (_, at) => (at === number ? lost : undefined));
      const notHealed = life.open.length > 0 ? ['not healed'] : [];
      const all = [...wrongs(life, undisturbed), ...notHealed];
      if (step.stage === 'inject' && life.types.includes('fault.acked'))
        all.push('acknowledged without an answer');
      if (all.length > 0) found[`${number} ${command(step)}`] = all;
    }
    expect(found).toEqual({});
  });

  test('ends healed, with evidence, if the first answer to each command is lost after it ran', async () => {
    const asked = new Set<string>();
    const life = await live(fault, ({ stage, words }) => {
      // Without an answer before it, nothing is injected.
      if (stage === 'prepare' && words[0] !== 'systemd-run') return undefined;
      const command = words.join(' ');
      if (asked.has(command)) return undefined;
      asked.add(command);
      return 'lost after';
    });
    expect(wrongs(life, undisturbed)).toEqual([]);
    expect(life.open).toEqual([]);
  });

  test('is never reported as in effect if no check of its effect is answered', async () => {
    const life = await live(fault, ({ stage }) => (stage === 'last' ? 'lost before' : undefined));
    expect(wrongs(life, undisturbed)).toEqual([]);
    expect(life.types).not.toContain('fault.effect');
    expect(life.events.findLast(({ type }) => type === 'fault.failed')).toMatchObject({
      message: expect.stringContaining('acknowledged, but the effect could not be checked') as string,
    });
    expect(life.open).toEqual([]);
  });

  test('is never reported as healed if every answer to its heal is lost after it ran', async () => {
    const life = await live(fault, ({ stage }) => (stage === 'heal' ? 'lost after' : undefined));
    expect(wrongs(life, undisturbed)).toEqual([]);
    expect(life.events.findLast(({ type }) => type === 'heal.failed')).toMatchObject({ observed: false });
    expect(life.open).toHaveLength(1);
  });
});
