import type { ExecResult, Host } from '../../core/host.ts';
import { neverFollowed } from '../../hosts/testing/never-followed.ts';

/** Answers one command of a test with an exit code and output. A throw simulates a broken connection. */
export type Script = (argv: readonly string[]) => Partial<ExecResult>;

/** A host for tests that records every command and answers from a script. */
export interface ScriptedHost extends Host {
  /** Commands in order, each joined with spaces. */
  readonly commands: readonly string[];
  /** Standard inputs of the commands, in order. */
  readonly inputs: readonly string[];
}

/** Creates a host whose commands `script` answers. */
export function scriptedHost(script: Script): ScriptedHost {
  const commands: string[] = [];
  const inputs: string[] = [];
  return {
    name: 'alpha',
    transport: 'script',
    follow: neverFollowed,
    commands,
    inputs,
    exec: (argv, options) => {
      commands.push(argv.join(' '));
      if (options.input !== undefined) inputs.push(options.input);
      return Promise.resolve({ exitCode: 0, stdout: '', stderr: '', ...script(argv) });
    },
  };
}
