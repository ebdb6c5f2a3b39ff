import type { ExecResult, Host } from '../../core/host.ts';
import { neverFollowed } from '../../hosts/testing/never-followed.ts';

/** Answers one command of a test: an exit code, what it writes, or a broken channel (throw). */
export type Script = (argv: readonly string[]) => Partial<ExecResult>;

/** A host for tests: records every command and answers from a script. */
export interface ScriptedHost extends Host {
  /** Commands in order, each joined by spaces. */
  readonly commands: readonly string[];
  /** What commands were given on their standard input, in order. */
  readonly inputs: readonly string[];
}

/** A host whose commands are answered by `script`. */
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
