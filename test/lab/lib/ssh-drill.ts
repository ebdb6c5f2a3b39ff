import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { DrillEvent } from '../../../src/core/event.ts';
import type { Bench } from '../../firedrill.ts';
import { sshTarget, type SshWay } from './ssh-target.ts';

/** Events of the latest run of a bench, which may not be over yet. */
export function eventsOf(bench: Bench): DrillEvent[] {
  const whole = readFileSync(join(bench.runFolder(), 'events.ndjson'), 'utf8').split('\n').slice(0, -1);
  return whole.map((line) => JSON.parse(line) as DrillEvent);
}

/**
 * Runs a drill of a stack that is up, over the sshd of its machines alone: it has to pass. `hosts` are the transports that its
 * plan has to have. A power cut stays with docker: nothing in a machine can switch it on again.
 */
export async function expectDrivenOverSsh(
  bench: Bench,
  {
    stack,
    drill,
    hosts,
    ways,
  }: {
    readonly stack: string;
    readonly drill: readonly string[];
    readonly hosts: Readonly<Record<string, string>>;
    readonly ways?: Readonly<Record<string, SshWay>>;
  },
): Promise<void> {
  const target = await sshTarget(stack, ways);
  const { exitCode, all } = await bench.drill(...drill, '--target', target);
  expect(exitCode, all).toBe(0);
  const [started] = eventsOf(bench);
  if (started?.type !== 'run.started') throw new Error('the log does not begin with run.started');
  expect(Object.fromEntries(started.plan.hosts.map((host) => [host.name, host.transport.kind]))).toEqual(
    hosts,
  );
  expect(bench.summary()).toMatchObject({ verdict: 'pass', healed: true });
}
