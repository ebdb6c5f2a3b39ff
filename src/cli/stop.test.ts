import { execa } from 'execa';
import { describe, expect, test } from 'vitest';

const url = new URL('./stop.ts', import.meta.url).href;

/** Runs a program that listens for a stop, does something, and ends when it is told to; what it printed. */
async function stopped(what: string): Promise<string> {
  const program = `
    const { listenForStop } = await import(${JSON.stringify(url)});
    const stop = listenForStop((line) => console.log(line.split('\\n')[0]));
    const hold = setInterval(() => {}, 1000);
    stop.signal.addEventListener('abort', () => setTimeout(() => {
      console.log('healed, exit ' + stop.exitCode());
      clearInterval(hold);
    }, 100));
    ${what}`;
  const { stdout } = await execa(process.execPath, ['--input-type=module', '--eval', program]);
  return stdout;
}

describe('what stops a drill', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 143],
  ])('%s heals first, and more of it changes nothing', async (signal, exitCode) => {
    const twice = `process.kill(process.pid, '${signal}'); setTimeout(() => process.kill(process.pid, '${signal}'), 40);`;
    await expect(stopped(twice)).resolves.toBe(
      [
        `${signal}: stopping; what was broken is healed first`,
        `${signal}: already stopping; healing comes first`,
        `healed, exit ${exitCode}`,
      ].join('\n'),
    );
  });

  test.each([
    ['a rejection that nobody took', "Promise.reject(new Error('lost'));"],
    ['an exception that nobody caught', "setTimeout(() => { throw new Error('lost'); }, 1);"],
  ])('%s heals first', async (_what, code) => {
    await expect(stopped(code)).resolves.toBe(
      ['firedrill broke: Error: lost', 'what was broken is healed first', 'healed, exit 3'].join('\n'),
    );
  });

  test('a defect while it heals is told, and no more', async () => {
    await expect(
      stopped("process.kill(process.pid, 'SIGTERM'); setTimeout(() => { throw new Error('lost'); }, 50);"),
    ).resolves.toBe(
      [
        'SIGTERM: stopping; what was broken is healed first',
        'firedrill broke: Error: lost',
        'healed, exit 143',
      ].join('\n'),
    );
  });
});
