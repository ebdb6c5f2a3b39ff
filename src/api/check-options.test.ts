import { expect, test } from 'vitest';
import { drill, type DrillOptions } from './drill.ts';
import { plan } from './plan.ts';
import { report } from './report.ts';

// A scenario that does not exist: the options are checked before anything is read.
test.each<readonly [unknown, string]>([
  [{ targt: 'staging.yaml' }, 'drill: unknown option "targt"; did you mean "target"?'],
  [{ onEvent: 5 }, 'drill: `onEvent` is not a function'],
  [{ onProgress: 'line' }, 'drill: `onProgress` is not a function'],
  [{ signal: {} }, 'drill: `signal` is not an AbortSignal'],
  [null, 'drill: the options are not an object'],
])('drill with the options %j', async (options, problem) => {
  await expect(drill('nowhere.yaml', options as DrillOptions)).rejects.toMatchObject({
    code: 'invalid-input',
    message: expect.stringContaining(problem) as string,
  });
});

test('plan and report refuse unknown options', () => {
  expect(() => plan('nowhere.yaml', { targt: 'x' } as never)).toThrow('plan: unknown option "targt"');
  expect(() => report('nowhere', { writ: true } as never)).toThrow('report: unknown option "writ"');
});

test('options that are undefined are those that are missing', async () => {
  const options = { target: undefined, onEvent: undefined, signal: undefined } as unknown as DrillOptions;
  await expect(drill('nowhere.yaml', options)).rejects.toThrow('no such file');
});
