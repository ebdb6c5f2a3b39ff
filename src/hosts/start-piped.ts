import { execa } from 'execa';

/** Starts a process with pipes on all three streams, which outlives no kill: its group ends with it. Never rejects. */
export function startPiped(argv: readonly string[], env: Readonly<Record<string, string | undefined>> = {}) {
  const [file = '', ...args] = argv;
  return execa(file, args, {
    reject: false,
    buffer: false,
    env,
    // In a process group of its own: an interrupt at the terminal is ours to handle.
    killDescendants: true,
    killSignal: 'SIGKILL',
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
  });
}
