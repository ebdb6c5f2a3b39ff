import { expect, it } from 'vitest';
import { runCommand } from './run-command.ts';

/** Says when its trap is set, and cleans up when it gets SIGTERM. */
const script = 'trap "echo cleaned up; exit 7" TERM; echo ready; while :; do sleep 0.05; done';

it('gives a command time to clean up, and waits for its end', async () => {
  const stop = new AbortController();
  const lines: string[] = [];
  const outcome = await runCommand({
    argv: ['sh', '-c', script],
    timeoutMs: 240_000,
    signal: stop.signal,
    graceMs: 240_000,
    onLine: (line) => {
      lines.push(line);
      stop.abort();
    },
  });
  expect(outcome).toEqual({ kind: 'aborted' });
  expect(lines).toContain('cleaned up');
});
