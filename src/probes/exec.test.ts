import { describe, expect, it } from 'vitest';
import { DrillError } from '../core/errors.ts';
import type { ExecOptions, ExecResult, Host } from '../core/host.ts';
import { neverFollowed } from '../hosts/testing/never-followed.ts';
import { exec } from './exec.ts';
import { attemptOnce, openProbe } from './testing/attempt.ts';

function hostThat(answer: (argv: readonly string[], options: ExecOptions) => Promise<ExecResult>): Host {
  return { name: 'node-1', transport: 'fake', exec: answer, follow: neverFollowed };
}

const exits = (exitCode: number, stdout = '', stderr = ''): Host =>
  hostThat(async () => ({ exitCode, stdout, stderr }));

describe('exec probe', () => {
  it('runs the command and returns its trimmed output', async () => {
    const asked: (readonly string[])[] = [];
    const host = hostThat(async (argv) => {
      asked.push(argv);
      return { exitCode: 0, stdout: ' active\n', stderr: '' };
    });
    const { seen } = await attemptOnce(exec, { argv: ['systemctl', 'is-active', 'app'] }, { host });
    expect(seen).toEqual({ status: 'ok', value: 'active' });
    expect(asked).toEqual([['systemctl', 'is-active', 'app']]);
  });

  it('captures the value and maps it', async () => {
    const fields = { argv: ['redis-cli', 'role'], value: '^role:(\\w+)', map: { master: 'primary' } };
    const { seen } = await attemptOnce(exec, fields, { host: exits(0, 'role:master\nslaves:1') });
    expect(seen).toEqual({ status: 'ok', value: 'primary' });
    const other = await attemptOnce(exec, fields, { host: exits(0, 'nothing') });
    expect(other.seen).toMatchObject({ status: 'fail', cause: 'bad-body' });
  });

  it('fails for an unexpected exit code', async () => {
    const { seen } = await attemptOnce(exec, { argv: ['x'] }, { host: exits(3, 'out', 'inactive') });
    expect(seen).toEqual({ status: 'fail', cause: 'error', message: 'exit 3: inactive' });
    const silent = await attemptOnce(exec, { argv: ['false'] }, { host: exits(1) });
    expect(silent.seen).toEqual({ status: 'fail', cause: 'error', message: 'exit 1' });
    expect((await attemptOnce(exec, { argv: ['x'], expectExit: 3 }, { host: exits(3) })).seen.status).toBe(
      'ok',
    );
  });

  it('is unknown for the exit code `unknownExit`', async () => {
    const fields = { argv: ['check_x'], unknownExit: 3 };
    const { seen } = await attemptOnce(exec, fields, { host: exits(3, 'UNKNOWN: no socket') });
    expect(seen).toEqual({
      status: 'unknown',
      message: 'the command reported unknown: exit 3: UNKNOWN: no socket',
    });
    expect((await attemptOnce(exec, fields, { host: exits(2) })).seen.status).toBe('fail');
    expect((await attemptOnce(exec, fields, { host: exits(0) })).seen.status).toBe('ok');
    const both = exec.params.parse({ argv: ['x'], unknownExit: 3, expectExit: 3 });
    expect(exec.conflict?.(both)?.message).toContain(
      'unknownExit: 3 is also the exit code that counts as good',
    );
  });

  it('is unknown if the host is unreachable or the command cannot be started', async () => {
    const down = hostThat(async () => {
      throw new DrillError('host-unreachable', 'node-1: not running');
    });
    expect((await attemptOnce(exec, { argv: ['x'] }, { host: down })).seen).toEqual({
      status: 'unknown',
      message: 'node-1: not running',
    });
    expect((await attemptOnce(exec, { argv: ['x'] }, { host: exits(127) })).seen.status).toBe('unknown');
  });

  it('fails as timeout when the command does not end', async () => {
    const host = hostThat(
      async (_argv, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new DrillError('host-unreachable', 'cut short')));
        }),
    );
    const { seen, tookMs } = await attemptOnce(exec, { argv: ['x'] }, { host, timeoutMs: 100 });
    expect(seen).toMatchObject({ status: 'fail', cause: 'timeout' });
    expect(tookMs).toBeGreaterThan(99);
  });

  it('refuses to open without a host', async () => {
    await expect(openProbe(exec, { argv: ['x'] })).rejects.toMatchObject({ code: 'invalid-input' });
  });
});
