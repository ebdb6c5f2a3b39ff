import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';

const url = new URL('./stop.ts', import.meta.url).href;

/**
 * Runs a program that listens for a stop. It performs the steps one after another, each after the output of the one before,
 * and then ends. `now` is the time of the listener's clock, ms. Returns the output.
 */
async function stopped(...steps: readonly string[]): Promise<string> {
  const program = `
    const { listenForStop } = await import(${JSON.stringify(url)});
    const send = (name) => process.kill(process.pid, name);
    let now = 0;
    const steps = [${steps.map((step) => `() => { ${step} }`).join(', ')}];
    const hold = setInterval(() => {}, 1000);
    const next = () => {
      const step = steps.shift();
      if (step !== undefined) return step();
      console.log('healed, exit ' + stop.exitCode() + (stop.abandonHeals.aborted ? ', heals abandoned' : ''));
      clearInterval(hold);
    };
    const stop = listenForStop((line) => {
      console.log(line.split('\\n')[0]);
      if (!line.startsWith('firedrill broke')) setImmediate(next);
    }, () => now);
    next();`;
  const { stdout } = await execa(process.execPath, ['--input-type=module', '--eval', program]);
  return stdout;
}

const stopping = (signal: string): string =>
  `${signal}: stopping; faults are healed first${signal === 'SIGINT' ? ' (Ctrl-C again ends the heal)' : ''}`;

describe('a stop', () => {
  test('by the end of the wrapper acts like a signal, and the wrapper does not keep the process alive', async () => {
    const program = `
      const { listenForStop } = await import(${JSON.stringify(url)});
      const stop = listenForStop(console.log);
      const hold = setInterval(() => {}, 1000);
      stop.signal.addEventListener('abort', () => {
        console.log(stop.signal.reason.message + ', exit ' + stop.exitCode());
        clearInterval(hold);
      });
      console.log('ready');
      if (process.argv[1] === 'done') clearInterval(hold);`;
    const run = async (arg: string, onSaid: (child: ChildProcess) => void): Promise<string> => {
      const child = spawn(process.execPath, ['--input-type=module', '--eval', program, arg], {
        stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      });
      if (child.stdout === null) throw new Error('no stdout');
      let said = '';
      child.stdout.on('data', (data: Buffer) => {
        if (said === '') onSaid(child);
        said += data.toString();
      });
      // After `disconnect` there is no event `close`.
      await Promise.all([once(child, 'exit'), once(child.stdout, 'end')]);
      return said;
    };
    expect(await run('drill', (child) => child.disconnect())).toBe(
      [
        'ready',
        'the process that started firedrill has ended: stopping; faults are healed first',
        'stopped: the process that started firedrill has ended, exit 143\n',
      ].join('\n'),
    );
    expect(await run('done', () => {})).toBe('ready\n');
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 143],
  ])('by %s heals first, and the same signal right after changes nothing', async (signal, exitCode) => {
    await expect(stopped(`send('${signal}')`, `now = 1999; send('${signal}')`)).resolves.toBe(
      [
        stopping(signal),
        `${signal}: already stopping; faults are healed first${signal === 'SIGINT' ? ' (Ctrl-C after 2 s ends the heal)' : ''}`,
        `healed, exit ${exitCode}`,
      ].join('\n'),
    );
  });

  test('leaves the channel alone if the program listens on it itself', async () => {
    const program = `
      const { listenForStop } = await import(${JSON.stringify(url)});
      process.on('message', () => process.disconnect());
      listenForStop(() => {}).dispose();
      process.send('ready');`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const exit = once(child, 'exit');
    await once(child, 'message');
    let answered = false;
    // Without other work, only the channel keeps the program alive until it gets this.
    setTimeout(() => child.send('end', () => (answered = true)), 300);
    expect(await exit).toEqual([0, null]);
    expect(answered).toBe(true);
  });

  test('by a second Ctrl-C, two seconds after the first, ends the heal', async () => {
    await expect(stopped("send('SIGINT')", "now = 2000; send('SIGINT')")).resolves.toBe(
      [
        stopping('SIGINT'),
        'SIGINT: the heal ends now; open faults keep their undo records; run `firedrill heal` to continue',
        'healed, exit 130, heals abandoned',
      ].join('\n'),
    );
  });

  test('by a second SIGTERM does not end the heal', async () => {
    await expect(stopped("send('SIGTERM')", "now = 60_000; send('SIGTERM')")).resolves.toBe(
      [stopping('SIGTERM'), 'SIGTERM: already stopping; faults are healed first', 'healed, exit 143'].join(
        '\n',
      ),
    );
  });

  test.each([
    ['a rejection that nobody took', "Promise.reject(new Error('lost'));"],
    ['an exception that nobody caught', "setImmediate(() => { throw new Error('lost'); });"],
  ])('by %s heals first', async (_what, code) => {
    await expect(stopped(code)).resolves.toBe(
      ['firedrill broke: Error: lost', 'faults are healed first', 'healed, exit 3'].join('\n'),
    );
  });

  test('by a defect during the heal is only reported', async () => {
    const broke = "setImmediate(() => { setImmediate(next); throw new Error('lost'); });";
    await expect(stopped("send('SIGTERM')", broke)).resolves.toBe(
      [stopping('SIGTERM'), 'firedrill broke: Error: lost', 'healed, exit 143'].join('\n'),
    );
  });
});
