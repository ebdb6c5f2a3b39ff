import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { DrillError, ExitCode } from '../../core/errors.ts';
import { fileSlug } from '../../core/names.ts';
import { scenarioName, scenarioText } from '../../init/scenario-text.ts';
import { targetText } from '../../init/target-text.ts';
import { makePlans, openScenario } from '../../scenario/planner.ts';
import { InvalidInput, parseSource } from '../../scenario/source.ts';
import type { TargetInput } from '../../scenario/target-planner.ts';
import { commandName } from '../command-name.ts';
import { type LocalEngine, localEngine } from '../docker-containers.ts';
import { askForStack, type InitOptions } from '../init-questions.ts';
import type { Output } from '../output.ts';
import type { Ask } from '../terminal-ask.ts';
import { schemaText } from './schema.ts';

/**
 * Writes a target, a first scenario, and their schemas for a user's own stack. Both files are planned, as `validate` would do it,
 * before the first one is written.
 * @throws DrillError `invalid-input` for missing or invalid values, `refused` if a file with other content exists
 */
export async function initCommand(
  folder: string,
  { force, ...options }: InitOptions & { readonly force: boolean },
  ask: Ask,
  output: Output,
  engine: LocalEngine = localEngine(),
): Promise<number> {
  const warn = (text: string): void => output.progress(`warning: ${text}`);
  const stack = await askForStack(options, fileSlug(basename(resolve(folder))), { ask, engine, warn });
  const target = join(folder, 'target.yaml');
  const scenario = join(folder, 'scenarios', `${scenarioName(stack)}.yaml`);
  const files = new Map([
    [target, targetText(stack, 'schemas/target.schema.json')],
    [scenario, scenarioText(stack, '../schemas/scenario.schema.json', '../target.yaml')],
    [join(folder, 'schemas', 'target.schema.json'), schemaText('target')],
    [join(folder, 'schemas', 'scenario.schema.json'), schemaText('scenario')],
  ]);
  readAsPlans(inputOf(scenario, files), inputOf(target, files));

  const inTheWay = [...files].filter(([path, text]) => isOther(path, text)).map(([path]) => path);
  if (inTheWay.length > 0 && !force) {
    throw new DrillError('refused', `cannot write ${inTheWay.join(', ')}: the file exists`, {
      hint: 'Name another folder, or pass --force to overwrite.',
    });
  }
  for (const [path, text] of files) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    output.data(`${path}\n`);
  }
  for (const line of nextSteps(target, scenario)) output.progress(line);
  return ExitCode.pass;
}

function nextSteps(target: string, scenario: string): string[] {
  const firedrill = commandName();
  const steps = [
    [
      `${firedrill} doctor --target ${target} ${scenario}`,
      'check this machine, the hosts, and the endpoints; changes nothing',
    ],
    [`${firedrill} watch --target ${target} --for 30s`, 'check that the probes see the state that you know'],
    [`${firedrill} plan ${scenario}`, 'print what the drill would do, command by command'],
    [`${firedrill} run ${scenario}`, 'run the drill'],
  ] as const;
  const width = Math.max(...steps.map(([command]) => command.length));
  return [
    '',
    'Read both files: their comments say what to change. Then run:',
    ...steps.map(([command, words]) => `  ${command.padEnd(width)}   ${words}`),
  ];
}

function inputOf(path: string, files: ReadonlyMap<string, string>): TargetInput {
  const text = files.get(path) ?? '';
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { source: parseSource(path, text), sha256, resolveFile: (file) => file };
}

/** Throws if the answers do not fit together, such as a host name in place of a peer's IP address. */
function readAsPlans(scenario: TargetInput, target: TargetInput): void {
  try {
    makePlans(openScenario(scenario), () => target);
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    const problems = error.problems.map(({ message }) => message).join('; ');
    throw new DrillError(
      'invalid-input',
      `cannot write a valid target and scenario from these values: ${problems}`,
      { cause: error },
    );
  }
}

function isOther(path: string, text: string): boolean {
  return existsSync(path) && readFileSync(path, 'utf8') !== text;
}
