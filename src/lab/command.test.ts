import { describe, expect, it } from 'vitest';
import { describeFailure, runCommand } from './command.ts';

const limits = (
  timeoutMs = 10_000,
  signal = new AbortController().signal,
): { timeoutMs: number; signal: AbortSignal } => ({
  timeoutMs,
  signal,
});

describe('runCommand', () => {
  it('returns a non-zero exit code as data', async () => {
    const result = await runCommand(['sh', '-c', 'echo out; echo err >&2; exit 3'], limits());
    expect(result).toMatchObject({
      exitCode: 3,
      stdout: 'out\n',
      stderr: 'err\n',
      timedOut: false,
      startError: undefined,
    });
  });

  it('passes input and environment on', async () => {
    const result = await runCommand(['sh', '-c', 'cat; echo "$X"'], {
      ...limits(),
      input: 'in\n',
      env: { X: 'y' },
    });
    expect(result.stdout).toBe('in\ny\n');
  });

  it('reports output while the command runs, and keeps all of it', async () => {
    const lines: string[] = [];
    const result = await runCommand(
      ['sh', '-c', 'printf "a\\nb"; sleep 0.2; printf "c\\r50 %%\\n" >&2; echo d'],
      {
        ...limits(),
        onLine: (line) => lines.push(line),
      },
    );
    expect(lines).toHaveLength(3);
    expect(lines).toEqual(expect.arrayContaining(['a', '50 %', 'bd']));
    expect(result).toMatchObject({ stdout: 'a\nbd\n', stderr: 'c\r50 %\n' });
  });

  it('reports a command that cannot be started', async () => {
    const result = await runCommand(['/no/such/command'], limits());
    expect(result.exitCode).toBeUndefined();
    expect(result.startError).toContain('ENOENT');
    expect(describeFailure(['/no/such/command'], result)).toContain('ENOENT');
  });

  it('kills a command at its timeout, with grandchildren that hold its output', async () => {
    const startedMs = performance.now();
    const result = await runCommand(['sh', '-c', 'sleep 200 & sleep 200'], limits(200));
    expect(result.timedOut).toBe(true);
    expect(performance.now() - startedMs).toBeLessThan(180_000);
    expect(describeFailure(['x'], result)).toContain('did not finish in time');
  });

  it('throws the reason of an abort', async () => {
    const stop = new AbortController();
    const running = runCommand(['sleep', '60'], limits(30_000, stop.signal));
    stop.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
  });
});
