import { type KnownContainer, containersFormat, parseContainers } from '../init/container-names.ts';
import { limitText } from '../core/format-duration.ts';
import { type CommandRunner, type Outcome, runCommand } from '../hosts/run-command.ts';

/** Longest wait for one answer of the engine, ms: `init` also works without it. */
const askTimeoutMs = 5000;

/** Answers of the Docker engine on this machine. */
export interface LocalEngine {
  /** All containers, stopped ones included; a text says why the engine gave no answer. */
  containers(): Promise<readonly KnownContainer[] | string>;
  /** Name of the container's main process, as `process.kill` needs it; undefined if the engine does not report it. */
  mainProcess(container: string): Promise<string | undefined>;
}

/** Processes that `docker run --init` and many images start as PID 1, in front of the main process. */
const inits: ReadonlySet<string> = new Set(['docker-init', 'tini', 'dumb-init', 's6-svscan', 'catatonit']);

/** Why a command gave no answer. */
function whyNone(outcome: Exclude<Outcome, { kind: 'exited' }>): string {
  switch (outcome.kind) {
    case 'not-started':
      return outcome.message;
    case 'overflow':
      return `the answer has more than ${outcome.limitBytes} bytes`;
    case 'timed-out':
    case 'aborted':
      return `no answer within ${limitText(askTimeoutMs)}`;
  }
}

/** The engine that the Docker client of this machine talks to. */
export function localEngine(run: CommandRunner = runCommand): LocalEngine {
  const ask = async (
    argv: readonly string[],
  ): Promise<{ readonly out: string } | { readonly why: string }> => {
    const outcome = await run({ argv, timeoutMs: askTimeoutMs, signal: new AbortController().signal });
    if (outcome.kind === 'exited' && outcome.exitCode === 0) return { out: outcome.stdout };
    if (outcome.kind === 'exited') return { why: outcome.stderr.trim().split('\n').at(-1) ?? '' };
    return { why: whyNone(outcome) };
  };
  return {
    async containers() {
      const answer = await ask(['docker', 'ps', '--all', '--format', containersFormat]);
      return 'why' in answer ? answer.why : parseContainers(answer.out);
    },
    async mainProcess(container) {
      const answer = await ask(['docker', 'top', container, '-eo', 'pid,comm']);
      if ('why' in answer) return undefined;
      const names = answer.out
        .split('\n')
        .slice(1)
        .map((line) => line.trim().replace(/^\d+\s+/, ''))
        .filter((name) => name !== '');
      return names.find((name) => !inits.has(name));
    },
  };
}
