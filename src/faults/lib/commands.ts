import { commandWords } from '../../core/command-words.ts';
import { DrillError } from '../../core/errors.ts';
import type { FaultContext } from '../../core/fault.ts';
import type { ExecResult } from '../../core/host.ts';
import type { DurationMs } from '../../core/time.ts';

/** The part of a fault's context that a command needs. */
export type CommandContext = Pick<FaultContext, 'host' | 'signal'>;

/** Options of one command. */
export interface CommandOptions {
  /** Default: `commandTimeoutMs`. */
  readonly timeoutMs?: DurationMs;
  /** Text for its standard input. Default: none. */
  readonly input?: string;
}

/** Default time limit of one command. */
export const commandTimeoutMs = 60_000;

/** Runs a command on the fault's host; a non-zero exit is returned. */
export function run(
  ctx: CommandContext,
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<ExecResult> {
  return ctx.host.exec(argv, { timeoutMs: commandTimeoutMs, signal: ctx.signal, ...options });
}

/**
 * Runs a command and returns its standard output. Throws `fault-failed` unless it exits 0, with the host, the
 * command, and its last line of output.
 */
export async function runOk(
  ctx: CommandContext,
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const result = await run(ctx, argv, options);
  if (result.exitCode !== 0) {
    throw new DrillError('fault-failed', `${ctx.host.name}: ${exitedText(argv, result)}`);
  }
  return result.stdout;
}

/** Whether commands on the fault's host run as root. */
export async function isRoot(ctx: CommandContext): Promise<boolean> {
  return (await runOk(ctx, ['id', '-u'])).trim() === '0';
}

/** For messages: the command, its exit code, and its last line of output. */
export function exitedText(argv: readonly string[], result: ExecResult): string {
  return [`${commandWords(argv)} exited ${result.exitCode}`, lastText(result)].filter(Boolean).join(': ');
}

/**
 * The last line of standard error, or of standard output if standard error is empty. It usually names the
 * cause.
 */
export function lastText(result: ExecResult): string {
  return (result.stderr.trim() || result.stdout.trim()).split('\n').at(-1) ?? '';
}
