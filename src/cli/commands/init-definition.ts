import { Command, Option } from 'commander';
import { faultTemplates, transports } from '../../init/stack.ts';
import type { InitOptions } from '../init-questions.ts';
import type { Output } from '../output.ts';
import { terminalAsk } from '../terminal-ask.ts';
import { initCommand } from './init.ts';

const collect = (value: string, before: string[]): string[] => [...before, value];

/** `firedrill init`: its arguments and options. */
export function initDefinition(output: Output, done: (code: number) => void): Command {
  return new Command('init')
    .description(
      'write a target and a first scenario for your own stack; on a terminal, ask for missing values',
    )
    .argument('[folder]', 'folder to write to', '.')
    .option('--name <name>', 'name of the stack (default: that of the folder)')
    .addOption(
      new Option(
        '--transport <transport>',
        'where the stack runs: ssh, machines over SSH; containers, plain containers or Compose services on this machine; docker, containers with systemd; local, this machine (default: ssh)',
      ).choices(transports),
    )
    .addOption(
      new Option('--host <name=address>', 'a host of the stack; repeatable')
        .argParser(collect)
        .default([], 'none'),
    )
    .addOption(
      new Option(
        '--containers <names>',
        'containers or Compose services on this machine, separated by commas; sets --transport containers; repeatable',
      )
        .argParser(collect)
        .default([], 'none'),
    )
    .option(
      '--url <url>',
      'what clients use; an outage is a time when it fails: http://, https://, postgresql://USER@HOST:PORT/DATABASE, or tcp://HOST:PORT',
    )
    .option('--password-env <variable>', 'environment variable with the password of a postgresql:// URL')
    .option('--vip <address>', 'virtual address that one host holds at a time')
    .addOption(
      new Option(
        '--fault <kind>',
        'first fault (default: service.stop; with --containers, container.kill, or process.kill for a single container)',
      ).choices(faultTemplates.map(({ kind }) => kind)),
    )
    .option('--unit <unit>', 'systemd unit that the fault acts on')
    .option('--container <name>', 'container that the fault acts on')
    .option('--process <name>', 'process that the fault kills (default with --containers: the main process)')
    .option('--no-input', 'do not ask for missing values')
    .option('--force', 'overwrite existing files', false)
    .action(
      async (folder: string, options: Omit<InitOptions, 'engine'> & { input: boolean; force: boolean }) => {
        done(await initCommand(folder, options, options.input ? terminalAsk() : undefined, output));
      },
    );
}
