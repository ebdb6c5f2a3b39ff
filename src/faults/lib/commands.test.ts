import { expect, test } from 'vitest';
import type { ExecResult, Host } from '../../core/host.ts';
import { runOk } from './commands.ts';

const { signal } = new AbortController();

function contextOf(result: ExecResult) {
  const host = { name: 'node-1', transport: 'ssh n1', exec: async () => result } as unknown as Host;
  return { host, signal };
}

test('the first line of the message contains the reason, however long the script is', async () => {
  const script = `(\n${'iptables -w -t mangle -D PREROUTING -s 192.0.2.9 -j DROP\n'.repeat(20)}) || exit`;
  const argv = ['systemd-run', '--quiet', '--unit=firedrill-ab12cd34-1', '/bin/sh', '-c', script];
  const failed = contextOf({ exitCode: 1, stdout: '', stderr: 'Failed to start transient unit\n' });
  await expect(runOk(failed, argv)).rejects.toThrow(
    'node-1: `systemd-run --quiet --unit=firedrill-ab12cd34-1 /bin/sh -c …` exited 1: Failed to start transient unit',
  );
});

test('a command without output is reported with its exit code only', async () => {
  const silent = contextOf({ exitCode: 3, stdout: '', stderr: '' });
  await expect(runOk(silent, ['systemctl', 'stop', 'app'])).rejects.toThrow(
    /^node-1: `systemctl stop app` exited 3$/,
  );
});
