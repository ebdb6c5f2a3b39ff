import { Argument, Command, CommanderError, Option } from 'commander';
import { defaultTolerance, toleranceText } from '../analysis/tolerance.ts';
import { DrillError, ExitCode, exitCodeOf } from '../core/errors.ts';
import { candidatesText, completeCommand, completionScript, shells } from './commands/completion.ts';
import { doctorCommand, type DoctorOptions } from './commands/doctor.ts';
import { forgetCommand, healCommand, openFaultNames, statusCommand } from './commands/heal.ts';
import { initDefinition } from './commands/init-definition.ts';
import { keptDefinitions } from './commands/kept-definitions.ts';
import { labCommands, stackNames } from './commands/lab.ts';
import { modelCommand, type ModelOptions } from './commands/model.ts';
import { runCommand, type RunOptions } from './commands/run.ts';
import { schemaNames, schemaTextFor } from './commands/schema.ts';
import { tableCommand, type TableOptions } from './commands/table.ts';
import { watchCommand } from './commands/watch.ts';
import { testExtensionCommand, type TestExtensionOptions } from './commands/test-extension.ts';
import { commandName } from './command-name.ts';
import { completeWords } from './complete-words.ts';
import { type FileKind, fileKinds, loadWatchPlan } from './inputs.ts';
import {
  addVariable,
  labelText,
  positiveInteger,
  shardOf,
  shortDuration,
  toleranceOf,
  trialCount,
  wholeNumber,
} from './option-values.ts';
import { openOutput, type Output, type ProcessOutput, printError } from './output.ts';
import { kindsFor } from '../extension/load.ts';
import { plansText } from './plan-text.ts';
import { reporterNames } from './reporter-names.ts';
import { RepeatableOption } from './repeatable-option.ts';
import { exitCodeAfter } from './reporting.ts';
import { writeReports } from './run-folder.ts';
import { setStateFolder } from './state-folder.ts';
import { listenForStop, type Stop } from './stop.ts';
import { scenarioNames, suiteNames } from './scenario-names.ts';
import { filesNamed, loadPlansAndSuites } from './suite.ts';
import { isTableFolder, rewriteTable } from './table-folder.ts';
import { versions } from './versions.ts';
import { cannotWrite, isDiskError } from '../engine/disk.ts';
import { renderTableText } from '../report/table-text.ts';
import { renderVerdictText } from '../report/verdict-text.ts';
import { reporterKinds } from '../reporters/catalog.ts';
import { drawJitter } from '../scenario/jitter.ts';

/** Runs the command line and returns the exit code. `argv` is without node and script. */
export async function main(argv: readonly string[]): Promise<number> {
  const output = openOutput();
  const exitCode = await run(argv, output);
  const lost = await output.end();
  if (lost === undefined) return exitCode;
  printError(lost, output);
  return exitCode === ExitCode.pass ? exitCodeOf(lost.code) : exitCode;
}

async function run(argv: readonly string[], output: ProcessOutput): Promise<number> {
  let exitCode: number = ExitCode.pass;
  const stop = listenForStop((line) => output.progress(line));
  try {
    const program = buildProgram(stop, output, (code) => {
      exitCode = code;
    });
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    return report(error, stop, output);
  } finally {
    stop.dispose();
  }
}

/** Options that decide whether progress is a live view. */
interface GoLiveOptions {
  readonly color?: boolean;
  readonly json?: boolean;
  readonly reporter?: readonly string[];
}

/** The commands and their options. */
export function buildProgram(stop: Stop, output: ProcessOutput, done: (code: number) => void): Command {
  const program = new Command(commandName())
    .description(
      'Run chaos and failover drills on two-node active-passive stacks: inject a fault, measure the outage from outside, heal, and report.',
    )
    .version(versions().firedrill)
    .showSuggestionAfterError()
    .addOption(stateDir())
    .enablePositionalOptions()
    .exitOverride()
    .hook('preAction', async (_program, command) => {
      const { stateDir } = command.optsWithGlobals<{ readonly stateDir?: string }>();
      if (stateDir !== undefined) setStateFolder(stateDir);
      const { color, json, reporter = [] } = command.opts<GoLiveOptions>();
      // Only long-running commands have --no-color, and only they get a live view.
      if (color === undefined) return;
      const names = reporter.flatMap((text) => text.split(','));
      const isData = ({ name, stdout }: (typeof reporterKinds)[number]): boolean =>
        stdout === true && name !== 'list' && names.includes(name);
      // A reporter of an extension may print data, too.
      const isOfExtension = (name: string): boolean => /^[a-z0-9-]+\.[a-z0-9.-]+(?:=|$)/.test(name);
      await output.goLive({
        color,
        json: json === true || reporterKinds.some(isData) || names.some(isOfExtension),
      });
    });

  const target = new Option('--target <file>', 'target file (default: the one that the scenario names)');
  const watched = new Option('--target <file>', 'target file');
  const out = new Option('--out <folder>', 'folder of runs').default('reports');
  const variable = new RepeatableOption('--var <name=value>', 'set a scenario variable')
    .argParser(addVariable)
    .default({}, 'none');
  const allProbes = new Option(
    '--all-probes',
    'run every probe of the target, even if the drill does not use it',
  ).default(false);
  const production = new Option(
    '--allow-production',
    'allow drills of a target whose environment is `production`',
  ).default(false);
  const confirm = new Option(
    '--confirm <name>',
    'confirm a production target by its name, for use without a terminal',
  );
  const reporter = new RepeatableOption(
    '--reporter <name[=value],...>',
    'send progress and results to these reporters, or to those of extensions of the target',
    reporterKinds.map(({ name }) => name),
  )
    .argParser((value: string, before: readonly string[]) => [...before, value])
    .default([], 'list');
  const color = new Option('--no-color', 'disable colors in the live view; NO_COLOR has the same effect');
  const seed = new Option(
    '--seed <n>',
    'seed of the fault times, for faults with a jitter (default: random)',
  ).argParser(wholeNumber);
  const label = new Option(
    '--label <name>',
    'record this name of the release under test with the run',
  ).argParser(labelText);
  const shard = new Option(
    '--shard <i/n>',
    'run only part i of n; faults with a jitter need the same --seed in every part',
  ).argParser(shardOf);
  const baseline = new Option(
    '--baseline <path|label>',
    'compare with these earlier runs, and exit with 1 on a regression beyond chance and the tolerance; needs at least 4 nights on each side; earlier runs below --out with the same --label count as nights of the new runs',
  );
  const tolerance = new Option('--tolerance <10%|2s>', 'ignore regressions smaller than this')
    .argParser(toleranceOf)
    .default(defaultTolerance, toleranceText(defaultTolerance));

  program
    .command('run')
    .description('run drills: steady state, fault, recovery, heal, verdict')
    .argument('<scenario...>', 'scenario files, folders of them, or names such as certlocker/postgres-crash')
    .addOption(target)
    .addOption(out)
    .option(
      '--json',
      'print each event and each summary as a line of JSON; same as `--reporter events`',
      false,
    )
    .addOption(reporter)
    .option('--repeat <n>', 'number of runs of each scenario', positiveInteger, 1)
    .addOption(variable)
    .addOption(allProbes)
    .addOption(seed)
    .addOption(label)
    .addOption(shard)
    .addOption(baseline)
    .addOption(tolerance)
    .addOption(production)
    .addOption(confirm)
    .addOption(color)
    .action(async (scenarios: string[], options: RunOptions) => {
      done(await runCommand(scenarios, options, stop, output));
    });

  program
    .command('table')
    .description('run every row of a suite and print the failure table')
    .argument('<suite>', 'suite file, or the name of a folder in scenarios that has a suite.yaml')
    .addOption(target)
    .addOption(out)
    .option('--json', 'print each event and the table as lines of JSON; same as `--reporter events`', false)
    .addOption(reporter)
    .option('--repeat <n>', 'number of runs of each drill', positiveInteger, 1)
    .option('--grep <regex>', 'run only drills whose row number, failure, or name matches')
    .addOption(variable)
    .addOption(allProbes)
    .addOption(seed)
    .addOption(label)
    .addOption(shard)
    .addOption(baseline)
    .addOption(tolerance)
    .addOption(production)
    .addOption(confirm)
    .addOption(color)
    .action(async (suite: string, options: TableOptions) => {
      done(await tableCommand(suite, options, stop, output));
    });

  program
    .command('plan')
    .description('print each command and the blast radius of drills; changes nothing')
    .argument('<scenario...>', 'scenario or suite files, folders of them, or their names')
    .addOption(target)
    .option('--json', 'print the plans as JSON', false)
    .addOption(variable)
    .addOption(allProbes)
    .option(
      '--seed <n>',
      'draw the times of faults with a jitter from this seed (default: print the range of each)',
      wholeNumber,
    )
    .action(
      (scenarios: string[], options: Pick<RunOptions, 'target' | 'json' | 'var' | 'seed' | 'allProbes'>) => {
        const { target, var: variables, seed, allProbes } = options;
        const loaded = loadPlansAndSuites(filesNamed(scenarios), { target, variables, allProbes });
        const plans = seed === undefined ? loaded : loaded.map((plan) => drawJitter(plan, seed, 0));
        if (options.json) output.data(`${JSON.stringify(plans, null, 2)}\n`);
        else output.text(plansText(plans, kindsFor));
      },
    );

  program
    .command('model')
    .description("predict the stages and the RTO from the settings of the target's models; changes nothing")
    .argument('<scenario...>', 'scenario files, folders of them, or names such as certlocker/postgres-crash')
    .addOption(target)
    .addOption(
      new RepeatableOption('--set <model.name=value>', 'predict with this value of a model setting')
        .argParser(addVariable)
        .default({}, 'none'),
    )
    .addOption(variable)
    .option('--json', 'print the prediction as JSON', false)
    .option('--trials <n>', 'number of simulated trials (default: 10000)', trialCount)
    .option('--seed <n>', 'seed of the trials (default: 1)', wholeNumber)
    .action((scenarios: string[], options: ModelOptions) => {
      modelCommand(scenarios, options, output);
    });

  program
    .command('validate')
    .description('check scenario, suite, and target files')
    .argument('<file...>', 'files, folders of them, or names of scenarios and suites')
    .addOption(target)
    .addOption(
      new Option('--as <kind>', 'treat the files as this kind (default: detected from their fields)').choices(
        fileKinds,
      ),
    )
    .addOption(variable)
    .action((args: string[], options: { target?: string; as?: FileKind; var: Record<string, string> }) => {
      const { target, var: variables, as } = options;
      const files = filesNamed(args).map((file) => (as === undefined ? file : { ...file, kind: as }));
      for (const { path } of files.filter(({ kind }) => kind === 'target')) loadWatchPlan(path);
      loadPlansAndSuites(
        files.filter(({ kind }) => kind !== 'target'),
        { target, variables },
      );
      for (const { path } of files) output.text(`${path}: valid\n`);
    });

  program
    .command('watch')
    .description('probe a target or one URL without injecting faults, for manual drills')
    .addOption(watched)
    .option('--url <url>', 'probe this URL instead of a target')
    .option('--interval <duration>', 'with --url: time from one sample to the next (default: 1s)')
    .option('--timeout <duration>', 'with --url: timeout of a sample (default: the interval, at most 900ms)')
    .option('--for <duration>', 'stop after this duration (default: run until interrupted)')
    .option('--json', 'print the results of the probes as JSON', false)
    .addOption(out)
    .addOption(color)
    .action(async (options: { target?: string; url?: string; out: string; json: boolean }) => {
      done(await watchCommand(options, stop, output));
    });

  program
    .command('heal')
    .description('undo every open fault, and prove that it is undone')
    .option(
      '--forget <run/fault>',
      'remove the record of a fault whose machine no longer exists; heals nothing',
    )
    .option('--force', 'also heal faults of targets that a running drill or another heal has locked', false)
    .action(async ({ forget, force }: { forget?: string; force: boolean }) => {
      done(
        forget === undefined
          ? await healCommand(output, stop, { force })
          : forgetCommand(forget, output, { force }),
      );
    });

  program
    .command('status')
    .description('list the open faults')
    .option('--json', 'print JSON', false)
    .action((options: { json: boolean }) => {
      done(statusCommand(output, options.json));
    });

  program
    .command('report')
    .description('make the reports of finished runs again from their event logs')
    .argument('<run...>', 'folders of runs, or of tables with their runs')
    .action((folders: string[]) => {
      for (const folder of folders) {
        const unwritten = regenerateReport(folder, output);
        for (const error of unwritten) printError(error, output);
        if (unwritten.length > 0) done(ExitCode.inconclusive);
      }
    });

  for (const command of keptDefinitions({ out, tolerance }, output, done)) program.addCommand(command);

  program
    .command('doctor')
    .description(
      'check what this machine lacks for the lab, or with --target what hosts and endpoints lack for drills; changes nothing',
    )
    .argument('[scenario...]', 'with --target: scenarios whose faults are checked, too')
    .addOption(watched)
    .option('--stack <name>', 'check for this lab stack (default: all stacks)')
    .addOption(
      new Option(
        '--measure-burst [duration]',
        'compare the latency of the probes at the base rate and in the burst, each measured for this duration',
      )
        .preset('2s')
        .argParser(shortDuration),
    )
    .addOption(out)
    .option('--json', 'print JSON', false)
    .action(async (scenarios: string[], options: DoctorOptions) => {
      done(await doctorCommand(scenarios, options, stop.signal, output));
    });

  program
    .command('schema')
    .description('print the JSON Schema of a file')
    .addArgument(new Argument('<kind>', 'kind of the file').choices(schemaNames))
    .addOption(new Option('--target <file>', 'include the kinds of the extensions of this target file'))
    .action((name: (typeof schemaNames)[number], options: { target?: string }) => {
      output.data(schemaTextFor(name, options.target));
    });

  program
    .command('test-extension')
    .description('try what the kinds of an extension promise, with the tests of its author')
    .argument('<module>', 'path of the module, or the name of its package')
    .option('--tests <file>', 'file of tests (default: NAME.tests.ts or NAME.tests.js next to the module)')
    .option('--run <folder>', 'folder of a run, for reporters')
    .action(async (module: string, options: TestExtensionOptions) => {
      done(await testExtensionCommand(module, options, output));
    });

  program
    .command('completion')
    .description('print the completion script for a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .action((shell: (typeof shells)[number]) => {
      output.data(completionScript(shell));
    });

  program
    .command(completeCommand, { hidden: true })
    .argument('[word...]', 'words of the command line, up to the cursor')
    .action((words: string[]) => {
      output.data(
        candidatesText(
          completeWords(program, words, {
            stack: stackNames,
            suite: suiteNames,
            // With nothing typed yet, the user's own files are offered.
            scenario: () => (words.at(-1) === '' ? [] : scenarioNames()),
            reporter: reporterNames,
            forget: openFaultNames,
          }),
        ),
      );
    });

  program.addCommand(initDefinition(output, done));
  program.addCommand(labCommands(stop, output, done));
  // It may also stand after the name of a command.
  for (const command of commandsBelow(program)) command.exitOverride().addOption(stateDir().hideHelp());
  for (const command of [program, ...commandsBelow(program)])
    command.configureOutput({
      writeOut: (text) => output.text(text),
      writeErr: (text) => output.progress(text.trimEnd()),
    });
  return program;
}

function stateDir(): Option {
  return new Option(
    '--state-dir <folder>',
    'folder of undo records, locks, and the state of an installed lab (default: $FIREDRILL_STATE_DIR, or firedrill in the XDG state folder)',
  );
}

function commandsBelow(command: Command): Command[] {
  return command.commands.flatMap((one) => [one, ...commandsBelow(one)]);
}

/** Judges a run or a table again, and prints it. Returns the errors of reports that could not be written. */
function regenerateReport(folder: string, output: Output): readonly DrillError[] {
  if (isTableFolder(folder)) {
    const { table, unwritten } = rewriteTable(folder);
    output.text(`${renderTableText(table)}\n`);
    return unwritten;
  }
  const { summary, unwritten } = writeReports(folder);
  output.text(`${renderVerdictText(summary)}\n`);
  return unwritten;
}

function report(error: unknown, stop: Stop, output: Output): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.pass : ExitCode.usage;
  const reported = isDiskError(error) ? cannotWrite(error.path ?? 'to disk', error, 'start again') : error;
  const exitCode = exitCodeAfter(reported, stop);
  // The stop was reported when its signal came.
  if (exitCode === stop.exitCode()) return exitCode;
  if (reported instanceof DrillError) printError(reported, output);
  else
    output.progress(
      `firedrill broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  return exitCode;
}
