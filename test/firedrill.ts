import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import pRetry, { AbortError } from 'p-retry';
import type { Summary } from '../src/core/summary.ts';
import { busyMachineIn, noteRepeat, onceMoreIfStarved } from './starvation.ts';

const bin = join(import.meta.dirname, '../bin/firedrill.mjs');
const root = join(import.meta.dirname, '..');

function startCli(stateFolder: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return execa(process.execPath, [bin, ...args], {
    cwd: root,
    env: { FIREDRILL_STATE_DIR: stateFolder, ...env },
    reject: false,
    all: true,
    stdin: 'ignore',
  });
}

/** A folder for one test file's runs and open faults, separate from those of this machine's user. */
export interface Bench {
  readonly out: string;
  /** State folder with the open faults. */
  readonly state: string;
  /** Starts the command line as a user would; never rejects. */
  start(...args: readonly string[]): ReturnType<typeof startCli>;
  /** Like `start`, with additional environment variables. */
  startWith(env: Readonly<Record<string, string>>, ...args: readonly string[]): ReturnType<typeof startCli>;
  /** Like `start`, but rejects with the output if the exit code is not 0. */
  must(...args: readonly string[]): Promise<void>;
  /**
   * `lab up` of a stack. While other programs take the CPUs of this machine, `lab up` refuses to begin (exit code 5): it is
   * repeated for up to 5 min then. Rejects with the output if it fails.
   */
  labUp(stack: string, ...options: readonly string[]): Promise<void>;
  /** `run` with these arguments and `--out`; repeated once if the machine was too busy for the drill (test/starvation.ts). */
  drill(...args: readonly string[]): Promise<Awaited<ReturnType<typeof startCli>>>;
  /** The summary of the latest run. */
  summary(): Summary;
  /** The folder of the latest run. */
  runFolder(): string;
  remove(): void;
}

/** Creates a bench in a temporary folder. */
export function createBench(): Bench {
  const folder = mkdtempSync(join(tmpdir(), 'firedrill-lab-'));
  const out = join(folder, 'reports');
  const runFolder = (): string => {
    const latest = readdirSync(out).sort().at(-1);
    if (latest === undefined) throw new Error(`find the latest run in ${out}: the folder is empty`);
    return join(out, latest);
  };
  return {
    out,
    state: join(folder, 'state'),
    start: (...args) => startCli(join(folder, 'state'), args),
    startWith: (env, ...args) => startCli(join(folder, 'state'), args, env),
    labUp: (stack, ...options) => labUp(join(folder, 'state'), stack, options),
    must: async (...args) => {
      const { exitCode, all } = await startCli(join(folder, 'state'), args);
      if (exitCode !== 0) throw new Error(`firedrill ${args.join(' ')}: exit ${exitCode}\n${all}`);
    },
    drill: (...args) =>
      onceMoreIfStarved(out, async () => startCli(join(folder, 'state'), ['run', ...args, '--out', out])),
    summary: () => JSON.parse(readFileSync(join(runFolder(), 'summary.json'), 'utf8')) as Summary,
    runFolder,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Attempts of `lab up` on a busy machine, and the pause between them: 5 min. */
const patience = { retries: 20, minTimeout: 15_000, factor: 1 };

async function labUp(state: string, stack: string, options: readonly string[]): Promise<void> {
  const args = ['lab', 'up', '--stack', stack, ...options];
  await pRetry(async (attempt) => {
    const { exitCode, all } = await startCli(state, args);
    if (exitCode === 0) return;
    const error = new Error(`firedrill ${args.join(' ')}: exit ${exitCode}\n${all}`);
    const busy = exitCode === 5 ? busyMachineIn(all) : undefined;
    if (busy === undefined) throw new AbortError(error);
    if (attempt === 1) noteRepeat(`lab up --stack ${stack}`, busy);
    throw error;
  }, patience);
}

/** Runs a command on this machine; rejects if it fails. */
export async function must(argv: readonly [string, ...string[]]): Promise<string> {
  const [file, ...args] = argv;
  const { stdout } = await execa(file, args, { cwd: root, stdin: 'ignore', timeout: 300_000 });
  return stdout;
}
