import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { DrillError, ExitCode } from '../../core/errors.ts';
import { durationWords, limitWords } from '../../core/format-duration.ts';
import { createSystemClock } from '../../engine/system-clock.ts';
import { awaitGate } from '../../engine/watch.ts';
import { createHost } from '../../hosts/catalog.ts';
import { labContext, type LabContext } from '../../lab/lab-context.ts';
import { labDown } from '../../lab/lab-down.ts';
import { labLogs, labSsh } from '../../lab/lab-shell.ts';
import { labStatus } from '../../lab/lab-status.ts';
import { labBuild, labUp } from '../../lab/lab-up.ts';
import { loadLab } from '../../lab/manifest.ts';
import { loadWatchPlan } from '../inputs.ts';
import { drillFindings } from '../lab-drill.ts';
import { labReporter } from '../live/lab-reporter.ts';
import type { Output } from '../output.ts';
import { learnSecrets } from '../secrets.ts';
import { addVariable } from '../option-values.ts';
import type { Stop } from '../stop.ts';

/** Folder of the lab's stacks, beside src. */
export const labRoot = resolve(import.meta.dirname, '../../../compose-lab');

/** `firedrill lab ...`: the local lab, up and down and looked into. */
export function labCommands(stop: Stop, output: Output, done: (code: number) => void): Command {
  const lab = new Command('lab')
    .description('the local lab: real daemons in containers that behave as VMs')
    .enablePositionalOptions()
    .exitOverride();
  const stack = (): Option =>
    new Option('--stack <name>', 'which stack').choices(stackNames()).makeOptionMandatory(true);
  const color = (): Option => new Option('--no-color', 'no colours in the live view; so does NO_COLOR');
  const context = (): LabContext => labContext(stop.signal, labReporter(output));

  lab
    .command('up')
    .description('bring the stack up from whatever there is, and wait for its steady state')
    .addOption(stack())
    .option(
      '--set <name=value>',
      'a setting of the stack (lab.yaml), such as timings=fast; may be given several times',
      addVariable,
      {},
    )
    .option('--no-wait', 'do not wait for the steady state')
    .addOption(color())
    .action(async (options: { stack: string; set: Record<string, string>; wait: boolean }) => {
      done(await up(context(), options, output));
    });

  lab
    .command('build')
    .description('get engine and images ready for `lab up`, and start nothing')
    .addOption(stack())
    .addOption(color())
    .action(async (options: { stack: string }) => {
      const elapsedMs = await labBuild(context(), await loadLab(labRoot, options.stack));
      output.progress(`lab ${options.stack} is ready to be started after ${durationWords(elapsedMs)}`);
    });

  lab
    .command('down')
    .description('switch the VMs off and remove them; their volumes stay')
    .addOption(stack())
    .option('--volumes', 'remove their volumes, too: databases and loaded images', false)
    .addOption(color())
    .action(async (options: { stack: string; volumes: boolean }) => {
      await labDown(context(), await loadLab(labRoot, options.stack), { volumes: options.volumes });
    });

  lab
    .command('status')
    .description('what runs in the lab')
    .addOption(stack())
    .option('--json', 'as JSON', false)
    .action(async (options: { stack: string; json: boolean }) => {
      const vms = await labStatus(context(), await loadLab(labRoot, options.stack));
      if (options.json) output.data(`${JSON.stringify({ vms }, null, 2)}\n`);
      else {
        for (const vm of vms) {
          output.data(`${vm.name.padEnd(10)} ${vm.address.padEnd(15)} ${vm.power} ${vm.system ?? ''}\n`);
          for (const inner of vm.containers) output.data(`  ${inner.name.padEnd(26)} ${inner.status}\n`);
        }
      }
      done(vms.every((vm) => vm.power === 'running') ? ExitCode.pass : ExitCode.inconclusive);
    });

  lab
    .command('logs')
    .description("show a VM's journal")
    .argument('<vm>')
    .addOption(stack())
    .option('--unit <unit>', 'of one systemd unit')
    .option('--container <name>', 'of one inner container')
    .option('-n, --lines <n>', 'how many lines', wholeNumber, 100)
    .option('-f, --follow', 'go on as lines come', false)
    .action(
      async (
        vm: string,
        options: { stack: string; unit?: string; container?: string; lines: number; follow: boolean },
      ) => {
        done(await labLogs(context(), await loadLab(labRoot, options.stack), vm, options));
      },
    );

  lab
    .command('ssh')
    .description('open a shell in a VM, or run a command there')
    .argument('<vm>')
    .argument('[command...]')
    .addOption(stack())
    .passThroughOptions()
    .action(async (vm: string, command: string[], options: { stack: string }) => {
      // `ssh VM -- COMMAND`: the dashes were for us.
      const argv = command[0] === '--' ? command.slice(1) : command;
      done(await labSsh(context(), await loadLab(labRoot, options.stack), vm, argv));
    });

  for (const command of lab.commands) command.exitOverride();
  return lab;
}

/** Stacks that have a manifest. */
export function stackNames(): string[] {
  return readdirSync(labRoot, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(labRoot, entry.name, 'lab.yaml')))
    .map((entry) => entry.name)
    .sort();
}

/** How long the steady state has to hold where `lab up` changed nothing. */
const untouchedHoldMs = 1000;

async function up(
  context: LabContext,
  options: { stack: string; set: Readonly<Record<string, string>>; wait: boolean },
  output: Output,
): Promise<number> {
  const lab = await loadLab(labRoot, options.stack);
  for (const { name, observed } of drillFindings(lab, {
    settingsChanged: Object.keys(options.set).length > 0,
  })) {
    context.report({ step: 'drill', state: 'info', text: `${name}: ${observed}` });
  }
  const result = await labUp(context, lab, { settings: options.set });
  if (!options.wait) return ExitCode.pass;

  const target = join(lab.stackDir, 'target.yaml');
  const plan = loadWatchPlan(target);
  learnSecrets(plan);
  const limitMs = plan.steady.withinMs;
  context.report({ step: 'steady', state: 'start', text: 'waiting for the steady state', limitMs });
  const clock = createSystemClock();
  const { forMs } = plan.steady;
  // What was not touched has proved itself before: it is seen to be steady, and not made to prove it again.
  const hold = { ...plan.steady, forMs: result.changed ? forMs : Math.min(forMs, untouchedHoldMs) };
  const gate = await awaitGate(plan, hold, { clock, createHost }, context.signal);
  if (!gate.met) {
    throw new DrillError(
      'lab',
      `the lab is up, but not steady within ${limitWords(plan.steady.withinMs)}: ${gate.unmet.join('; ')}`,
      {
        mend: `Look with \`firedrill lab status --stack ${options.stack}\` and \`firedrill lab logs\`.`,
      },
    );
  }
  context.report({ step: 'steady', state: 'done', text: 'steady state reached', elapsedMs: clock.nowMs() });
  output.progress(
    `lab ${options.stack} is up and steady after ${durationWords(result.elapsedMs + clock.nowMs())}`,
  );
  return ExitCode.pass;
}

function wholeNumber(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0) throw new InvalidArgumentError('expected a whole number');
  return number;
}
