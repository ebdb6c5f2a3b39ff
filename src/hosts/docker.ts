import { readFileSync, readlinkSync } from 'node:fs';
import { DrillError } from '../core/errors.ts';
import type { ExecOptions, ExecResult, Host, NoteListener, PowerSwitch } from '../core/host.ts';
import type { Transport } from '../core/plan.ts';
import { messageText } from '../core/message-text.ts';
import { commandError, followError } from './command-error.ts';
import { markedArgv, marksBytes, newMark, readMarks } from './command-marks.ts';
import { dockerContainer, type AskEngine } from './docker-container.ts';
import { followCommand, type CommandFollower } from './follow-command.ts';
import { keepShells, type ShellRunner } from './kept-shells.ts';
import { pipeCommand } from './pipe-command.ts';
import { runCommand, type CommandRunner, type Outcome } from './run-command.ts';
import { keptShell } from '../core/shell-quote.ts';
import type { DurationMs } from '../core/time.ts';
import { firstStray } from './host-notes.ts';

/**
 * Docker's own error messages. In a container without a shell there are no marks, so output that begins like this may be
 * Docker's and is checked further. Docker 20.10 prints the runtime's error on standard output, later versions on standard
 * error.
 */
const dockersWords =
  /^(Error response from daemon|Error: No such container|Cannot connect to the Docker daemon|error during connect|Failed to initialize|permission denied while trying to connect|OCI runtime exec failed)/;

/** The error of runc, crun, and their callers for a container without a shell. */
const noShell = /["'`]\/bin\/sh["'`].*(not found|no such file)/is;

/** Exit code of a command that was killed, also together with its container: 128 + SIGKILL. */
const killedExit = 137;

const inspectTimeoutMs = 5000;

/** Docker itself waits up to 10 s for the end of a killed container. */
const powerTimeoutMs = 30_000;

/**
 * A container as a host, reached with `docker exec`. The engine acts as its hypervisor: to kill the container is a power cut
 * (no process in it can close a connection), and to start it is a boot.
 *
 * If a command is cut short, the `docker exec` client dies, and the command inside may run on: Docker cannot end it. A
 * followed command ends, because its standard input is closed. Read-only commands run in kept shells (kept-shells.ts).
 */
export function createDockerHost(
  name: string,
  transport: Extract<Transport, { kind: 'docker' }>,
  run: CommandRunner = runCommand,
  followRun: CommandFollower = followCommand,
  keep: (start: readonly string[]) => ShellRunner = keepShells,
  onNote: NoteListener = () => {},
): Host {
  const { container } = transport;
  const docker = dockerText(transport);
  const reportStray = firstStray(name, onNote);
  let hasShell = true;
  const attempt = keep([...docker, 'exec', '-i', container, ...keptShell]);

  const exec = async (argv: readonly string[], options: ExecOptions): Promise<ExecResult> => {
    if (options.attempt === true) {
      const seen = await attempt({ argv, ...options });
      if (seen.kind === 'exited') return resultOf(seen);
      // The container has no shell or has stopped: `docker exec` reports which.
      if (seen.kind !== 'lost') throw commandError(name, argv, options.timeoutMs, seen);
    }
    if (hasShell) {
      const result = await execMarked(argv, options);
      if (result !== 'no-shell') return result;
      hasShell = false;
    }
    const outcome = await dockerExec(argv, options);
    return outcome.kind === 'exited'
      ? settle(argv, resultOf(outcome), options)
      : notExited(argv, options, outcome);
  };

  const dockerExec = (argv: readonly string[], options: ExecOptions): Promise<Outcome> => {
    const flags = options.input === undefined ? [] : ['-i'];
    return run({ argv: [...docker, 'exec', ...flags, container, ...argv], ...options });
  };

  /** Runs a command in a shell that marks its output. Without a shell, nothing runs. */
  const execMarked = async (
    argv: readonly string[],
    options: ExecOptions,
  ): Promise<ExecResult | 'no-shell'> => {
    const mark = newMark();
    const { maxOutputBytes } = options;
    const outcome = await dockerExec(markedArgv(argv, mark, 'run'), {
      ...options,
      ...(maxOutputBytes === undefined ? {} : { maxOutputBytes: maxOutputBytes + marksBytes }),
    });
    if (outcome.kind !== 'exited') return notExited(argv, options, outcome);
    const [out, errors] = [readMarks(mark, 'run'), readMarks(mark, 'run')];
    const stdout = out.add(Buffer.from(outcome.stdout));
    const stderr = errors.add(Buffer.from(outcome.stderr));
    const said = `${errors.stray}${out.stray}`.trim();
    if (out.started === undefined) {
      if (noShell.test(said)) return 'no-shell';
      const seen = await inspect(options.signal, options.timeoutFactor);
      throw unreachable(
        seen.problem ??
          (said || `\`docker exec\` ended with exit ${outcome.exitCode} before the command started`),
      );
    }
    reportStray(said);
    if (outcome.truncated) {
      const output = [stdout, stderr].map((bytes) => bytes.subarray(0, maxOutputBytes).toString('utf8'));
      return { exitCode: 0, stdout: output[0] ?? '', stderr: output[1] ?? '', truncated: true };
    }
    if (out.ended !== undefined && errors.ended !== undefined) {
      return { exitCode: out.ended, stdout: stdout.toString('utf8'), stderr: stderr.toString('utf8') };
    }
    const seen = await inspect(options.signal, options.timeoutFactor);
    if (!seen.running) throw unreachable(seen.problem ?? 'the container stopped');
    const why = `\`docker exec\` ended with exit ${outcome.exitCode} before the command ended`;
    throw commandError(name, argv, options.timeoutMs, { kind: 'lost', why });
  };

  const notExited = (
    argv: readonly string[],
    options: ExecOptions,
    outcome: Exclude<Outcome, { kind: 'exited' }>,
  ): never => {
    if (outcome.kind === 'not-started') throw unreachable(`\`docker\` cannot be started: ${outcome.message}`);
    throw commandError(name, argv, options.timeoutMs, outcome);
  };

  const follow: Host['follow'] = async function* (argv, signal) {
    const mark = newMark();
    const command = [...docker, 'exec', '-i', container, ...markedArgv(argv, mark, 'follow')];
    const outcome = yield* followRun({ argv: command, mark, signal });
    switch (outcome.kind) {
      case 'exited':
        return { exitCode: outcome.exitCode, stderr: outcome.stderr };
      case 'not-started':
        throw unreachable(`\`docker\` cannot be started: ${outcome.message}`);
      case 'not-run':
        throw unreachable(outcome.why || `\`docker exec\` ended with exit ${outcome.exitCode}`);
      case 'aborted':
      case 'lost':
        throw followError(name, argv, outcome);
    }
  };

  const pipe: Host['pipe'] = (argv) => {
    if (!hasShell) return pipeCommand([...docker, 'exec', '-i', container, ...argv]);
    const mark = newMark();
    return pipeCommand([...docker, 'exec', '-i', container, ...markedArgv(argv, mark, 'pipe')], { mark });
  };

  /** Distinguishes a failure of the command from a failure of Docker. */
  const settle = async (
    argv: readonly string[],
    result: ExecResult,
    options: ExecOptions,
  ): Promise<ExecResult> => {
    const output = `${result.stdout}${result.stderr}`.trim();
    const suspicious = dockersWords.test(output);
    if (result.exitCode === 0 || (!suspicious && result.exitCode !== killedExit)) return result;
    const seen = await inspect(options.signal, options.timeoutFactor);
    if (!seen.running) throw unreachable(seen.problem ?? (output || 'the container stopped'));
    if (!suspicious) return result;
    // On a node with its own engine, the command may be `docker`, too, and the message may be about an inner container.
    // A message about this container contains its name or id.
    const ours = [seen.id, `container: ${container}`, `Container ${container} `].some((n) =>
      output.includes(n),
    );
    if (!ours && callsDocker(argv)) return result;
    return ours ? fail(output) : runtimeFailure(output);
  };

  /** A missing program is a failure of the command (exit code 127), as on other hosts. */
  const runtimeFailure = (output: string): ExecResult => {
    if (!output.startsWith('OCI runtime exec failed')) return fail(output);
    if (/executable file not found|no such file or directory/.test(output)) {
      return { exitCode: 127, stdout: '', stderr: output };
    }
    if (output.includes('permission denied')) return { exitCode: 126, stdout: '', stderr: output };
    return fail(output);
  };

  const fail = (why: string): never => {
    throw unreachable(why);
  };

  const inspect = async (
    signal: AbortSignal,
    timeoutFactor = 1,
  ): Promise<{ readonly running: boolean; readonly id: string; readonly problem?: string }> => {
    const format = '{{.Id}} {{.State.Running}} {{.State.Paused}}';
    const outcome = await run({
      argv: [...docker, 'container', 'inspect', '--format', format, container],
      timeoutMs: inspectTimeoutMs * timeoutFactor,
      signal,
    });
    if (outcome.kind !== 'exited') return { running: false, id: '' };
    if (outcome.exitCode !== 0) return { running: false, id: '', problem: outcome.stderr.trim() };
    const [id = '', running, paused] = outcome.stdout.trim().split(' ');
    return { running: running === 'true' && paused === 'false', id };
  };

  const unreachable = (why: string): DrillError =>
    new DrillError('host-unreachable', `${name}: cannot access container ${container}: ${why}`, {
      hint: `Run \`${docker.join(' ')} exec ${container} true\` to see the error.`,
    });

  /** Runs a Docker command on the container. Returns its result, and throws if it did not exit. */
  const manage = async (
    words: readonly string[],
    timeoutMs: DurationMs,
    signal: AbortSignal,
  ): Promise<ExecResult> => {
    const argv = [...docker, ...words, container];
    const outcome = await run({ argv, timeoutMs, signal });
    switch (outcome.kind) {
      case 'exited':
        return outcome;
      case 'not-started':
        throw unreachable(`\`docker\` cannot be started: ${outcome.message}`);
      case 'timed-out':
      case 'aborted':
      case 'overflow':
        throw commandError(name, argv, timeoutMs, outcome);
    }
  };

  const ask: AskEngine = async (words, signal, timeoutFactor) => {
    const argv = [...docker, ...words];
    const outcome = await run({ argv, timeoutMs: inspectTimeoutMs * timeoutFactor, signal });
    if (outcome.kind === 'not-started') throw unreachable(`\`docker\` cannot be started: ${outcome.message}`);
    if (outcome.kind !== 'exited') throw commandError(name, argv, inspectTimeoutMs * timeoutFactor, outcome);
    if (outcome.exitCode !== 0) throw unreachable(outcome.stderr.trim());
    return outcome.stdout;
  };

  const isOn = async (signal: AbortSignal, timeoutFactor = 1): Promise<boolean> => {
    const words = ['container', 'inspect', '--format', '{{.State.Running}}'];
    const seen = await manage(words, inspectTimeoutMs * timeoutFactor, signal);
    const said = seen.stdout.trim();
    if (seen.exitCode !== 0) throw unreachable(seen.stderr.trim());
    if (said !== 'true' && said !== 'false')
      throw unreachable(
        `cannot parse the output of docker inspect (expected true or false): ${messageText(said, 120)}`,
      );
    return said === 'true';
  };

  const turn = async (
    verb: 'kill' | 'start',
    requested: boolean,
    signal: AbortSignal,
    timeoutFactor = 1,
  ): Promise<void> => {
    const done = await manage([verb], powerTimeoutMs * timeoutFactor, signal);
    // Docker refuses to kill a stopped container. Then the power is already off.
    if (done.exitCode !== 0 && (await isOn(signal, timeoutFactor)) !== requested)
      throw unreachable(done.stderr.trim());
  };

  const power: PowerSwitch = {
    describe: {
      cut: [...docker, 'kill', container].join(' '),
      on: [...docker, 'start', container].join(' '),
    },
    isOn,
    cut: (signal, timeoutFactor) => turn('kill', false, signal, timeoutFactor),
    on: (signal, timeoutFactor) => turn('start', true, signal, timeoutFactor),
  };

  const here = ownNetwork();
  return {
    name,
    transport: `${docker.join(' ')} exec ${container}`,
    exec,
    follow,
    pipe,
    power,
    container: {
      ...dockerContainer(container, ask, (answer) =>
        unreachable(`cannot parse the output of docker inspect: ${messageText(answer.trim(), 120)}`),
      ),
      ...(here === undefined ? {} : { ownNetwork: here }),
    },
  };
}

function resultOf(outcome: Extract<Outcome, { kind: 'exited' }>): ExecResult {
  const { kind: _, ...result } = outcome;
  return result;
}

/** The words that begin each `docker` command for this transport. */
export function dockerText({ context }: Extract<Transport, { kind: 'docker' }>): string[] {
  return ['docker', ...(context === undefined ? [] : ['--context', context])];
}

function callsDocker(argv: readonly string[]): boolean {
  return argv.some((word) => /(^|[\s/])docker(\s|$)/.test(word));
}

/** The network namespace of this process, as `printNetwork` prints it for a host; undefined if it cannot be read. */
function ownNetwork(): string | undefined {
  try {
    return `${readlinkSync('/proc/self/ns/net')}\n${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')}`;
  } catch {
    return undefined;
  }
}
