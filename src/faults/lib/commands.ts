import { commandWords } from '../../core/command-words.ts';
import { DrillError } from '../../core/errors.ts';
import type { FaultContext } from '../../core/fault.ts';
import type { ExecResult } from '../../core/host.ts';

/** What a command of a fault needs of its context. */
export type CommandContext = Pick<FaultContext, 'host' | 'signal'>;

/** What one command of a fault gets besides its argv. */
export interface CommandOptions {
  /** 60 s by default. */
  readonly timeoutMs?: number;
  /** Text for its standard input; none by default. */
  readonly input?: string;
}

/** Longest time one command of a fault may take, unless its kind knows better. */
export const commandTimeoutMs = 60_000;

/** Runs a command on the fault's host; a non-zero exit is returned. */
export function run(
  ctx: CommandContext,
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<ExecResult> {
  return ctx.host.exec(argv, { timeoutMs: commandTimeoutMs, signal: ctx.signal, ...options });
}

/** Runs a command that must succeed and returns its output; throws `fault-failed` naming host, command and what it said. */
export async function runOk(
  ctx: CommandContext,
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const result = await run(ctx, argv, options);
  if (result.exitCode !== 0) {
    throw new DrillError('fault-failed', `${ctx.host.name}: ${exitedWords(argv, result)}`);
  }
  return result.stdout;
}

/** Whether commands on the fault's host run as root. */
export async function isRoot(ctx: CommandContext): Promise<boolean> {
  return (await runOk(ctx, ['id', '-u'])).trim() === '0';
}

/** A command, how it ended, and why. */
export function exitedWords(argv: readonly string[], result: ExecResult): string {
  return [`${commandWords(argv)} exited ${result.exitCode}`, lastWords(result)].filter(Boolean).join(': ');
}

/** The last line that a command wrote, its errors first: what it died of. */
export function lastWords(result: ExecResult): string {
  return (result.stderr.trim() || result.stdout.trim()).split('\n').at(-1) ?? '';
}
