import { commandWords } from '../core/command-words.ts';
import { DrillError } from '../core/errors.ts';
import type { ExecOptions, ExecResult, Host, NoteListener } from '../core/host.ts';
import type { SshTransport } from '../core/plan.ts';
import { commandError, followError, notRunError } from './command-error.ts';
import type { KnownHost } from './known-hosts.ts';
import { runCommand } from './run-command.ts';
import { runOnChannel } from './ssh-command.ts';
import {
  resolveRoute,
  sshWords,
  type SshRoute,
  type SshSettings,
  type SshEnvironment,
} from './ssh-config.ts';
import type { SshConnection } from './ssh-connection.ts';
import { firstStray } from './host-notes.ts';
import { followOnChannel } from './ssh-follow.ts';
import { pipeOverSsh } from './ssh-pipe.ts';
import { createPool, type SshPlace } from './ssh-pool.ts';

/** Time limit for killing a command that was cut short, ms. */
const endWithinMs = 5000;
/** How often a command is tried again if the server refuses its channel. */
const refusals = 5;

/**
 * A machine behind SSH, reached as `ssh` would reach it (ssh-config.ts). The first command opens the first connection.
 * Commands share connections, and idle connections are closed. If a connection breaks, the outcome of its commands is
 * unknown. It is opened again only for the next command.
 *
 * If a command is cut short, another command kills its process group on the host. Without a connection it may run on.
 * A followed command ends with its channel.
 */
export function createSshHost(
  name: string,
  transport: SshTransport,
  around: SshEnvironment = { run: runCommand, env: process.env },
  onNote: NoteListener = () => {},
): Host {
  const reportStray = firstStray(name, onNote);
  const sudo = transport.sudo === true;
  /** Host keys that were accepted unchecked (StrictHostKeyChecking). */
  const learned: KnownHost[] = [];
  let route: SshRoute | undefined;

  /** Reports unsupported keywords of ssh_config once, when they are read. */
  const noted = (resolved: SshRoute): SshRoute => {
    for (const { asked, unsupported } of settingsOn(resolved)) {
      if (unsupported.length === 0) continue;
      onNote({
        message: `${name}: ssh_config for ${asked} has settings that firedrill does not support: ${unsupported.join(', ')}`,
        hint: 'If the login works, ignore this. Otherwise use a key or a jump host that does not need these settings.',
      });
    }
    return resolved;
  };

  const open = async (timeoutFactor: number): Promise<SshConnection> => {
    try {
      route ??= noted(await resolveRoute(transport, around));
      // Loading the library takes 0.1 s and 18 MB, so only SSH hosts load it.
      const { openConnection } = await import('./ssh-connection.ts');
      return await openConnection(withPatience(route, timeoutFactor), learned, around);
    } catch (error) {
      if (!(error instanceof DrillError)) throw error;
      const { code, message, hint, cause } = error;
      throw new DrillError(code, `${name}: ${message}`, { ...(hint === undefined ? {} : { hint }), cause });
    }
  };
  const pool = createPool(open);

  /** A place for a command. Rejects when the signal aborts. */
  const place = async (
    argv: readonly string[],
    signal: AbortSignal,
    cut: () => DrillError,
    timeoutFactor = 1,
  ): Promise<SshPlace> => {
    try {
      return await pool.take(signal, timeoutFactor);
    } catch (error) {
      if (!signal.aborted) throw error;
      if (signal.reason !== timedOut) throw cut();
      throw new DrillError(
        'host-unreachable',
        `${name}: ${commandWords(argv)} was not started: no SSH connection was available in time`,
        {
          hint: `Run \`${sshWords(transport)} true\` to see whether and how fast the login works.`,
          cause: error,
        },
      );
    }
  };

  const exec = async (argv: readonly string[], options: ExecOptions): Promise<ExecResult> => {
    const limits = new AbortController();
    const onAbort = (): void => limits.abort();
    if (options.signal.aborted) onAbort();
    options.signal.addEventListener('abort', onAbort, { once: true });
    const timer = setTimeout(() => limits.abort(timedOut), options.timeoutMs);
    const { input, maxOutputBytes } = options;
    const broken = (outcome: Parameters<typeof commandError>[3]): DrillError =>
      commandError(name, argv, options.timeoutMs, outcome);
    try {
      for (let refused = 0; ; refused += 1) {
        const cut = (): DrillError => broken({ kind: 'aborted' });
        const { connection, release } = await place(argv, limits.signal, cut, options.timeoutFactor);
        const command = { argv, sudo, signal: limits.signal, input, maxOutputBytes };
        const { outcome, stray, leftBehind } = await runOnChannel(connection, command);
        release(outcome.kind === 'full' ? 'full' : undefined);
        void leftBehind?.then(endGroup);
        switch (outcome.kind) {
          case 'exited': {
            const { kind: _, ...result } = outcome;
            reportStray(stray);
            return result;
          }
          case 'cut':
            throw broken({ kind: limits.signal.reason === timedOut ? 'timed-out' : 'aborted' });
          case 'refused':
          case 'not-run':
            throw notRunError(name, argv, outcome, sshWords(transport));
          case 'full':
            if (refused < refusals) continue;
            throw new DrillError(
              'host-unreachable',
              `${name}: ${commandWords(argv)} was not started: ${outcome.why}`,
            );
          case 'overflow':
          case 'lost':
            throw broken(outcome);
        }
      }
    } finally {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', onAbort);
    }
  };

  /** Kills the process group of a command that was cut short. Without a connection, the command runs on. */
  const endGroup = async (leader: number | undefined): Promise<void> => {
    if (leader === undefined) return;
    const signal = AbortSignal.timeout(endWithinMs);
    const script = 'kill -s KILL -- "-$1" || kill -s KILL "$1"';
    try {
      const { connection, release } = await pool.take(signal);
      const argv = ['/bin/sh', '-c', script, 'end', String(leader)];
      await runOnChannel(connection, { argv, sudo, signal });
      release();
    } catch {
      // The caller already has the error that the outcome is unknown.
    }
  };

  const follow: Host['follow'] = async function* (argv, signal) {
    const aborted = (): DrillError => followError(name, argv, { kind: 'aborted' });
    const { connection, release } = await place(argv, signal, aborted);
    try {
      const outcome = yield* followOnChannel(connection, { argv, sudo, signal, onStray: reportStray });
      if (outcome.kind === 'refused' || outcome.kind === 'not-run') {
        throw notRunError(name, argv, outcome, sshWords(transport));
      }
      if (outcome.kind !== 'exited') throw followError(name, argv, outcome);
      const { exitCode, stderr } = outcome;
      return { exitCode, stderr };
    } finally {
      release();
    }
  };

  const pipe: Host['pipe'] = (argv) =>
    pipeOverSsh({ take: (signal) => pool.take(signal), argv, sudo, onStray: reportStray });

  return { name, transport: sshWords(transport), exec, follow, pipe };
}

/** The settings of the host and of all jump hosts before it. */
function settingsOn({ settings, via }: SshRoute): readonly SshSettings[] {
  return [settings, ...(via === undefined ? [] : settingsOn(via))];
}

/** The same route with each connect timeout multiplied by `factor`. */
function withPatience({ settings, via }: SshRoute, factor: number): SshRoute {
  return {
    settings: { ...settings, connectTimeoutMs: settings.connectTimeoutMs * factor },
    ...(via === undefined ? {} : { via: withPatience(via, factor) }),
  };
}

const timedOut = Symbol('timed out');
