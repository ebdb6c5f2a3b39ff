import { limitText } from '../core/format-duration.ts';
import type { Plan } from '../core/plan.ts';
import { slowestPeriod } from '../model/chain.ts';
import { type CheckInput, planCheck } from './check-schema.ts';
import { checkDecidable } from './decidable-limits.ts';
import { defaults } from './defaults.ts';
import { hostsHitBy, planSteps } from './fault-planner.ts';
import { parseWith } from './problems.ts';
import { suggest } from './suggest.ts';
import {
  checkChecks,
  checkConditions,
  checkRecoveryProbe,
  checkPredicted,
  checkPredictedHosts,
  checkStages,
  probeNames,
  type Known,
  type Report,
} from './references.ts';
import { checkFirstRoles } from './role-match.ts';
import { scenarioSchema, scenarioSchemaOf, type Scenario } from './scenario-schema.ts';
import { InvalidInput, type Problem, type Source } from './source.ts';
import { planPredicted, planStage } from './stage-schema.ts';
import { kindsOf, planTarget, type Input, type TargetInput } from './target-planner.ts';
import { withUsedProbes } from './used-probes.ts';
import {
  combinationsOf,
  compositionOf,
  nameSuffix,
  titleSuffix,
  type Combination,
  type Composition,
} from './variables.ts';

/** A scenario file with its variables and matrix. */
export interface ScenarioInput extends Input {
  readonly composition: Composition;
}

/** Reads the variables and the matrix of a scenario file. @throws InvalidInput */
export function openScenario(input: Input): ScenarioInput {
  return { ...input, composition: compositionOf(input.source) };
}

/** Command-line options that affect plans. */
export interface PlanOptions {
  /** Values of variables by name. */
  readonly overrides?: Readonly<Record<string, string>>;
  /** Runs every probe of the target, even if the drill does not use it. */
  readonly allProbes?: boolean;
}

/**
 * Makes the plans of a scenario's drills: one per combination of its matrix, or one without a matrix. Jitter is not
 * applied yet: see `drawJitter`.
 *
 * @param targetFor returns the target; its argument is the target file that the scenario names, if any
 * @throws InvalidInput for problems in either file; DrillError `invalid-input` for an invalid override
 */
export function makePlans(
  scenario: ScenarioInput,
  targetFor: (named: string | undefined) => TargetInput,
  { overrides = {}, allProbes = false }: PlanOptions = {},
): Plan[] {
  return combinationsOf(scenario.source, scenario.composition, overrides).map((combination) => {
    const { parsed, target } = parseScenario(combination.source, targetFor);
    const plan = makePlan(parsed, combination, scenario.sha256, target);
    return withUsedProbes(plan, allProbes);
  });
}

/**
 * Parses a scenario with the kinds of its target, so the target is read first. If that fails because the scenario names
 * no usable target, its own problems are reported.
 */
function parseScenario(
  source: Source,
  targetFor: (named: string | undefined) => TargetInput,
): { readonly parsed: Scenario; readonly target: TargetInput } {
  const named: unknown = Reflect.get(Object(source.value), 'target');
  if (named === undefined || (typeof named === 'string' && named !== '')) {
    let target: TargetInput;
    try {
      target = targetFor(named);
    } catch (error) {
      // Without a target file there are only built-in kinds.
      if (!(error instanceof InvalidInput)) parseWith(source, scenarioSchema);
      throw error;
    }
    return { parsed: parseWith(source, scenarioSchemaOf(kindsOf(target))), target };
  }
  const parsed = parseWith(source, scenarioSchema);
  return { parsed, target: targetFor(parsed.target) };
}

function makePlan(
  scenario: Scenario,
  { source, values, matrix }: Combination,
  sha256: string,
  targetInput: TargetInput,
): Plan {
  const target = planTarget(targetInput);
  const kinds = kindsOf(targetInput);
  const known = { ...target, kinds };
  const problems: Problem[] = [];
  const report: Report = (path, message) => {
    problems.push(source.at(path, message));
  };
  const { steady, redundancy } = scenario;
  const stages = scenario.stages?.map(planStage) ?? target.stages;
  const predicted = redundancy?.predicted === undefined ? undefined : planPredicted(redundancy.predicted);
  const slowestPeriodMs = slowestPeriod(target.models, [...stages.map((s) => s.predicted), predicted]);
  const steps = planSteps(scenario, source, { ...known, slowestPeriodMs }, report);
  const recovery = planRecovery(scenario, steps.faults, known, report);
  if (recovery.until !== undefined) {
    for (const { kind, forMs } of steps.faults) {
      if (kinds.fault(kind)?.healAfter !== 'recovery' || forMs !== undefined) continue;
      report(
        ['recovery', 'until'],
        `until: without \`for\`, ${kind} stays active until the recovery, so redundancy cannot be restored; give the fault a \`for\``,
      );
    }
  }
  checkConditions(steady?.require ?? [], known, ['steady', 'require'], report);
  if (problems.length === 0)
    checkFirstRoles(steps.faults, [...target.steady.require, ...(steady?.require ?? [])], known, report);
  checkConditions(redundancy?.require ?? [], known, ['redundancy', 'require'], report);
  checkStages(scenario.stages ?? [], known, ['stages'], report);
  checkStages(scenario.returnStages ?? [], known, ['returnStages'], report);
  checkPredictedHosts(scenario.stages ?? [], steps.faults[0], known, ['stages'], report);
  checkPredictedHosts(scenario.returnStages ?? [], steps.faults[0], known, ['returnStages'], report);
  if (predicted !== undefined) {
    const names = stages.map(({ name }) => name);
    checkPredicted(predicted, names, known, ['redundancy', 'predicted'], report);
  }
  checkChecks(scenario.checks, known, report);
  checkDecidable(scenario.checks, scenario.recovery.probe, known, report);
  checkLimits(scenario, shorter(target.limits, scenario.limits), report);
  if (problems.length > 0) throw new InvalidInput(source.path, problems);

  return {
    ...target,
    scenario: {
      name: `${scenario.name}${nameSuffix(matrix)}`,
      title: `${scenario.title}${titleSuffix(matrix)}`,
      path: source.path,
      sha256,
      variables: values,
      text: source.text,
    },
    ...steps,
    writers: target.writers.filter(({ id }) => writersAsked(scenario).has(id)),
    steady: {
      require: [...target.steady.require, ...(steady?.require ?? [])],
      forMs: steady?.for ?? target.steady.forMs,
      withinMs: steady?.within ?? target.steady.withinMs,
    },
    limits: shorter(target.limits, scenario.limits),
    ...(scenario.leavesNoHealthyNode === true ? { leavesNoHealthyNode: true } : {}),
    recovery,
    redundancy: {
      require: redundancy?.require ?? target.steady.require,
      forMs: redundancy?.for ?? defaults.redundancyForMs,
      withinMs: redundancy?.within ?? defaults.redundancyWithinMs,
      ...(predicted === undefined ? {} : { predicted }),
    },
    checks: scenario.checks.map(planCheck),
    stages,
    returnStages: scenario.returnStages?.map(planStage) ?? target.returnStages,
  };
}

/** Checks that no fault's `for` exceeds the limit. */
function checkLimits({ faults }: Scenario, { faultMs }: Plan['limits'], report: Report): void {
  for (const [i, { for: forMs }] of faults.entries()) {
    if (forMs === undefined || forMs <= faultMs) continue;
    report(['faults', i, 'for'], `for: must be at most ${limitText(faultMs)} (\`limits.fault\`)`);
  }
}

/** The limits of the drill: for each, the shorter of target and scenario. */
function shorter(target: Plan['limits'], own: Scenario['limits']): Plan['limits'] {
  const outageMs = Math.min(target.outageMs ?? Infinity, own?.outage ?? Infinity);
  return {
    faultMs: Math.min(target.faultMs, own?.fault ?? Infinity),
    ...(outageMs === Infinity ? {} : { outageMs }),
  };
}

const writerChecks: ReadonlySet<string> = new Set<CheckInput['kind']>([
  'rpo',
  'rows',
  'stale-reads',
  'write-outage',
  'read-outage',
]);

/** Ids of the writers that checks name. */
function writersAsked({ checks }: Scenario): ReadonlySet<string> {
  return new Set(
    checks.flatMap((check) => (writerChecks.has(check.kind) && 'of' in check ? [check.of] : [])),
  );
}

/** Checks that every host that the first fault may hit has an instance of the recovery probe. */
function checkOnFaultHost(
  instances: Plan['probes'],
  faults: Plan['faults'],
  known: Known,
  report: Report,
): void {
  const [first] = faults;
  const hosts = first === undefined ? [] : hostsHitBy(first, faults, known);
  const without = hosts.filter(({ name }) => !instances.some(({ host }) => host === name));
  if (first === undefined || without.length === 0) return;
  const names = without.map(({ name }) => `"${name}"`).join(', ');
  report(
    ['recovery', 'onFaultHost'],
    `onFaultHost: probe "${instances[0]?.name ?? ''}" has no instance on ${names}, which fault "${first.id}" may hit; add ${names} to the probe's \`on\` in the target`,
  );
}

function planRecovery(
  { recovery }: Scenario,
  faults: Plan['faults'],
  known: Known,
  report: Report,
): Plan['recovery'] {
  const instances = known.probes.filter((probe) => probe.name === recovery.probe);
  const [probe] = instances;
  if (probe === undefined) {
    const hint = suggest(recovery.probe, probeNames(known));
    report(['recovery', 'probe'], `the target has no probe "${recovery.probe}"${hint}`);
  } else if (recovery.onFaultHost === true) {
    if (probe.host === undefined) {
      report(
        ['recovery', 'onFaultHost'],
        `onFaultHost: probe "${probe.name}" belongs to no host; give it \`on\` in the target`,
      );
    } else checkOnFaultHost(instances, faults, known, report);
  } else if (instances.length > 1) {
    const message = `probe "${probe.name}" has ${instances.length} instances, but the outage needs one; name a probe with one instance, or set \`onFaultHost: true\``;
    report(['recovery', 'probe'], message);
  }
  checkRecoveryProbe(probe, recovery.keptConnection, known, report);
  const intervalMs = probe?.intervalMs ?? defaults.intervalMs;
  return {
    probe: recovery.probe,
    ...(recovery.onFaultHost === undefined ? {} : { onFaultHost: recovery.onFaultHost }),
    ...(recovery.keptConnection === undefined ? {} : { keptConnection: recovery.keptConnection }),
    withinMs: recovery.within,
    ...(recovery.until === undefined ? {} : { until: recovery.until }),
    stableForMs: recovery.stableFor ?? Math.max(5 * intervalMs, 5000),
    ...(recovery.quietFor === undefined ? {} : { quietForMs: recovery.quietFor }),
  };
}
