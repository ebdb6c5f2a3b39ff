import { expect, test } from 'vitest';
import type { ExecOptions, Host } from '../core/host.ts';
import { countCommands } from '../hosts/count-commands.ts';
import { neverFollowed } from '../hosts/testing/never-followed.ts';
import { withTimeoutFactor } from './timeout-factor.ts';

test('multiplies the timeouts of each command and of the power switch by the current factor', async () => {
  const asked: unknown[] = [];
  const host: Host = {
    name: 'alpha',
    transport: 'test',
    follow: neverFollowed,
    exec: async (_argv, { timeoutMs, timeoutFactor }) => {
      asked.push({ timeoutMs, timeoutFactor });
      return { exitCode: 0, stdout: '', stderr: '' };
    },
    power: {
      describe: { cut: '', on: '' },
      isOn: async (_signal, timeoutFactor) => asked.push({ timeoutFactor }) > 0,
      cut: async () => {},
      on: async () => {},
    },
  };
  const { signal } = new AbortController();
  const options: ExecOptions = { timeoutMs: 1000, signal };
  let factor = 1;
  const patient = withTimeoutFactor(host, () => factor);
  await patient.exec(['true'], options);
  factor = 4;
  await patient.exec(['true'], options);
  await patient.power?.isOn(signal);
  expect(asked).toEqual([
    { timeoutMs: 1000, timeoutFactor: 1 },
    { timeoutMs: 4000, timeoutFactor: 4 },
    { timeoutFactor: 4 },
  ]);
  expect(withTimeoutFactor({ ...host, power: undefined } as unknown as Host, () => 1).power).toBeUndefined();
});

test('keeps `isThisMachine` and `container` of the host, which the guards of network faults need', async () => {
  const bare: Host = {
    name: 'alpha',
    transport: 'test',
    follow: neverFollowed,
    exec: async () => ({ exitCode: 0, stdout: '', stderr: '' }),
  };
  const patiences: unknown[] = [];
  const report = {
    status: 'running',
    startedAt: '',
    finishedAt: '',
    restartPolicy: 'no',
    sharesMachineNetwork: true,
  };
  const container = {
    name: 'node-1',
    inspect: async (_signal: AbortSignal, timeoutFactor?: number) => (patiences.push(timeoutFactor), report),
  };
  for (const wrapped of [
    withTimeoutFactor({ ...bare, isThisMachine: true, container }, () => 4),
    countCommands().counted({ ...bare, isThisMachine: true, container }),
  ]) {
    expect(wrapped.isThisMachine).toBe(true);
    expect(await wrapped.container?.inspect(new AbortController().signal)).toBe(report);
  }
  expect(patiences).toEqual([4, undefined]);
  expect(withTimeoutFactor(bare, () => 1)).not.toHaveProperty('isThisMachine');
});
