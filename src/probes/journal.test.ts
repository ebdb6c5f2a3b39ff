import { describe, expect, it } from 'vitest';
import { DrillError } from '../core/errors.ts';
import type { ExecOptions, ExecResult, Host } from '../core/host.ts';
import type { Observation } from '../core/sample.ts';
import { neverFollowed } from '../hosts/testing/never-followed.ts';
import { journal } from './journal.ts';
import { lookWith, openProbe } from './testing/look.ts';

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

/** A host whose journalctl gives these answers in turn. */
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
        asked.push({ argv, options });
        const answer = await answers.shift();
        if (answer instanceof Error) throw answer;
        return { exitCode: 0, stdout: '', stderr: '', ...answer };
      },
    },
  };
}

async function looks(count: number, on: Host, over: Partial<typeof fields> = {}): Promise<Observation[]> {
  const session = await openProbe(journal, { ...fields, ...over }, { host: on });
  const seen: Observation[] = [];
  for (let i = 0; i < count; i++) seen.push((await lookWith(session, 60_000)).seen);
  return seen;
}

describe('journal probe', () => {
  it('starts from the newest entry and asks for what came after, unit and containers side by side', async () => {
    const { host: on, asked } = host(
      { stdout: output({ cursor: 's=1;i=5' }) },
      { stdout: output({ cursor: 's=1;i=9' }) },
    );
    await looks(3, on);
    const common = ['journalctl', '--quiet', '--no-pager', '--output=json', '--output-fields=MESSAGE'];
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

  it('gives a mark for each line that matches, at the journal’s time', async () => {
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
    expect((await looks(2, on))[1]).toEqual({
      status: 'ok',
      marks: [
        { name: 'promote', wallMs: 1_700_000_000_000.125, text: 'rule 1: promoting standby' },
        { name: 'rule', wallMs: 1_700_000_000_000.125, text: 'rule 1: promoting standby' },
        { name: 'rule', wallMs: 1_700_000_000_002, text: 'rule 2 [0m' },
      ],
    });
  });

  it('picks the mark’s host and value out of the line where the pattern names them', async () => {
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
    expect((await looks(2, on, { marks }))[1]).toEqual({
      status: 'ok',
      marks: [
        { name: 'delivery', wallMs: 5, text: 'POST from node-2: MASTER', host: 'node-2', value: 'MASTER' },
        { name: 'state', wallMs: 6, text: 'entering BACKUP', value: 'BACKUP' },
      ],
    });
  });

  it('goes on after the last whole line when the output was cut', async () => {
    const torn = output({ cursor: 'b', message: 'rule 1' }, { cursor: 'c', message: 'rule 2' }).slice(0, -20);
    const { host: on, asked } = host(
      { stdout: output({ cursor: 'a' }) },
      { stdout: torn, truncated: true },
      {},
    );
    const seen = await looks(3, on);
    expect(seen[1]).toMatchObject({ marks: [{ text: 'rule 1' }] });
    expect(asked[2]!.argv).toContain('--after-cursor=b');
  });

  it('keeps its place while the host is away', async () => {
    const { host: on, asked } = host(
      { stdout: output({ cursor: 'a' }) },
      new DrillError('host-unreachable', 'node-1: not running'),
      { exitCode: 1, stderr: 'Failed to open journal' },
      { stdout: output({ cursor: 'b', message: 'rule 3' }) },
    );
    const seen = await looks(4, on);
    expect(seen.map((s) => s.status)).toEqual(['ok', 'unknown', 'unknown', 'ok']);
    expect(seen[1]).toMatchObject({ message: 'node-1: not running' });
    expect(asked.slice(1).every((a) => a.argv.includes('--after-cursor=a'))).toBe(true);
    expect(seen[3]).toMatchObject({ marks: [{ name: 'rule' }] });
  });

  it('reads an empty journal from its start, and a silent exit code 1 as nothing new', async () => {
    const { host: on, asked } = host({ exitCode: 1 }, { stdout: output({ cursor: 'a', message: 'rule 1' }) });
    const seen = await looks(2, on, { unit: 'a.service' });
    expect(seen[0]).toEqual({ status: 'ok' });
    expect(asked[1]!.argv.some((word) => word.startsWith('--after-cursor'))).toBe(false);
    expect(seen[1]).toMatchObject({ marks: [{ name: 'rule' }] });
  });

  it('never reads a line twice when looks overlap', async () => {
    const slow = Promise.withResolvers<Partial<ExecResult>>();
    const { host: on, asked } = host({ stdout: output({ cursor: 'a' }) }, slow.promise, {});
    const session = await openProbe(journal, fields, { host: on });
    await lookWith(session, 60_000);
    const both = [lookWith(session, 60_000), lookWith(session, 1000)];
    slow.resolve({ stdout: output({ cursor: 'b', message: 'rule 1' }) });
    const [first, second] = await Promise.all(both);
    expect(first!.seen).toMatchObject({ marks: [{ name: 'rule' }] });
    expect(second!.seen).toEqual({ status: 'ok', marks: [] });
    expect(asked[2]!.argv).toContain('--after-cursor=b');
  });
});
