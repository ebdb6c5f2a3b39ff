import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { aptInstall } from '../../../src/lab/apt.ts';
import { labContext } from '../../../src/lab/lab-context.ts';

/** Global setup: installs tmux from the machine's packages if there is none. */
export async function setup(): Promise<void> {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  if (folders.some((folder) => existsSync(join(folder, 'tmux')))) return;
  await aptInstall(
    labContext(new AbortController().signal, () => {}),
    ['tmux'],
  );
}

/** A terminal that runs a command. */
export interface Pane {
  /** The screen as text, without empty lines at its end. */
  screen(): Promise<string[]>;
  /** The scrollback and the screen, with wrapped lines joined. */
  everything(): Promise<string[]>;
  /** The screen with its colors and weights as escape sequences. */
  painted(): Promise<string>;
  /** Sends keys, by their tmux names. */
  keys(...keys: string[]): Promise<void>;
  /** Changes the size while the command is stopped (SIGSTOP), so that it draws nothing meanwhile. */
  resize(columns: number, rows: number): Promise<void>;
  cursorIsShown(): Promise<boolean>;
  title(): Promise<string>;
  /** The exit code of the command; undefined while it runs. */
  exitCode(): number | undefined;
  /** Ends the terminal and its processes. */
  close(): Promise<void>;
}

/** Opens a terminal of that size in its own tmux server, and runs a command in it. */
export async function openPane(
  argv: readonly string[],
  {
    columns,
    rows,
    env,
    cwd,
  }: { columns: number; rows: number; env: Readonly<Record<string, string | undefined>>; cwd: string },
): Promise<Pane> {
  const codes = mkdtempSync(join(tmpdir(), 'firedrill-pane-'));
  const codePath = join(codes, 'code');
  const socket = `firedrill-test-${process.pid}-${(paneCount += 1)}`;
  const tmux = async (...args: string[]): Promise<string> => {
    const { stdout } = await execa('tmux', ['-u', '-L', socket, '-f', '/dev/null', ...args], {
      cwd,
      env: { TMUX: undefined, ...env },
      stdin: 'ignore',
      stripFinalNewline: false,
    });
    return stdout;
  };
  const size = ['-x', String(columns), '-y', String(rows)];
  // The pane stays after the command ends. The shell ignores Ctrl-C, so that only the command gets it.
  const script = 'trap : INT; code=$1; shift; "$@"; echo $? > "$code"; exec sleep infinity';
  await tmux('new-session', '-d', ...size, 'sh', '-c', script, 'sh', codePath, ...argv);
  const ask = async (format: string): Promise<string> => (await tmux('display-message', '-p', format)).trim();
  const linesOf = (text: string): string[] => text.trimEnd().split('\n');
  return {
    screen: async () => linesOf(await tmux('capture-pane', '-p')),
    everything: async () =>
      linesOf(await tmux('capture-pane', '-p', '-J', '-S', '-')).map((line) => line.trimEnd()),
    painted: () => tmux('capture-pane', '-p', '-e'),
    keys: async (...keys) => void (await tmux('send-keys', ...keys)),
    async resize(width, height) {
      const shell = await ask('#{pane_pid}');
      const [command] = readFileSync(`/proc/${shell}/task/${shell}/children`, 'utf8')
        .trim()
        .split(' ')
        .map(Number);
      if (!command) throw new Error('resize the terminal: its command has ended');
      process.kill(command, 'SIGSTOP');
      // Its next frame is due when it goes on: it must not be drawn for the old size.
      await sleep(300);
      await tmux('resize-window', '-x', String(width), '-y', String(height));
      process.kill(command, 'SIGCONT');
    },
    cursorIsShown: async () => (await ask('#{cursor_flag}')) === '1',
    title: () => ask('#{pane_title}'),
    exitCode() {
      const text = existsSync(codePath) ? readFileSync(codePath, 'utf8').trim() : '';
      return text === '' ? undefined : Number(text);
    },
    async close() {
      await tmux('kill-server');
      rmSync(codes, { recursive: true });
    },
  };
}

let paneCount = 0;
