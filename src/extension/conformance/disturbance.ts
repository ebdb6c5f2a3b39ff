import type { Clock } from '../../core/clock.ts';
import { DrillError } from '../../core/errors.ts';
import type { ExecOptions, ExecResult, Host } from '../../core/host.ts';

/** How one call of a host, its power switch, or its cloud goes wrong. */
export type Disturbance =
  /** The command never arrives, and the call rejects. */
  | 'lost before'
  /** The command runs, but its answer is lost, and the call rejects. */
  | 'lost after'
  /** The command does not run. The output is empty, and the exit code is 0. */
  | 'silent'
  /** The command does not run. The output is a login banner, and the exit code is 0. */
  | 'another answers'
  /** The command runs. A login banner and a trailer surround its output. */
  | 'noisy'
  /** The command does not run: its program has another version without these options. */
  | 'another version'
  /** The command does not run: its program does not exist. */
  | 'no program'
  /** The command runs, but its answer comes after other pending work. */
  | 'late'
  /**
   * The command runs after this time, on the clock of `unkindHost`. It does not run if its timeout or its signal
   * comes first.
   */
  | { readonly lateMs: number };

/** Returns the disturbance of a call, counted from 0. The words of a power switch or a cloud name its method. */
export type DisturbanceAt = (call: number, words: readonly string[]) => Disturbance | undefined;

/** Disturbances that replace a command's answer. */
export type OtherAnswer = Exclude<Disturbance, 'lost before' | 'lost after' | 'late' | { lateMs: number }>;

/** Runs one call with its disturbance. `other` is called for the disturbances of an answer. */
export async function disturb<T>(
  disturbance: Exclude<Disturbance, { lateMs: number }> | undefined,
  act: () => T | Promise<T>,
  other: (disturbance: OtherAnswer) => T | Promise<T>,
): Promise<T> {
  if (disturbance === 'lost before') throw lostAnswer();
  if (disturbance === 'lost after') {
    await act();
    throw lostAnswer();
  }
  if (disturbance === 'late') await new Promise(setImmediate);
  return disturbance === undefined || disturbance === 'late' ? act() : other(disturbance);
}

const noise = { before: 'Welcome, authorised use only\n', after: 'session was recorded\n' };

/** Runs one command with its disturbance. `clock` is needed for `lateMs`. */
export async function disturbCommand(
  disturbance: Disturbance | undefined,
  argv: readonly string[],
  options: ExecOptions,
  act: () => ExecResult | Promise<ExecResult>,
  clock?: Clock,
): Promise<ExecResult> {
  if (typeof disturbance === 'object') {
    await answerTime(argv, options, disturbance.lateMs, clock);
    return act();
  }
  return disturb(disturbance, act, async (other) => {
    const said = (stdout: string, exitCode = 0, stderr = ''): ExecResult => ({ exitCode, stdout, stderr });
    if (other === 'another answers') return said(noise.before);
    if (other === 'another version') return said('', 1, `${argv[0]}: unrecognized option\n`);
    if (other === 'no program') return said('', 127, `sh: 1: exec: ${argv[0]}: not found\n`);
    if (other === 'silent') return said('');
    const { stdout, stderr, exitCode } = await act();
    const noisy = (text: string): string => `${noise.before}${text}${noise.after}`;
    return said(noisy(stdout), exitCode, noisy(stderr));
  });
}

/** The same host, whose commands go wrong as `at` says. */
export function unkindHost<H extends Host>(host: H, at: DisturbanceAt, clock?: Clock): H {
  let calls = 0;
  const exec: Host['exec'] = (argv, options) =>
    disturbCommand(at(calls++, argv), argv, options, () => host.exec(argv, options), clock);
  return { ...host, exec };
}

/** The error of a call whose answer was lost: its outcome is unknown. */
export function lostAnswer(): DrillError {
  return new DrillError('host-unreachable', 'alpha: the answer was lost');
}

/** Waits until the answer of a late command is due. Throws if its timeout or its signal comes first. */
async function answerTime(
  argv: readonly string[],
  { timeoutMs, signal }: ExecOptions,
  lateMs: number,
  clock: Clock | undefined,
): Promise<void> {
  if (clock === undefined) throw new Error('a late answer needs a clock');
  const command = `alpha: \`${argv.join(' ')}\``;
  try {
    await clock.sleep(Math.min(lateMs, timeoutMs), signal);
  } catch (cause) {
    throw new DrillError('host-unreachable', `${command} was cut short`, { cause });
  }
  if (lateMs > timeoutMs)
    throw new DrillError('host-unreachable', `${command} did not end within ${timeoutMs} ms`);
}
