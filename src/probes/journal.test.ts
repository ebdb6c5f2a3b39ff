import { beforeEach, describe, expect, it } from 'vitest';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DrillError } from '../core/errors.ts';
import type { ExecOptions, ExecResult, Host } from '../core/host.ts';
import type { Observation } from '../core/sample.ts';
import { createLocalHost } from '../hosts/local.ts';
import { neverFollowed } from '../hosts/testing/never-followed.ts';
import { journal } from './journal.ts';
import { wrongNames } from './lib/journal-names.ts';
import { observe, observeTimes, openProbe } from './testing/attempt.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';

const fields = {
  unit: 'cl-watchdog.service',
  containers: ['app-postgres', 'app-router'],
  marks: [
    { name: 'promote', match: 'promoting standby' },
    { name: 'rule', match: '^rule [123]' },
  ],
};

interface Line {
  readonly cursor: string;
  readonly wallMs?: number;
  readonly message?: unknown;
}

function output(...lines: Line[]): string {
  return lines
    .map(({ cursor, wallMs = 0, message = '' }) =>
      JSON.stringify({ __CURSOR: cursor, __REALTIME_TIMESTAMP: String(wallMs * 1000), MESSAGE: message }),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** The host's output about the unit and the containers when the probe opens. */
const known = 'unit logged loaded\ncontainer logged journald\ncontainer logged journald\n';
let names: { readonly stdout: string };
beforeEach(() => {
  names = { stdout: `names-begin\n${known}names-end\n` };
});

/** A host whose journalctl returns these results in turn. */
function host(...answers: (Partial<ExecResult> | Error | Promise<Partial<ExecResult>>)[]): {
  host: Host;
  asked: { argv: readonly string[]; options: ExecOptions }[];
} {
  const asked: { argv: readonly string[]; options: ExecOptions }[] = [];
  return {
    asked,
    host: {
      name: 'node-1',
      transport: 'fake',
      follow: neverFollowed,
      exec: async (argv, options) => {
        if (argv[0] === 'sh') return { exitCode: 0, stderr: '', ...names };
        asked.push({ argv, options });
        const answer = await answers.shift();
        if (answer instanceof Error) throw answer;
        return { exitCode: 0, stdout: '', stderr: '', ...answer };
      },
    },
  };
}

async function attempts(count: number, on: Host, over: Partial<typeof fields> = {}): Promise<Observation[]> {
  const session = await openProbe(journal, { ...fields, ...over }, { host: on });
  return observeTimes(session, count);
}

describe('journal probe', () => {
  it('starts at the newest entry and reads the entries after it, of the unit and of the containers', async () => {
    const { host: on, asked } = host(
      { stdout: output({ cursor: 's=1;i=5' }) },
      { stdout: output({ cursor: 's=1;i=9' }) },
    );
    await attempts(3, on);
    const common = [
      'env',
      'LC_ALL=C',
      'journalctl',
      '--no-pager',
      '--output=json',
      '--output-fields=MESSAGE',
    ];
    const matches = [
      '_SYSTEMD_UNIT=cl-watchdog.service',
      '+',
      '_PID=1',
      'UNIT=cl-watchdog.service',
      '+',
      'CONTAINER_NAME=app-postgres',
      'CONTAINER_NAME=app-router',
    ];
    expect(asked.map((a) => a.argv)).toEqual([
      [...common, '--lines=1'],
      [...common, '--after-cursor=s=1;i=5', ...matches],
      [...common, '--after-cursor=s=1;i=9', ...matches],
    ]);
    expect(asked[1]!.options.maxOutputBytes).toBeGreaterThan(0);
  });

  it('creates a mark for each matching line, with the journal’s time', async () => {
    const { host: on } = host(
      { stdout: output({ cursor: 'a' }) },
      {
        stdout: output(
          { cursor: 'b', wallMs: 1_700_000_000_000.125, message: 'rule 1: promoting standby' },
          { cursor: 'c', wallMs: 1_700_000_000_001, message: 'nothing' },
          { cursor: 'd', wallMs: 1_700_000_000_002, message: [...Buffer.from('rule 2\u001b[0m')] },
          { cursor: 'e', message: null },
        ),
      },
    );
    expect((await attempts(2, on))[1]).toEqual({
      status: 'ok',
      marks: [
        { name: 'promote', wallMs: 1_700_000_000_000.125, text: 'rule 1: promoting standby' },
        { name: 'rule', wallMs: 1_700_000_000_000.125, text: 'rule 1: promoting standby' },
        { name: 'rule', wallMs: 1_700_000_000_002, text: 'rule 2 [0m' },
      ],
    });
  });

  it('reads the mark’s host and value from the named groups of the pattern', async () => {
    const marks = [
      { name: 'delivery', match: 'from (?<host>[\\w-]+): (?<value>[A-Z]+)' },
      { name: 'state', match: 'entering (?<value>\\w+)(?: on (?<host>\\S+))?' },
    ];
    const { host: on } = host(
      { stdout: output({ cursor: 'a' }) },
      {
        stdout: output(
          { cursor: 'b', wallMs: 5, message: 'POST from node-2: MASTER' },
          { cursor: 'c', wallMs: 6, message: 'entering BACKUP' },
        ),
      },
    );
    expect((await attempts(2, on, { marks }))[1]).toEqual({
      status: 'ok',
      marks: [
        { name: 'delivery', wallMs: 5, text: 'POST from node-2: MASTER', host: 'node-2', value: 'MASTER' },
        { name: 'state', wallMs: 6, text: 'entering BACKUP', value: 'BACKUP' },
      ],
    });
  });

  it('continues after the last complete line of a truncated output', async () => {
    const torn = output({ cursor: 'b', message: 'rule 1' }, { cursor: 'c', message: 'rule 2' }).slice(0, -20);
    const { host: on, asked } = host(
      { stdout: output({ cursor: 'a' }) },
      { stdout: torn, truncated: true },
      {},
    );
    const seen = await attempts(3, on);
    expect(seen[1]).toMatchObject({ marks: [{ text: 'rule 1' }] });
    expect(asked[2]!.argv).toContain('--after-cursor=b');
  });

  it('keeps its position while the host is unreachable', async () => {
    const { host: on, asked } = host(
      { stdout: output({ cursor: 'a' }) },
      new DrillError('host-unreachable', 'node-1: not running'),
      { exitCode: 1, stderr: 'Failed to open journal' },
      { stdout: output({ cursor: 'b', message: 'rule 3' }) },
    );
    const seen = await attempts(4, on);
    expect(seen.map((s) => s.status)).toEqual(['ok', 'unknown', 'unknown', 'ok']);
    expect(seen[1]).toMatchObject({ message: 'node-1: not running' });
    expect(asked.slice(1).every((a) => a.argv.includes('--after-cursor=a'))).toBe(true);
    expect(seen[3]).toMatchObject({ marks: [{ name: 'rule' }] });
  });

  it('reads an empty journal from its start, and a silent exit code 1 as nothing new', async () => {
    const { host: on, asked } = host({ exitCode: 1 }, { stdout: output({ cursor: 'a', message: 'rule 1' }) });
    const seen = await attempts(2, on, { unit: 'a.service' });
    expect(seen[0]).toEqual({ status: 'ok' });
    expect(asked[1]!.argv.some((word) => word.startsWith('--after-cursor'))).toBe(false);
    expect(seen[1]).toMatchObject({ marks: [{ name: 'rule' }] });
  });

  it('never reports a line twice when samples overlap', async () => {
    const slow = Promise.withResolvers<Partial<ExecResult>>();
    const { host: on, asked } = host({ stdout: output({ cursor: 'a' }) }, slow.promise, {});
    const session = await openProbe(journal, fields, { host: on });
    await observe(session);
    const both = [observe(session), observe(session, 1000)];
    slow.resolve({ stdout: output({ cursor: 'b', message: 'rule 1' }) });
    const [first, second] = await Promise.all(both);
    expect(first).toMatchObject({ marks: [{ name: 'rule' }] });
    expect(second).toEqual({ status: 'ok', marks: [] });
    expect(asked[2]!.argv).toContain('--after-cursor=b');
  });

  it('reads a unit without a suffix as a service', async () => {
    const { host: on, asked } = host(
      { stdout: output({ cursor: 'a' }) },
      {},
      { stdout: output({ cursor: 'b' }) },
    );
    await attempts(2, on, { unit: 'keepalived', containers: ['web'] });
    expect(asked[1]!.argv.slice(6)).toEqual([
      '--after-cursor=a',
      '_SYSTEMD_UNIT=keepalived.service',
      '+',
      '_PID=1',
      'UNIT=keepalived.service',
      '+',
      'CONTAINER_NAME=web',
    ]);
  });

  it.each(['keepalived*', 'a b', 'x/y'])('refuses %j as the name of a unit', (unit) => {
    expect(journal.params.safeParse({ ...fields, unit }).success).toBe(false);
  });

  it.each([
    ['bash', 'bash: warning: setlocale: LC_ALL: cannot change locale (de_DE.UTF-8)'],
    ['sudo', 'sudo: unable to resolve host n1: Name or service not known'],
    ['a profile', '/etc/profile.d/motd.sh: line 3: figlet: command not found'],
  ])('ignores noise of %s', async (_who, stderr) => {
    const { host: on } = host({ stdout: output({ cursor: 'a' }) }, { exitCode: 1, stderr });
    expect((await attempts(2, on))[1]).toEqual({ status: 'ok', marks: [] });
  });

  it.each([
    ['No journal files were opened due to insufficient permissions.', 1],
    ['No journal files were found.', 0],
    ['Hint: You are currently not seeing messages from other users and the system.', 0],
    ['sudo: a password is required', 1],
    ['sudo: unable to resolve host n1: no\nsudo: a password is required', 1],
    ['journalctl: something that it never said before', 1],
  ])('is unknown if the journal is not readable: %s', async (stderr, exitCode) => {
    const { host: on } = host({ exitCode, stderr });
    expect((await attempts(1, on))[0]).toMatchObject({ status: 'unknown' });
  });

  it('restarts at the newest entry if its cursor is invalid, and reports that once', async () => {
    const { host: on, asked } = host(
      { stdout: output({ cursor: 'a' }) },
      { exitCode: 1, stderr: 'Failed to seek to cursor: Invalid argument' },
      { stdout: output({ cursor: 'b' }) },
      { stdout: output({ cursor: 'c', message: 'rule 1' }) },
    );
    const seen = await attempts(4, on);
    expect(seen.map((s) => s.status)).toEqual(['ok', 'unknown', 'ok', 'ok']);
    expect(asked[3]!.argv).toContain('--after-cursor=b');
    expect(seen[3]).toMatchObject({ marks: [{ name: 'rule' }] });
  });
});

describe('names that filter a journal', () => {
  const refused = async (stdout: string): Promise<string | undefined> => {
    names = { stdout: `motd\nnames-begin\n${stdout}names-end\n` };
    try {
      await openProbe(journal, fields, { host: host().host });
      return undefined;
    } catch (error) {
      return error instanceof DrillError && error.code === 'invalid-input' ? error.message : String(error);
    }
  };
  const containers = 'container logged journald\n'.repeat(2);

  it.each([
    ['an unknown unit', `unit unlogged not-found\n${containers}`, 'node-1 has no unit cl-watchdog.service'],
    [
      'an unknown container',
      'unit logged loaded\ncontainer unlogged error Error response from daemon: No such container: app-postgres\ncontainer logged journald\n',
      'node-1 has no container app-postgres, and its journal has no line from it',
    ],
    [
      'a container that does not log to the journal',
      'unit logged loaded\ncontainer unlogged json-file\ncontainer logged journald\n',
      'container app-postgres on node-1 logs with the driver json-file, not to the journal',
    ],
  ])('refuses %s', async (_what, stdout, message) => {
    expect(await refused(stdout)).toBe(message);
  });

  it.each([
    ['a unit that has not logged yet', `unit unlogged loaded\n${containers}`],
    ['a unit that was transient', `unit logged not-found\n${containers}`],
    [
      'a missing container with lines in the journal',
      `unit logged loaded\ncontainer logged error No such container: x\n${containers}`,
    ],
    [
      'a name that could not be checked',
      `unit unlogged \ncontainer unlogged error Cannot connect to the Docker daemon\n${containers}`,
    ],
    ['a host that did not run it', ''],
  ])('accepts %s', async (_what, stdout) => {
    expect(await refused(stdout)).toBeUndefined();
  });

  it('checks systemd, the engine, and the journal', async () => {
    const folder = temporaryFolder();
    const program = (name: string, text: string): void =>
      writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    program('journalctl', '[ "$2" = --field=_SYSTEMD_UNIT ] && echo ran.service; exit 0');
    program('systemctl', 'echo LoadState=not-found');
    program('docker', 'echo "Error: No such container: $6" >&2; exit 1');
    const local = createLocalHost('node-1');
    const path = `PATH=${folder}:${process.env['PATH'] ?? ''}`;
    const on: Host = { ...local, exec: (argv, options) => local.exec(['env', path, ...argv], options) };
    const asks = (unit: string, ...containers: string[]) =>
      wrongNames({ unit, containers }, on, AbortSignal.timeout(60_000));
    expect(await asks('ran.service')).toEqual([]);
    expect(await asks('never.service', 'web')).toEqual([
      'node-1 has no unit never.service',
      'node-1 has no container web, and its journal has no line from it',
    ]);
    program('systemctl', 'echo "Failed to connect to bus" >&2; exit 1');
    program('docker', 'echo "Cannot connect to the Docker daemon" >&2; exit 1');
    expect(await asks('never.service', 'web')).toEqual([]);
    program('docker', 'echo json-file');
    expect((await asks('ran.service', 'web'))[0]).toContain('driver json-file');
  });
});
