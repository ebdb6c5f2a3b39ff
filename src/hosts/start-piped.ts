import { execa } from 'execa';

/** Starts a process with pipes on all three streams. A kill ends its whole process group. Never rejects. */
export function startPiped(argv: readonly string[], env: Readonly<Record<string, string | undefined>> = {}) {
  const [file = '', ...args] = argv;
  return execa(file, args, {
    reject: false,
    buffer: false,
    env,
    // Its own process group: Ctrl-C on the terminal must reach only firedrill.
    killDescendants: true,
    killSignal: 'SIGKILL',
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
  });
}
