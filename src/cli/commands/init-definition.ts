import { Command, Option } from 'commander';
import { faultTemplates, transports } from '../../init/stack.ts';
import type { InitOptions } from '../init-questions.ts';
import type { Output } from '../output.ts';
import { terminalAsk } from '../terminal-ask.ts';
import { initCommand } from './init.ts';

/** `firedrill init`: its arguments and options. */
export function initDefinition(output: Output, done: (code: number) => void): Command {
  return new Command('init')
    .description(
      'write a target and a first scenario for your own stack; asks for what the options leave open',
    )
    .argument('[folder]', 'where to; this folder by default', '.')
    .option('--name <name>', 'name of the stack; that of the folder by default')
    .addOption(
      new Option('--transport <transport>', 'how commands reach its hosts, ssh by default').choices(
        transports,
      ),
    )
    .addOption(
      new Option('--host <name=address>', 'a host of it; may be given several times')
        .argParser((value: string, before: string[]) => [...before, value])
        .default([], 'none'),
    )
    .option('--url <url>', 'what clients ask: the outage is what they see of it')
    .option('--vip <address>', 'virtual address that one host holds at a time')
    .addOption(
      new Option('--fault <kind>', 'first fault, service.stop by default').choices(
        faultTemplates.map(({ kind }) => kind),
      ),
    )
    .option('--unit <unit>', 'systemd unit of the fault')
    .option('--container <name>', 'container of the fault')
    .option('--process <name>', 'process of the fault')
    .option('--no-input', 'ask nothing')
    .option('--force', 'write over files that are there', false)
    .action(async (folder: string, options: InitOptions & { input: boolean; force: boolean }) => {
      done(await initCommand(folder, options, options.input ? terminalAsk() : undefined, output));
    });
}
