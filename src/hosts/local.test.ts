import { describe, expect, it } from 'vitest';
import { createHost } from './catalog.ts';

const host = createHost({ name: 'here', transport: { kind: 'local' } });

function limits(timeoutMs = 10_000): { timeoutMs: number; signal: AbortSignal } {
  return { timeoutMs, signal: AbortSignal.timeout(240_000) };
}

describe('local host', () => {
  it('is this machine, so no fault may cut its network', () => {
    expect(host.isThisMachine).toBe(true);
  });

  it('returns exit code and output, with unchanged arguments', async () => {
    const script = 'printf "%s\\n" "$1"; echo err >&2; exit 3';
    expect(await host.exec(['sh', '-c', script, 'sh', 'a  $b "c"'], limits())).toEqual({
      exitCode: 3,
      stdout: 'a  $b "c"\n',
      stderr: 'err\n',
    });
  });

  it('returns a shell’s exit codes for programs that cannot be started and for killed ones', async () => {
    expect(await host.exec(['/nonexistent/program'], limits())).toMatchObject({ exitCode: 127 });
    expect(await host.exec(['/etc/passwd'], limits())).toMatchObject({ exitCode: 126 });
    expect(await host.exec(['sh', '-c', 'kill -9 $$'], limits())).toMatchObject({ exitCode: 137 });
  });

  it('passes input, and an end of file without input', async () => {
    expect(await host.exec(['cat'], { ...limits(), input: 'text' })).toMatchObject({ stdout: 'text' });
    expect(await host.exec(['cat'], limits())).toMatchObject({ exitCode: 0, stdout: '' });
  });

  it('ends a command at its timeout while a grandchild holds the output open', async () => {
    const script = 'sleep 5378 & echo $!; wait';
    await expect(host.exec(['sh', '-c', script], limits(200))).rejects.toMatchObject({
      code: 'host-unreachable',
      message: expect.stringContaining('did not end within 200 ms') as string,
    });
    await expect
      .poll(async () => (await host.exec(['pgrep', '-f', '^sleep 5378$'], limits())).exitCode, {
        timeout: 120_000,
      })
      .toBe(1);
  });

  it('resolves at the timeout while a descendant in another session runs', async () => {
    const startMs = performance.now();
    await expect(host.exec(['sh', '-c', 'setsid sleep 100 & wait'], limits(200))).rejects.toThrow('200 ms');
    expect(performance.now() - startMs).toBeLessThan(90_000);
  });

  it('ends a command when aborted', async () => {
    const controller = new AbortController();
    const running = host.exec(['sleep', '60'], { timeoutMs: 60_000, signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(running).rejects.toMatchObject({ code: 'host-unreachable' });
    await expect(host.exec(['true'], { timeoutMs: 100, signal: controller.signal })).rejects.toThrow(
      'cut short',
    );
  });

  it('runs commands in English, with the sbin folders in PATH', async () => {
    const { stdout } = await host.exec(['sh', '-c', 'echo "$LC_ALL ${LANGUAGE-unset} $PATH"'], limits());
    expect(stdout).toMatch(/^C(\.UTF-8)? unset .*:\/usr\/sbin:\/sbin\n$/);
  });

  it('truncates the output at a given limit', async () => {
    const result = await host.exec(['sh', '-c', 'yes line'], { ...limits(), maxOutputBytes: 1000 });
    expect(result.truncated).toBe(true);
    expect(result.stdout.length).toBeLessThanOrEqual(1000);
    expect(result.stdout.startsWith('line\nline\n')).toBe(true);
  });

  it('reports too much output as an error without a given limit', async () => {
    await expect(host.exec(['sh', '-c', 'yes line'], limits())).rejects.toThrow(
      /wrote more than 16777216 bytes of output/,
    );
  });
});
