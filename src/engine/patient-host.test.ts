import { expect, test } from 'vitest';
import type { ExecOptions, Host } from '../core/host.ts';
import { countCommands } from '../hosts/count-commands.ts';
import { neverFollowed } from '../hosts/testing/never-followed.ts';
import { patientHost } from './patient-host.ts';

test('multiplies the time-outs of each command and of the power switch by the current factor', async () => {
  const asked: unknown[] = [];
  const host: Host = {
    name: 'alpha',
    transport: 'test',
    follow: neverFollowed,
    exec: async (_argv, { timeoutMs, patience }) => {
      asked.push({ timeoutMs, patience });
      return { exitCode: 0, stdout: '', stderr: '' };
    },
    power: {
      describe: { cut: '', on: '' },
      isOn: async (_signal, patience) => asked.push({ patience }) > 0,
      cut: async () => {},
      on: async () => {},
    },
  };
  const { signal } = new AbortController();
  const options: ExecOptions = { timeoutMs: 1000, signal };
  let factor = 1;
  const patient = patientHost(host, () => factor);
  await patient.exec(['true'], options);
  factor = 4;
  await patient.exec(['true'], options);
  await patient.power?.isOn(signal);
  expect(asked).toEqual([
    { timeoutMs: 1000, patience: 1 },
    { timeoutMs: 4000, patience: 4 },
    { patience: 4 },
  ]);
  expect(patientHost({ ...host, power: undefined } as unknown as Host, () => 1).power).toBeUndefined();
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
    inspect: async (_signal: AbortSignal, patience?: number) => (patiences.push(patience), report),
  };
  for (const wrapped of [
    patientHost({ ...bare, isThisMachine: true, container }, () => 4),
    countCommands().counted({ ...bare, isThisMachine: true, container }),
  ]) {
    expect(wrapped.isThisMachine).toBe(true);
    expect(await wrapped.container?.inspect(new AbortController().signal)).toBe(report);
  }
  expect(patiences).toEqual([4, undefined]);
  expect(patientHost(bare, () => 1)).not.toHaveProperty('isThisMachine');
});
