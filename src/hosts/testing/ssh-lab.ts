import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Host, NoteListener } from '../../core/host.ts';
import type { SshTransport } from '../../core/plan.ts';
import type { CommandRunner } from '../run-command.ts';
import { createSshHost } from '../ssh.ts';
import {
  makeKey,
  startSshServer,
  type SshServer,
  type SshServerOptions,
  type TestKey,
} from './ssh-server.ts';
import { ownLoopback } from './own-loopback.ts';

/** The output of `ssh -G` for a host, by name. A list repeats the name. */
export type Said = Readonly<Record<string, string | readonly string[]>>;

/** For tests: replaces `ssh -G`, so that no SSH client is needed. The last word of the command is the host. */
export function outcome(hosts: Readonly<Record<string, Said>>): CommandRunner {
  return async ({ argv }) => {
    const said = hosts[argv.at(-1) ?? ''];
    if (said === undefined) return { kind: 'exited', exitCode: 255, stdout: '', stderr: 'no such host\n' };
    const lines = Object.entries(said).flatMap(([name, value]) =>
      (typeof value === 'string' ? [value] : value).map((one) => `${name} ${one}\n`),
    );
    return { kind: 'exited', exitCode: 0, stdout: lines.join(''), stderr: '' };
  };
}

/** For tests: an SSH server, a folder with an accepted key and known_hosts, and hosts that connect to the server. */
export interface SshLab {
  readonly server: SshServer;
  readonly key: TestKey;
  readonly folder: string;
  /** Writes a file into the folder and returns its path. */
  write(name: string, text: string): string;
  /** The output of `ssh -G` for the server, with changes. */
  said(changes?: Said): Said;
  host(
    changes?: Said,
    env?: Readonly<Record<string, string>>,
    more?: Partial<SshTransport>,
    onNote?: NoteListener,
  ): Host;
  close(): Promise<void>;
}

export async function startSshLab(options: Omit<SshServerOptions, 'accept'> = {}): Promise<SshLab> {
  const folder = mkdtempSync(join(tmpdir(), 'ssh-'));
  const key = makeKey();
  const server = await startSshServer({ ...options, accept: [key] });
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const identityfile = write('key', key.privateText);
  const userknownhostsfile = write(
    'known_hosts',
    `[${ownLoopback}]:${server.port} ${server.hostKey.publicLine}\n`,
  );
  const said = (changes: Said = {}): Said => ({
    hostname: ownLoopback,
    port: String(server.port),
    user: 'tester',
    identityfile,
    userknownhostsfile,
    ...changes,
  });
  return {
    server,
    key,
    folder,
    write,
    said,
    host: (changes, env = {}, more = {}, onNote) =>
      createSshHost(
        'node-1',
        { kind: 'ssh', host: 'n1', ...more },
        { run: outcome({ n1: said(changes) }), env },
        onNote,
      ),
    close: async () => {
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
}
