import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { DrillEvent } from '../../../src/core/event.ts';
import type { Bench } from '../../firedrill.ts';
import { sshTarget, type SshVariant } from './ssh-target.ts';

/** Events of a bench's latest run, which may still be running. */
export function eventsOf(bench: Bench): DrillEvent[] {
  const whole = readFileSync(join(bench.runFolder(), 'events.ndjson'), 'utf8').split('\n').slice(0, -1);
  return whole.map((line) => JSON.parse(line) as DrillEvent);
}

/**
 * Runs a drill of a running stack over the sshd of its machines only, and expects a pass. `hosts` are the expected transports
 * in its plan. A power cut needs the docker transport, because nothing inside a machine can switch it on again.
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
    readonly ways?: Readonly<Record<string, SshVariant>>;
  },
): Promise<void> {
  const target = await sshTarget(stack, ways);
  const { exitCode, all } = await bench.drill(...drill, '--target', target);
  expect(exitCode, all).toBe(0);
  const [started] = eventsOf(bench);
  if (started?.type !== 'run.started')
    throw new Error(`read the log: its first event is ${started?.type ?? 'missing'}, not run.started`);
  expect(Object.fromEntries(started.plan.hosts.map((host) => [host.name, host.transport.kind]))).toEqual(
    hosts,
  );
  expect(bench.summary()).toMatchObject({ verdict: 'pass', healed: true });
}
