import { constants } from 'node:os';
import { execa } from 'execa';

/** One command on this machine. */
export interface Command {
  readonly argv: readonly string[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly input?: string | undefined;
  readonly maxOutputBytes?: number | undefined;
  /** Variables besides those of this process; undefined: not set. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** How a command ended. Everything that can be expected to happen is here; nothing is thrown. */
export type Outcome =
  | {
      readonly kind: 'exited';
      readonly exitCode: number;
      readonly stdout: string;
      readonly stderr: string;
      readonly truncated?: true;
    }
  /** There is no such program, or it may not be run. */
  | { readonly kind: 'not-started'; readonly code: string; readonly message: string }
  | { readonly kind: 'timed-out' }
  | { readonly kind: 'aborted' }
  /** It wrote more than the default limit. */
  | { readonly kind: 'overflow'; readonly limitBytes: number };

/** Runs a command; hosts take it as a parameter so that tests can look at what they would run. */
export type CommandRunner = (command: Command) => Promise<Outcome>;

/** Output that no command of ours comes near; more of it is a mistake. */
export const defaultMaxOutputBytes = 16_777_216;

/**
 * Runs a command in a process group of its own, which is killed as a whole at
 * the time-out or abort: a grandchild that holds the output open would outlive
 * it otherwise. Resolves then at once, without waiting for the killed ones.
 */
export const runCommand: CommandRunner = async (command) => {
  if (command.signal.aborted) return { kind: 'aborted' };
  const [file = '', ...args] = command.argv;
  const limitBytes = command.maxOutputBytes ?? defaultMaxOutputBytes;
  const subprocess = execa(file, args, {
    reject: false,
    killDescendants: true,
    killSignal: 'SIGKILL',
    maxBuffer: limitBytes,
    stripFinalNewline: false,
    env: command.env ?? {},
    ...(command.input === undefined ? { stdin: 'ignore' } : { input: command.input }),
  });
  const cut = Promise.withResolvers<Outcome>();
  const end = (outcome: Outcome): void => {
    cut.resolve(outcome);
    subprocess.kill();
    // A descendant with a session of its own may still hold them; they must not keep this process alive.
    subprocess.stdout?.destroy();
    subprocess.stderr?.destroy();
  };
  const timer = setTimeout(() => end({ kind: 'timed-out' }), command.timeoutMs);
  const onAbort = (): void => end({ kind: 'aborted' });
  command.signal.addEventListener('abort', onAbort, { once: true });
  try {
    const finished = subprocess.then((result): Outcome => {
      const { stdout, stderr } = result;
      if (result.isMaxBuffer) {
        return command.maxOutputBytes === undefined
          ? { kind: 'overflow', limitBytes }
          : { kind: 'exited', exitCode: 0, stdout, stderr, truncated: true };
      }
      if (result.exitCode !== undefined) return { kind: 'exited', exitCode: result.exitCode, stdout, stderr };
      if (result.signal !== undefined) {
        return { kind: 'exited', exitCode: 128 + constants.signals[result.signal], stdout, stderr };
      }
      return {
        kind: 'not-started',
        code: result.code ?? '',
        message: result.originalMessage ?? 'not started',
      };
    });
    return await Promise.race([finished, cut.promise]);
  } finally {
    clearTimeout(timer);
    command.signal.removeEventListener('abort', onAbort);
  }
};
