import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { printNetwork } from '../core/host.ts';
import { createDockerHost } from './docker.ts';
import type { Outcome } from './run-command.ts';

const signal = AbortSignal.timeout(60_000);
const report = {
  status: 'running',
  startedAt: '2026-01-01T00:00:00Z',
  finishedAt: '0001-01-01T00:00:00Z',
  restartPolicy: 'always',
  networkMode: 'pair_default',
};

/** The container `web` on an engine with these reports by name. */
function container(answers: Readonly<Record<string, Partial<Outcome> | object>>) {
  const asked: string[] = [];
  const host = createDockerHost('node-1', { kind: 'docker', container: 'web' }, async ({ argv }) => {
    const name = argv.at(-1) ?? '';
    asked.push(name);
    const answer = answers[name] ?? {};
    if ('kind' in answer) return answer as Outcome;
    const stdout = JSON.stringify({ ...report, ...answer });
    return { kind: 'exited', exitCode: 0, stdout, stderr: '' };
  });
  return { inspect: () => host.container!.inspect(signal), asked };
}

describe('a container that is a host', () => {
  test('has the state that its engine reports', async () => {
    const { networkMode: _, ...rest } = report;
    const { inspect, asked } = container({ web: { startedAt: '2026-01-01 10:00:00.1 +0100 CET' } });
    await expect(inspect()).resolves.toEqual({
      ...rest,
      startedAt: '2026-01-01 10:00:00.1 +0100 CET',
      sharesMachineNetwork: false,
    });
    expect(asked).toEqual(['web']);
  });

  test.each([
    [{ web: { networkMode: 'host' } }, true],
    [
      { web: { networkMode: 'container:a' }, a: { networkMode: 'container:b' }, b: { networkMode: 'host' } },
      true,
    ],
    [{ web: { networkMode: 'container:a' }, a: { networkMode: 'bridge' } }, false],
    [{ web: { networkMode: 'none' } }, false],
    [{ web: { networkMode: 'container:web' } }, true],
  ])("is in its machine's network: %j, %s", async (answers, shares) => {
    await expect(container(answers).inspect()).resolves.toMatchObject({ sharesMachineNetwork: shares });
  });

  test("has firedrill's own network, in the format of a shell", () => {
    const host = createDockerHost('node-1', { kind: 'docker', container: 'web' }, () => Promise.reject());
    expect(host.container?.ownNetwork).toBe(
      execFileSync('/bin/sh', ['-c', printNetwork], { encoding: 'utf8' }),
    );
  });

  test('has no restart policy if the engine reports none', async () => {
    await expect(container({ web: { restartPolicy: '' } }).inspect()).resolves.toMatchObject({
      restartPolicy: 'no',
    });
  });

  test.each<[Outcome, string]>([
    [
      { kind: 'exited', exitCode: 1, stdout: '', stderr: 'Error: No such container: web\n' },
      'node-1: cannot access container web: Error: No such container: web',
    ],
    [
      { kind: 'exited', exitCode: 0, stdout: '', stderr: '' },
      'node-1: cannot access container web: cannot parse the output of docker inspect: ',
    ],
    [{ kind: 'timed-out' }, 'node-1: `docker container inspect'],
  ])('is not known where the engine does not tell: %j', async (web, message) => {
    await expect(container({ web }).inspect()).rejects.toMatchObject({
      code: 'host-unreachable',
      message: expect.stringContaining(message) as string,
    });
  });
});
