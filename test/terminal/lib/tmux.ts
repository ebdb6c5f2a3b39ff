import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { aptInstall } from '../../../src/lab/apt.ts';
import { labContext } from '../../../src/lab/lab-context.ts';

/** Before any test of the terminal: tmux, from the machine's own packages where it has none. */
export async function setup(): Promise<void> {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  if (folders.some((folder) => existsSync(join(folder, 'tmux')))) return;
  await aptInstall(
    labContext(new AbortController().signal, () => {}),
    ['tmux'],
  );
}

/** A terminal in which a command runs, with nobody at it. */
export interface Pane {
  /** The screen as text, without empty lines at its end. */
  screen(): Promise<string[]>;
  /** Lines that went off the top of the screen, and the screen; lines that the width broke are joined. */
  everything(): Promise<string[]>;
  /** The screen's colours and weights as escape sequences. */
  painted(): Promise<string>;
  /** Keys as tmux names them. */
  keys(...keys: string[]): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
  cursorIsShown(): Promise<boolean>;
  title(): Promise<string>;
  /** The exit code of the command; undefined as long as it runs. */
  exitCode(): number | undefined;
  /** Ends it and what runs in it. */
  close(): Promise<void>;
}

/** Opens a terminal of that size, of a tmux server of its own, and runs a command in it. */
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
  // The pane stays when the command has ended. Ctrl-C is meant for that alone.
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
    resize: async (width, height) =>
      void (await tmux('resize-window', '-x', String(width), '-y', String(height))),
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
