import { describe, expect, it } from 'vitest';
import { pipeCommand } from './pipe-command.ts';

/** The output of a command, and the reason of its end. */
async function talk(argv: readonly string[], write?: string): Promise<{ said: string; why: string }> {
  const pipe = pipeCommand(argv);
  let said = '';
  pipe.onData((bytes) => {
    said += Buffer.from(bytes).toString('utf8');
    if (said.includes('bye')) pipe.close();
  });
  const why = await new Promise<string>((resolve) => {
    pipe.onEnd(resolve);
    if (write !== undefined) pipe.write(Buffer.from(write));
  });
  return { said, why };
}

describe('a piped command', () => {
  it('exchanges data, and ends with its standard input', async () => {
    expect(await talk(['cat'], 'hello\0bye')).toEqual({ said: 'hello\0bye', why: 'closed' });
  });

  it('reports why it ended', async () => {
    const { why } = await talk(['sh', '-c', 'echo "no engine" >&2; exit 3']);
    expect(why).toBe('exit 3: no engine');
  });

  it('reports that it could not be started', async () => {
    expect((await talk(['/nonexistent/program'])).why).toContain('ENOENT');
  });

  it('is killed if it does not end with its standard input', async () => {
    const pipe = pipeCommand(['sh', '-c', 'trap "" TERM; echo $$; exec sleep 60']);
    const pid = await new Promise<number>((resolve) => {
      pipe.onData((bytes) => resolve(Number(Buffer.from(bytes).toString('utf8'))));
    });
    pipe.close();
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
