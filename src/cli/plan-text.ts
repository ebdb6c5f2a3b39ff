import { describeCondition } from '../core/condition.ts';
import { durationText, limitText } from '../core/format-duration.ts';
import { fillPlaceholders, mapStrings } from '../core/placeholders.ts';
import type { Kinds } from '../core/kinds.ts';
import type { Plan, PlannedFault, PlannedHost, PlannedProbe, Prediction } from '../core/plan.ts';
import { builtInKinds } from '../extension/kinds.ts';
import { sshWords } from '../hosts/ssh-config.ts';
import { predictDrill } from '../model/chain.ts';
import { drillTime, hostAtRisk } from '../model/drill-time.ts';
import { defaults } from '../scenario/defaults.ts';
import { aligned } from '../report/text.ts';
import { loadAdvice, loadText } from '../scenario/load-text.ts';
import { probingLoad } from '../scenario/probing-load.ts';
import { predictedText } from '../report/verdict-text.ts';

/** The text of plans, one after another, as `firedrill plan` prints it. */
export function plansText(
  plans: readonly Plan[],
  kindsOf: (plan: Plan) => Kinds = () => builtInKinds,
): string {
  const names = plans.map((plan) => `  ${plan.scenario.name}: ${plan.scenario.title}`);
  const list = plans.length === 1 ? '' : `${plans.length} drills\n${names.join('\n')}\n\n`;
  return list + plans.map((plan) => planText(plan, kindsOf(plan))).join('\n');
}

/** The blast radius of a drill: one line for each fault and preparation. */
export function blastRadiusLines(plan: Plan, kinds: Kinds): string[] {
  return [...plan.prepare, ...plan.faults].map(
    (step) => `${step.kind} on ${placeText(plan, step)}: ${textOf(plan, step, kinds).blastRadius}`,
  );
}

/** The text of a plan, with each command and the blast radius. */
function planText(plan: Plan, kinds: Kinds): string {
  const variables = Object.entries(plan.scenario.variables).map(([name, value]) => `${name} = ${value}`);
  const lines: string[] = [
    `${plan.scenario.name}: ${plan.scenario.title}`,
    `target ${plan.target.name} (${plan.target.environment}), ${plan.target.path}`,
    ...(variables.length === 0 ? [] : [`variables ${variables.join(', ')}`]),
    '',
    'Hosts',
    ...plan.hosts.map((host) => `  ${host.name.padEnd(12)} ${transportText(host)}`),
    '',
    ...extensionLines(plan),
    ...probeLines(plan, kinds),
    '',
    ...writerLines(plan, kinds),
    ...loadLines(plan, kinds),
    ...ownershipLines(plan),
    ...numbered(stepsOf(plan, kinds)),
    '',
    ...predictionLines(plan),
    'Checks',
    ...plan.checks.map((item) => `  ${item.name}`),
    '',
    'firedrill always heals every fault, in reverse order, and proves each heal. This command changed nothing.',
  ];
  return `${lines.join('\n')}\n`;
}

/** The modules that bring kinds of their own. Empty if the target has none. */
function extensionLines({ extensions = [] }: Plan): string[] {
  return extensions.length === 0
    ? []
    : ['Extensions', ...extensions.map(({ entry, file }) => `  ${entry}: ${file}`), ''];
}

/** The probes that run, with their uses, and the probes that do not run. */
function probeLines({ probes, probesLeftOut = [] }: Plan, kinds: Kinds): string[] {
  const lines = probes.flatMap((probe, i) => {
    const { name, usedBy = [] } = probe;
    const isLast = probes[i + 1]?.name !== name;
    return [
      probeLine(probe, kinds),
      ...(isLast && usedBy.length > 0 ? [`  ${''.padEnd(24)} for ${usedBy.join(', ')}`] : []),
    ];
  });
  const out =
    probesLeftOut.length === 0
      ? []
      : [
          `  not run: ${probesLeftOut.join(', ')}`,
          '  This drill does not use these probes. To run them, pass --all-probes, or set `always: true` in the target.',
        ];
  const note = `default timeout: the interval, at most ${limitText(defaults.timeoutMs)}`;
  return [`Probes (${note})`, ...lines, ...out];
}

function probeLine(
  { id, kind, params, intervalMs, burstIntervalMs, timeoutMs, from }: PlannedProbe,
  kinds: Kinds,
): string {
  const burst = burstIntervalMs === undefined ? '' : `, every ${limitText(burstIntervalMs)} around the fault`;
  const where = from === undefined ? '' : `, from ${from}`;
  const what = oneLine(kinds.probe(kind)?.describe(params) ?? kind);
  return `  ${id.padEnd(24)} every ${limitText(intervalMs)}${burst}, timeout ${limitText(timeoutMs)}${where}: ${what}`;
}

/** The load of probing on the stack and on each host, with advice if it is above a limit. */
function loadLines(plan: Plan, kinds: Kinds): string[] {
  const { base, burst, hosts } = probingLoad(plan, kinds);
  const rows = [
    ['  base rate', loadText(base)],
    ['  burst', loadText(burst)],
    ...hosts.map(({ host, burst: load }) => [`  burst, ${host}`, loadText(load)]),
  ];
  const advice = loadAdvice(plan, kinds).flatMap(({ text, hint }) => [`  note: ${text}`, `  hint: ${hint}`]);
  return ['Load of probing and writing, while the stack answers', ...aligned(rows), ...advice, ''];
}

/** The writers of the drill: their rows and their paths. Empty if no check needs a writer. */
function writerLines({ writers }: Plan, kinds: Kinds): string[] {
  const lines = writers.flatMap(({ id, kind, paths, clients, keep, ...times }) => {
    const found = kinds.writer(kind);
    return [
      `  ${id.padEnd(24)} one row per client every ${limitText(times.intervalMs)}, timeout ${limitText(times.timeoutMs)}; one read every ${limitText(times.readIntervalMs)}`,
      ...paths.flatMap((path) => {
        const texts = found?.describe(path.params);
        return texts === undefined
          ? []
          : [
              `    ${path.id.padEnd(22)} ${clients} clients: ${oneLine(texts.write)}`,
              `    ${''.padEnd(22)} read back by ${oneLine(texts.read)}`,
              `    ${''.padEnd(22)} at the end   ${keep === true ? 'kept' : oneLine(texts.remove)}`,
            ];
      }),
    ];
  });
  return lines.length === 0 ? [] : ['Rows written from the steady state to the end', ...lines, ''];
}

/** The things that exactly one host should own, and the probes that show the owner. Empty if the target has none. */
function ownershipLines({ ownership }: Plan): string[] {
  const lines = Object.entries(ownership).map(([thing, sides]) => {
    const seen = Object.entries(sides).map(
      ([side, { probe, host, is = [] }]) =>
        `${side}: the host whose probe ${host === undefined ? probe : `${probe}@${host}`} is ${is.join(' or ') || 'ok'}`,
    );
    return `  ${thing.padEnd(12)} ${seen.join('; ')}`;
  });
  return lines.length === 0 ? [] : ['Owned by exactly one host', ...lines, ''];
}

/** The predictions of the models for the stages and for the whole drill. Empty without predictions. */
function predictionLines(plan: Plan): string[] {
  const rows = predictDrill(plan, hostAtRisk(plan)).map(({ name, predictions, predicted, why }) => {
    const words = predicted === undefined ? (why ?? 'unknown') : predictedText(predicted);
    const by = predictions === undefined ? '' : ` (${predictions.map(useText).join('; ')})`;
    return [`  ${name}`, `${words}${by}`];
  });
  const time = drillTime(plan);
  const whole =
    time === undefined
      ? []
      : [
          `  The drill takes about ${durationText(time.medianMs)}, in the slow case ${durationText(time.slowMs)}. Preparations, heal, and return are not included.`,
        ];
  return rows.length === 0 ? [] : ['Predicted', ...aligned(rows), ...whole, ''];
}

function useText({ model, steps, from }: Prediction): string {
  const asked = steps === undefined ? model : `${model}: ${steps.join(', ')}`;
  return from === undefined ? asked : `${asked}, from ${from}`;
}

/** A step of the drill: its headline, and the lines below it. */
type Step = readonly [headline: string, ...details: string[]];

function numbered(steps: readonly Step[]): string[] {
  return steps.flatMap(([headline, ...details], i) => [
    `${i + 1}. ${headline}`,
    ...details.map((detail) => `     ${detail}`),
  ]);
}

/** The steps of the drill, in order. */
function stepsOf(plan: Plan, kinds: Kinds): Step[] {
  const { steady, redundancy, recovery } = plan;
  const whole: Step = [
    `Redundancy restored: for ${limitText(redundancy.forMs)}, within ${limitText(redundancy.withinMs)}`,
    ...redundancy.require.map(describeCondition),
  ];
  const healed: Step[] = [
    ['Heal: every fault that is still open, in reverse order'],
    ...(plan.prepare.length === 0 ? [] : [['Undo the preparations, in reverse order'] as const]),
    ...plan.repair.map((step): Step => [
      `Repair: ${step.kind} on ${placeText(plan, step)}`,
      `run           ${textOf(plan, step, kinds).inject}`,
    ]),
  ];
  return [
    ...plan.prepare.map((step): Step => [
      `Prepare: ${step.kind} on ${placeText(plan, step)}`,
      ...actions(plan, step, kinds),
    ]),
    [
      `Steady state: for ${limitText(steady.forMs)}, within ${limitText(steady.withinMs)}`,
      ...steady.require.map(describeCondition),
    ],
    ...plan.faults.map((fault): Step => [
      `Fault ${fault.kind} on ${placeText(plan, fault)}${nameText(plan, fault)}`,
      `when          ${whenText(plan, fault, kinds)}`,
      ...actions(plan, fault, kinds),
    ]),
    [
      `Recovery: ${recovery.probe}${recovery.onFaultHost === true ? " on the fault's host" : ''} good for ${limitText(recovery.stableForMs)}, within ${limitText(recovery.withinMs)}`,
    ],
    ...(recovery.until === 'redundancy' ? [whole, ...healed] : [...healed, whole]),
  ];
}

/** The texts of a step. If its host is fixed, `${host}` and `${address}` are filled in, as they will be when the step runs. */
function textOf(
  { hosts }: Plan,
  { kind, params, on }: PlannedFault,
  kinds: Kinds,
): { inject: string; heal: string; blastRadius: string } {
  const host = 'host' in on ? hosts.find(({ name }) => name === on.host) : undefined;
  const filled = host === undefined ? params : mapStrings(params, (text) => fillPlaceholders(text, host));
  return kinds.fault(kind)?.describe(filled) ?? { inject: '', heal: '', blastRadius: '' };
}

function actions(plan: Plan, step: PlannedFault, kinds: Kinds): string[] {
  const { inject, heal, blastRadius } = textOf(plan, step, kinds);
  return [
    `inject        ${inject}`,
    `heal          ${heal}`,
    ...revertLines(step, kinds),
    ...containerText(plan, step, kinds),
    `blast radius  ${blastRadius}`,
  ];
}

/** The difference if the fault may hit a host that is a container; empty otherwise. */
function containerText(
  { hosts, roles, probes }: Plan,
  { kind, params, on }: PlannedFault,
  kinds: Kinds,
): string[] {
  const text = kinds.fault(kind)?.onContainer?.(params);
  const probe = 'role' in on ? roles[on.role]?.probe : undefined;
  const mayHit = (name: string): boolean =>
    'host' in on ? on.host === name : probes.some((one) => one.name === probe && one.host === name);
  const isContainer = hosts.some(({ name, transport }) => transport.kind === 'docker' && mayHit(name));
  return text !== undefined && isContainer ? [`container     ${text}`] : [];
}

/** How a step is undone if firedrill ends early. Empty for kinds that recover by themselves, or that only a cloud or a Docker engine can undo. */
function revertLines({ kind, params, leaseMs }: PlannedFault, kinds: Kinds): string[] {
  if (kinds.fault(kind)?.undoes?.(params) === false)
    return ['auto-revert   none: it has no `undo`, so neither its host nor the heal undoes it'];
  if (leaseMs === undefined) return [];
  return [
    `auto-revert   a systemd timer on the host undoes it ${limitText(leaseMs)} after firedrill last renewed the lease`,
    '              a host without systemd has no timer, so network faults are refused there; `firedrill doctor` lists such hosts',
  ];
}

/** The fault's id, if the plan has more than one fault. */
function nameText(plan: Plan, fault: PlannedFault): string {
  return plan.faults.length === 1 ? '' : ` (${fault.id})`;
}

/** When a fault begins and when it is healed: `2 s to 12 s (drawn) after the steady state; healed 30 s after its effect`. */
function whenText(plan: Plan, fault: PlannedFault, kinds: Kinds): string {
  const from = fault.after === undefined ? 'the steady state' : `${fault.after} is healed`;
  const { atMs, jitterMs, forMs } = fault;
  const moment =
    jitterMs !== undefined && plan.draw === undefined
      ? `${limitText(atMs)} to ${limitText(atMs + jitterMs)} (to be drawn) after ${from}`
      : atMs === 0
        ? `once ${from === 'the steady state' ? 'the steady state is reached' : from}`
        : `${limitText(atMs)}${jitterMs === undefined ? '' : ' (drawn)'} after ${from}`;
  if (forMs !== undefined) return `${moment}; healed ${limitText(forMs)} after its effect`;
  const hints = kinds.fault(fault.kind)?.healAfter === 'redundancy';
  // Preparations are undone and repairs are done only on a stack without faults, so then the heal comes earlier.
  const left = hints && plan.prepare.length === 0 && plan.repair.length === 0;
  const late = left || plan.recovery.until === 'redundancy';
  return `${moment}; healed after ${late ? 'redundancy is restored' : 'the recovery'}`;
}

function placeText(plan: Plan, { on }: PlannedFault): string {
  if ('host' in on) return `host ${on.host}`;
  if ('fault' in on) return `the host of ${on.fault}`;
  const condition = plan.roles[on.role];
  const role =
    condition === undefined ? 'unknown role' : describeCondition({ ...condition, count: { min: 1, max: 1 } });
  return `the host that is ${on.role} at that moment (${role})`;
}

function transportText(host: PlannedHost): string {
  const server = host.server === undefined ? '' : `, server ${host.server.id} of cloud ${host.server.cloud}`;
  switch (host.transport.kind) {
    case 'local':
      return `this machine${server}`;
    case 'docker':
      return `docker exec ${host.transport.container}${server}`;
    case 'ssh':
      return `${sshWords(host.transport)}${server}`;
    case 'extension':
      return `${host.transport.text}${server}`;
  }
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > 140 ? `${line.slice(0, 137)}...` : line;
}
