import { expect, test } from 'vitest';
import type { PlannedFault } from '../core/plan.ts';
import { leaseFindings } from './lease-findings.ts';

const step = (id: string, kind: string, more: Partial<PlannedFault>): PlannedFault => ({
  id,
  kind,
  on: { host: 'node-1' },
  atMs: 0,
  params: {},
  ...more,
});
const stop = step('fault-1', 'service.stop', { leaseMs: 30_000 });
const bare = step('fault-2', 'command', { params: { run: ['true'], timeout: 1000 } });
const reported = (facts: { systemd: boolean; uid: number }, ...steps: PlannedFault[]): string[] =>
  leaseFindings('node-1', facts, steps).map(({ name, status, observed }) => `${status} ${name}: ${observed}`);

test('a host with systemd and root has an auto-revert timer', () => {
  expect(reported({ systemd: true, uid: 0 }, stop)).toEqual([
    'ok node-1: auto-revert: a systemd timer undoes service.stop (fault-1) if firedrill is silent for 30 s',
  ]);
});

test('a host without systemd has none, which is a warning', () => {
  expect(reported({ systemd: false, uid: 0 }, stop)).toEqual([
    'warn node-1: auto-revert: no systemd, so nothing on the host undoes service.stop (fault-1) if firedrill is killed',
  ]);
});

test('only root can arm the timer', () => {
  expect(reported({ systemd: true, uid: 1000 }, stop)).toEqual([
    expect.stringMatching(/^fail node-1: auto-revert: not root, so the systemd timer that undoes/),
  ]);
});

test('this machine without root reverts nothing, and faults are injected all the same', () => {
  const findings = leaseFindings('web-1', { systemd: true, uid: 1000 }, [stop], true);
  expect(findings).toEqual([
    {
      name: 'web-1: auto-revert',
      status: 'warn',
      observed: 'not root, so nothing on this machine undoes service.stop (fault-1) if firedrill is killed',
      hint: 'If firedrill is killed, run `firedrill heal` at once; or run firedrill as root.',
    },
  ]);
});

test('a command without `undo` is not undone, which is a warning', () => {
  expect(reported({ systemd: true, uid: 0 }, bare)).toEqual([
    'warn node-1: auto-revert: command (fault-2): no `undo`, so neither the host nor `firedrill heal` undoes it',
  ]);
  const undone = step('fault-3', 'command', { params: { run: ['true'], undo: ['true'], timeout: 1000 } });
  expect(reported({ systemd: true, uid: 0 }, undone)).toEqual([]);
});
