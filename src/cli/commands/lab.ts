import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { DrillError, ExitCode } from '../../core/errors.ts';
import { durationText, limitText } from '../../core/format-duration.ts';
import { createSystemClock } from '../../engine/system-clock.ts';
import { awaitGate } from '../../engine/watch.ts';
import { createHost } from '../../hosts/catalog.ts';
import { packageRoot } from '../../installation.ts';
import { labContext, type LabContext } from '../../lab/lab-context.ts';
import { labDown } from '../../lab/virtual-machines.ts';
import { labLogs, labSsh } from '../../lab/lab-shell.ts';
import { labStatus } from '../../lab/lab-status.ts';
import { labBuild, labUp } from '../../lab/lab-up.ts';
import { type Lab, loadLab } from '../../lab/manifest.ts';
import { loadWatchPlan } from '../inputs.ts';
import { labStateFolder } from '../state-folder.ts';
import { drillFindings } from '../lab-drill.ts';
import { labReporter } from '../live/lab-reporter.ts';
import type { Output } from '../output.ts';
import { learnSecrets } from '../secrets.ts';
import { addVariable } from '../option-values.ts';
import { RepeatableOption } from '../repeatable-option.ts';
import type { Stop } from '../stop.ts';

/** Folder of the lab's stacks, next to src. */
export const labRoot = join(packageRoot, 'compose-lab');

/** `firedrill lab ...`: starts, stops, and inspects the local lab. */
export function labCommands(stop: Stop, output: Output, done: (code: number) => void): Command {
  const lab = new Command('lab')
    .description('manage the local lab: real daemons in containers that act as VMs')
    .enablePositionalOptions()
    .exitOverride();
  const stack = (): Option =>
    new Option('--stack <name>', 'stack of the lab').choices(stackNames()).makeOptionMandatory(true);
  const color = (): Option =>
    new Option('--no-color', 'disable colors in the live view; NO_COLOR has the same effect');
  const context = (): LabContext => labContext(stop.signal, labReporter(output));

  lab
    .command('up')
    .description('start the stack from any present state, and wait for its steady state')
    .addOption(stack())
    .addOption(
      new RepeatableOption(
        '--set <name=value>',
        'change a setting of the stack (see lab.yaml), such as timings=fast',
      )
        .argParser(addVariable)
        .default({}, 'none'),
    )
    .option('--no-wait', 'do not wait for the steady state')
    .addOption(color())
    .action(async (options: { stack: string; set: Record<string, string>; wait: boolean }) => {
      done(await up(context(), options, output));
    });

  lab
    .command('build')
    .description('prepare the Docker engine and the images for `lab up`; starts nothing')
    .addOption(stack())
    .addOption(color())
    .action(async (options: { stack: string }) => {
      const elapsedMs = await labBuild(context(), await labNamed(options.stack));
      output.progress(
        `lab ${options.stack} is built after ${durationText(elapsedMs)}; start it with \`firedrill lab up --stack ${options.stack}\``,
      );
    });

  lab
    .command('down')
    .description('stop and remove the VMs; keep their volumes')
    .addOption(stack())
    .option('--volumes', 'also remove the volumes: databases and loaded images', false)
    .addOption(color())
    .action(async (options: { stack: string; volumes: boolean }) => {
      await labDown(context(), await labNamed(options.stack), { volumes: options.volumes });
    });

  lab
    .command('status')
    .description('list the VMs and containers of the lab')
    .addOption(stack())
    .option('--json', 'print JSON', false)
    .action(async (options: { stack: string; json: boolean }) => {
      const vms = await labStatus(context(), await labNamed(options.stack));
      if (options.json) output.data(`${JSON.stringify({ vms }, null, 2)}\n`);
      else {
        for (const vm of vms) {
          output.text(`${vm.name.padEnd(10)} ${vm.address.padEnd(15)} ${vm.power} ${vm.system ?? ''}\n`);
          for (const inner of vm.containers) output.text(`  ${inner.name.padEnd(26)} ${inner.status}\n`);
        }
      }
      done(vms.every((vm) => vm.power === 'running') ? ExitCode.pass : ExitCode.inconclusive);
    });

  lab
    .command('logs')
    .description("print a VM's journal")
    .argument('<vm>')
    .addOption(stack())
    .option('--unit <unit>', 'only of this systemd unit')
    .option('--container <name>', 'only of this container in the VM')
    .option('-n, --lines <n>', 'number of lines', wholeNumber, 100)
    .option('-f, --follow', 'follow new lines until interrupted', false)
    .action(
      async (
        vm: string,
        options: { stack: string; unit?: string; container?: string; lines: number; follow: boolean },
      ) => {
        done(await labLogs(context(), await labNamed(options.stack), vm, options));
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
      // `lab ssh VM -- COMMAND`: the dashes end firedrill's own options.
      const argv = command[0] === '--' ? command.slice(1) : command;
      done(await labSsh(context(), await labNamed(options.stack), vm, argv));
    });

  for (const command of lab.commands) command.exitOverride();
  return lab;
}

function labNamed(stack: string): Promise<Lab> {
  return loadLab(labRoot, stack, labStateFolder());
}

/** Names of the stacks that have a manifest. */
export function stackNames(): string[] {
  return readdirSync(labRoot, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(labRoot, entry.name, 'lab.yaml')))
    .map((entry) => entry.name)
    .sort();
}

/** How long the steady state must hold if `lab up` changed nothing, ms. */
const untouchedHoldMs = 1000;

async function up(
  context: LabContext,
  options: { stack: string; set: Readonly<Record<string, string>>; wait: boolean },
  output: Output,
): Promise<number> {
  const lab = await labNamed(options.stack);
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
  const startedMs = clock.nowMs();
  const { forMs } = plan.steady;
  // An unchanged stack was steady before, so a short hold is enough.
  const hold = { ...plan.steady, forMs: result.changed ? forMs : Math.min(forMs, untouchedHoldMs) };
  const gate = await awaitGate(plan, hold, { clock, createHost }, context.signal);
  if (!gate.met) {
    throw new DrillError(
      'lab',
      `the lab is up, but not steady within ${limitText(plan.steady.withinMs)}: ${gate.unmet.join('; ')}`,
      {
        hint: `Check it with \`firedrill lab status --stack ${options.stack}\` and \`firedrill lab logs VM --stack ${options.stack}\`.`,
      },
    );
  }
  const elapsedMs = clock.nowMs() - startedMs;
  context.report({ step: 'steady', state: 'done', text: 'steady state reached', elapsedMs });
  output.progress(
    `lab ${options.stack} is up and steady after ${durationText(result.elapsedMs + elapsedMs)}`,
  );
  return ExitCode.pass;
}

function wholeNumber(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0)
    throw new InvalidArgumentError('expected a whole number, 0 or more');
  return number;
}
