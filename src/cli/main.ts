import { Argument, Command, CommanderError, Option } from 'commander';
import { defaultTolerance, toleranceWords } from '../analysis/tolerance.ts';
import { DrillError, ExitCode, exitCodeOf } from '../core/errors.ts';
import { candidatesText, completeCommand, completionScript, shells } from './commands/completion.ts';
import { doctorCommand, type DoctorOptions } from './commands/doctor.ts';
import { forgetCommand, healCommand, statusCommand } from './commands/heal.ts';
import { initDefinition } from './commands/init-definition.ts';
import { keptDefinitions } from './commands/kept-definitions.ts';
import { labCommands, stackNames } from './commands/lab.ts';
import { modelCommand, type ModelOptions } from './commands/model.ts';
import { runCommand, type RunOptions } from './commands/run.ts';
import { schemaNames, schemaText } from './commands/schema.ts';
import { tableCommand, type TableOptions } from './commands/table.ts';
import { watchCommand } from './commands/watch.ts';
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
import { openOutput, type Output, type ProcessOutput, tell } from './output.ts';
import { plansText } from './plan-text.ts';
import { exitCodeAfter } from './reporting.ts';
import { writeReports } from './run-folder.ts';
import { listenForStop, type Stop } from './stop.ts';
import { filesNamed, loadPlansAndSuites, suiteNames } from './suite.ts';
import { isTableFolder, writeTableAnew } from './table-folder.ts';
import { versions } from './versions.ts';
import { cannotWrite, isDiskError } from '../engine/disk.ts';
import { renderTableText } from '../report/table-text.ts';
import { renderVerdictText } from '../report/verdict-text.ts';
import { reporterKinds } from '../reporters/catalog.ts';
import { drawMoments } from '../scenario/draw.ts';

/** Runs the command line; returns the exit code. Arguments without node and script. */
export async function main(argv: readonly string[]): Promise<number> {
  const output = openOutput();
  const exitCode = await run(argv, output);
  const lost = await output.end();
  if (lost === undefined) return exitCode;
  tell(lost, output);
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

/** Options that decide how progress is shown. */
interface GoLiveOptions {
  readonly color?: boolean;
  readonly json?: boolean;
  readonly reporter?: readonly string[];
}

function buildProgram(stop: Stop, output: ProcessOutput, done: (code: number) => void): Command {
  const program = new Command('firedrill')
    .description(
      'Chaos and failover drills for two-node active-passive stacks: break, measure from outside, heal, report.',
    )
    .version(versions().firedrill)
    .showSuggestionAfterError()

    .enablePositionalOptions()
    .exitOverride()
    .hook('preAction', async (_program, command) => {
      const { color, json, reporter = [] } = command.opts<GoLiveOptions>();
      // Those that take their time have the option.
      if (color === undefined) return;
      const names = reporter.flatMap((text) => text.split(','));
      const isData = ({ name, stdout }: (typeof reporterKinds)[number]): boolean =>
        stdout === true && name !== 'list' && names.includes(name);
      await output.goLive({ color, json: json === true || reporterKinds.some(isData) });
    });

  const target = new Option('--target <file>', 'target file; overrides the one that the scenario names');
  const out = new Option('--out <folder>', 'where runs are kept').default('reports');
  const variable = new Option(
    '--var <name=value>',
    'value of a scenario variable; may be given several times',
  )
    .argParser(addVariable)
    .default({});
  const allProbes = new Option(
    '--all-probes',
    "run every probe of the target, also those that the drill doesn't use",
  ).default(false);
  const production = new Option(
    '--allow-production',
    'drill a target of the environment `production`',
  ).default(false);
  const confirm = new Option('--confirm <name>', 'name of the production target, where nobody can type it');
  const reporter = new Option(
    '--reporter <name[=value],...>',
    `who is told, \`list\` by default; may be given several times: ${reporterKinds.map(({ name }) => name).join(', ')}`,
  )
    .argParser((value: string, before: readonly string[]) => [...before, value])
    .default([], 'list');
  const color = new Option('--no-color', 'no colours in the live view; so does NO_COLOR');
  const seed = new Option('--seed <n>', 'draws the moments of faults with a jitter').argParser(wholeNumber);
  const label = new Option('--label <name>', 'the release that is drilled; kept with the run').argParser(
    labelText,
  );
  const shard = new Option(
    '--shard <i/n>',
    'run the i-th of n parts; with a jitter, every part needs the same --seed',
  ).argParser(shardOf);
  const baseline = new Option(
    '--baseline <path|label>',
    'earlier runs to compare with: exit with 1 if these are slower by more than chance and the tolerance; takes at least 4 nights on each side; kept runs of the same --label below --out count as nights of these',
  );
  const tolerance = new Option('--tolerance <10%|2s>', 'how much longer than the baseline is allowed')
    .argParser(toleranceOf)
    .default(defaultTolerance, toleranceWords(defaultTolerance));

  program
    .command('run')
    .description('run drills: steady state, fault, recovery, heal, verdict')
    .argument('<scenario...>', 'scenario files, or folders of them')
    .addOption(target)
    .addOption(out)
    .option(
      '--json',
      'as `--reporter events`: print each event as it happens, and each summary, as lines of JSON',
      false,
    )
    .addOption(reporter)
    .option('--repeat <n>', 'run each scenario this often', positiveInteger, 1)
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
    .option(
      '--json',
      'as `--reporter events`: print each event as it happens, and the table, as lines of JSON',
      false,
    )
    .addOption(reporter)
    .option('--repeat <n>', 'run each drill this often', positiveInteger, 1)
    .option('--grep <regex>', 'only what matches: number or failure of a row, or name of a drill')
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
    .description('say what would be done, command by command, and the blast radius; touches nothing')
    .argument('<scenario...>', 'scenario or suite files, folders of them, or names of suites')
    .addOption(target)
    .option('--json', 'print the plans as JSON', false)
    .addOption(variable)
    .addOption(allProbes)
    .addOption(seed)
    .action(
      (scenarios: string[], options: Pick<RunOptions, 'target' | 'json' | 'var' | 'seed' | 'allProbes'>) => {
        const { target, var: variables, seed, allProbes } = options;
        const loaded = loadPlansAndSuites(filesNamed(scenarios), { target, variables, allProbes });
        const plans = seed === undefined ? loaded : loaded.map((plan) => drawMoments(plan, seed, 0));
        output.data(options.json ? `${JSON.stringify(plans, null, 2)}\n` : plansText(plans));
      },
    );

  program
    .command('model')
    .description('predict the stages and the RTO from the settings that make them; touches nothing')
    .argument('<scenario...>', 'scenario files, or folders of them')
    .addOption(target)
    .addOption(
      new Option('--set <model.name=value>', 'what if a setting were another; may be given several times')
        .argParser(addVariable)
        .default({}),
    )
    .addOption(variable)
    .option('--json', 'print the prediction as JSON', false)
    .option('--trials <n>', 'how many trials, 10000 by default', trialCount)
    .option('--seed <n>', 'draws the trials, 1 by default', wholeNumber)
    .action((scenarios: string[], options: ModelOptions) => {
      modelCommand(scenarios, options, output);
    });

  program
    .command('validate')
    .description('check scenario, suite, and target files')
    .argument('<file...>', 'files, folders of them, or names of suites')
    .addOption(target)
    .addOption(
      new Option('--as <kind>', 'kind of the files (default: detected from their fields)').choices(fileKinds),
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
      for (const { path } of files) output.data(`${path}: valid\n`);
    });

  program
    .command('watch')
    .description('probe only: a target, or one URL; for drills done by hand')
    .addOption(target)
    .option('--url <url>', 'probe this URL instead of a target')
    .option('--interval <duration>', 'with --url: time between probes, 1s by default')
    .option('--timeout <duration>', 'with --url: time-out of a probe, 900ms by default')
    .option('--for <duration>', 'stop after this time; until interrupted by default')
    .option('--json', 'print what the probes saw as JSON on stdout', false)
    .addOption(out)
    .addOption(color)
    .action(async (options: { target?: string; url?: string; out: string; json: boolean }) => {
      done(await watchCommand(options, stop, output));
    });

  program
    .command('heal')
    .description('undo every open fault and prove it')
    .option(
      '--forget <run/fault>',
      'drop the record of a fault whose machine is gone for good; heals nothing',
    )
    .option('--force', 'also heal faults of a target that a drill or another heal holds', false)
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
    .option('--json', 'as JSON', false)
    .action((options: { json: boolean }) => {
      done(statusCommand(output, options.json));
    });

  program
    .command('report')
    .description('make the reports of finished runs anew from their event logs')
    .argument('<run...>', 'folders of runs, or of tables with their runs')
    .action((folders: string[]) => {
      for (const folder of folders) {
        const unwritten = reportAnew(folder, output);
        for (const error of unwritten) tell(error, output);
        if (unwritten.length > 0) done(ExitCode.inconclusive);
      }
    });

  for (const command of keptDefinitions({ out, tolerance }, output, done)) program.addCommand(command);

  program
    .command('doctor')
    .description(
      'say what is missing before it hurts: for the lab, or with --target for drills of a stack; changes nothing',
    )
    .argument('[scenario...]', 'with --target: scenarios whose faults are to be possible')
    .addOption(target)
    .option('--stack <name>', 'what this lab stack needs; all of them by default')
    .addOption(
      new Option(
        '--measure-burst [duration]',
        'run the probes of the scenarios at the base rate, then in the burst, each for this time, and compare the latency',
      )
        .preset('2s')
        .argParser(shortDuration),
    )
    .addOption(out)
    .option('--json', 'as JSON', false)
    .action(async (scenarios: string[], options: DoctorOptions) => {
      done(await doctorCommand(scenarios, options, stop.signal, output));
    });

  program
    .command('schema')
    .description('print the JSON Schema of a file')
    .addArgument(new Argument('<kind>', 'what kind of file').choices(schemaNames))
    .action((name: (typeof schemaNames)[number]) => {
      output.data(schemaText(name));
    });

  program
    .command('completion')
    .description('print the script that has a shell complete firedrill')
    .addArgument(new Argument('<shell>', 'which shell').choices(shells))
    .action((shell: (typeof shells)[number]) => {
      output.data(completionScript(shell));
    });

  program
    .command(completeCommand, { hidden: true })
    .argument('[word...]', 'of the command line, up to the cursor')
    .action((words: string[]) => {
      output.data(
        candidatesText(
          completeWords(program, words, {
            stack: stackNames,
            suite: suiteNames,
            reporter: () => reporterKinds.map(({ name }) => name),
          }),
        ),
      );
    });

  program.addCommand(initDefinition(output, done));
  program.addCommand(labCommands(stop, output, done));
  for (const command of program.commands) command.exitOverride();
  return program;
}

/** Judges a run or a table anew, and prints it; returns which reports could not be written. */
function reportAnew(folder: string, output: Output): readonly DrillError[] {
  if (isTableFolder(folder)) {
    const { table, unwritten } = writeTableAnew(folder);
    output.data(`${renderTableText(table)}\n`);
    return unwritten;
  }
  const { summary, unwritten } = writeReports(folder);
  output.data(`${renderVerdictText(summary)}\n`);
  return unwritten;
}

function report(error: unknown, stop: Stop, output: Output): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.pass : ExitCode.usage;
  const told = isDiskError(error) ? cannotWrite(error.path ?? 'to disk', error, 'start again') : error;
  const exitCode = exitCodeAfter(told, stop);
  // A stop has been told.
  if (exitCode === stop.exitCode()) return exitCode;
  if (told instanceof DrillError) tell(told, output);
  else
    output.progress(
      `firedrill broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  return exitCode;
}
