import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createServer } from '../../cloud/catalog.ts';
import { DrillError, ExitCode } from '../../core/errors.ts';
import type { Finding } from '../../core/finding.ts';
import type { DurationMs } from '../../core/time.ts';
import { inspectTarget } from '../../doctor/inspect-target.ts';
import { burstFindings, loadFindings, timeFindings } from '../../doctor/load-findings.ts';
import { folderFinding } from '../../doctor/this-machine.ts';
import { measureBurst } from '../../engine/burst-trial.ts';
import { createSystemClock } from '../../engine/system-clock.ts';
import { createHost } from '../../hosts/catalog.ts';
import { labContext } from '../../lab/lab-context.ts';
import { inspectMachine } from '../../lab/machine.ts';
import { measureSpeed, speedDeps } from '../../lab/machine-speed.ts';
import { loadLab } from '../../lab/manifest.ts';
import { createNameResolver } from '../../resolver/name-resolver.ts';
import { loadAllPlans, loadWatchPlan } from '../inputs.ts';
import { drillFindings } from '../lab-drill.ts';
import type { Output } from '../output.ts';
import { userLedger } from '../run-folder.ts';
import { labStateFolder, stateFolder } from '../state-folder.ts';
import { learnSecrets } from '../secrets.ts';
import { labRoot, stackNames } from './lab.ts';

/** Options of `firedrill doctor`. */
export interface DoctorOptions {
  readonly stack?: string;
  readonly target?: string;
  readonly out: string;
  readonly json: boolean;
  /** Compares the latency at the base rate and in the burst; duration of the measurement at each rate, ms. */
  readonly measureBurst?: number;
}

/**
 * Prints what is missing, with hints: on this machine for `lab up`, or on this machine, the hosts, and the endpoints for
 * drills of a target. Changes nothing. Exit code 5 if something is missing.
 */
export async function doctorCommand(
  scenarios: readonly string[],
  options: DoctorOptions,
  signal: AbortSignal,
  output: Output,
): Promise<number> {
  const { target, stack, out, json, measureBurst: burstMs } = options;
  if (burstMs !== undefined && (target === undefined || scenarios.length === 0)) {
    throw new DrillError('invalid-input', 'doctor: --measure-burst needs a target and a scenario', {
      hint: 'Run `firedrill doctor --target FILE SCENARIO --measure-burst`. It measures the probes of that scenario.',
    });
  }
  const findings = [
    nodeFinding(),
    ...ledgerFindings(),
    folderFinding('state folder', stateFolder()),
    folderFinding('runs', resolve(out)),
    ...(target === undefined
      ? await labFindings(scenarios, stack, signal)
      : await targetFindings(target, scenarios, burstMs, signal)),
  ];
  if (json) output.data(`${JSON.stringify({ findings }, null, 2)}\n`);
  else output.text(findingsText(findings));
  return findings.some((finding) => finding.status === 'fail') ? ExitCode.refused : ExitCode.pass;
}

/** Findings on this machine for the lab. */
async function labFindings(
  scenarios: readonly string[],
  stack: string | undefined,
  signal: AbortSignal,
): Promise<Finding[]> {
  if (scenarios.length > 0) {
    throw new DrillError('invalid-input', 'doctor: scenarios need --target', {
      hint: 'Pass --target FILE with the target of these scenarios.',
    });
  }
  const context = labContext(signal, () => undefined);
  const findings: Finding[] = [];
  const speed = await measureSpeed(speedDeps(context));
  for (const name of stack === undefined ? stackNames() : [stack]) {
    const lab = await loadLab(labRoot, name, labStateFolder());
    for (const finding of await inspectMachine(context, lab.manifest, speed)) {
      // A finding that is the same for all stacks is listed once.
      if (!findings.some((known) => known.name === finding.name && known.observed === finding.observed)) {
        findings.push(finding);
      }
    }
    findings.push(...drillFindings(lab));
  }
  return findings;
}

async function targetFindings(
  target: string,
  scenarios: readonly string[],
  burstMs: DurationMs | undefined,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const plan = loadWatchPlan(target);
  const plans = scenarios.length === 0 ? [] : loadAllPlans(scenarios, { target });
  learnSecrets(plan);
  const clock = createSystemClock();
  const findings = await inspectTarget(plan, plans, {
    createHost,
    createServer,
    clock,
    signal,
    readText: (path) => readFile(path, 'utf8'),
    resolveName: createNameResolver(),
    env: (name) => process.env[name],
  });
  const loads = [...loadFindings(plan, plans), ...timeFindings(plans)];
  if (burstMs === undefined) return [...findings, ...loads];
  const probes = [...new Map(plans.flatMap((drill) => drill.probes.map((p) => [p.id, p]))).values()];
  const effects = await measureBurst({ ...plan, probes }, burstMs, { clock, createHost }, signal);
  return [...findings, ...loads, ...burstFindings(effects)];
}

const marks = { ok: 'ok  ', info: 'info', warn: 'warn', fail: 'FAIL' } as const;

function findingsText(findings: readonly Finding[]): string {
  const width = Math.min(30, Math.max(18, ...findings.map(({ name }) => name.length)));
  return findings
    .map(
      ({ name, status, observed, hint }) =>
        `${marks[status]} ${name.padEnd(width)} ${observed}\n${hint === undefined || status === 'ok' ? '' : `     hint: ${hint}\n`}`,
    )
    .join('');
}

function nodeFinding(): Finding {
  return { name: 'Node.js', status: 'ok', observed: process.versions.node };
}

function ledgerFindings(): Finding[] {
  const ledger = userLedger();
  const open = ledger.list();
  const name = 'open faults';
  const findings = ledger
    .unreadable()
    .map(({ message, hint }): Finding => ({ name, status: 'fail', observed: message, hint }));
  if (open.length > 0)
    findings.push({ name, status: 'fail', observed: String(open.length), hint: 'Run `firedrill heal`.' });
  return findings.length === 0 ? [{ name, status: 'ok', observed: 'none' }] : findings;
}
