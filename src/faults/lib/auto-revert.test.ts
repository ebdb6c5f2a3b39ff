import { describe, expect, test } from 'vitest';
import { faultContext } from '../testing/fault-context.ts';
import { scriptedHost } from '../testing/scripted-host.ts';
import {
  armAutoRevert,
  disarmAutoRevert,
  isArmed,
  newTag,
  renewAutoRevert,
  requireSystemd,
} from './auto-revert.ts';

describe('auto-revert timer', () => {
  test('is a transient timer on the host, whose script systemd does not expand', async () => {
    const words: string[] = [];
    const host = scriptedHost((argv) => {
      words.push(...argv);
      return {};
    });
    await armAutoRevert(faultContext(host), { tag: 'ab12cd34', leaseMs: 1500.4, undo: "echo '$1'\ntrue" });
    expect(words).toEqual([
      'systemd-run',
      '--quiet',
      '--unit=firedrill-ab12cd34-1',
      '--on-active=1500ms',
      '--timer-property=AccuracySec=100ms',
      '/bin/sh',
      '-c',
      "(\necho '$$1'\ntrue\n) || exit\nsystemctl stop 'firedrill-ab12cd34-*.timer'\nexit 0",
    ]);
  });

  test('is renewed by another timer before the older ones are stopped', async () => {
    const host = scriptedHost(() => ({}));
    const autoRevert = { tag: 'ab12cd34', leaseMs: 1500, undo: 'rm /x' };
    await renewAutoRevert(faultContext(host), autoRevert, { attempt: 3, timeoutMs: 500 });
    const [script = ''] = host.commands;
    const made = script.indexOf('systemd-run --quiet --unit=firedrill-ab12cd34-4 --on-active=1500ms');
    expect(made).toBeGreaterThan(0);
    expect(script.indexOf('systemctl stop $others')).toBeGreaterThan(made);
  });

  test('reports why it cannot be renewed', async () => {
    const fired = scriptedHost(() => ({ exitCode: 1, stderr: 'Unit not loaded.\nit has fired' }));
    const autoRevert = { tag: 'ab12cd34', leaseMs: 1500, undo: 'rm /x' };
    await expect(
      renewAutoRevert(faultContext(fired), autoRevert, { attempt: 3, timeoutMs: 500 }),
    ).rejects.toMatchObject({
      code: 'fault-failed',
      message: 'alpha: cannot renew the auto-revert timer firedrill-ab12cd34: it has fired',
    });
  });

  test('can be disarmed when nothing of it is left', async () => {
    const host = scriptedHost(() => ({ exitCode: 5, stderr: 'not loaded' }));
    await disarmAutoRevert(faultContext(host), 'ab12cd34');
    expect(host.commands).toEqual([
      'systemctl stop firedrill-ab12cd34-*.timer',
      'systemctl reset-failed firedrill-ab12cd34-*',
    ]);
  });

  test.each([
    ['firedrill-ab12cd34-1.timer loaded active waiting firedrill\n', true],
    ['', false],
  ])('is armed while a timer exists, or the service that it started: %j', async (stdout, armed) => {
    const host = scriptedHost(() => ({ stdout }));
    await expect(isArmed(faultContext(host), 'ab12cd34')).resolves.toBe(armed);
  });

  test('needs systemd', async () => {
    const host = scriptedHost(() => ({ exitCode: 1 }));
    await expect(requireSystemd(faultContext(host))).rejects.toMatchObject({ code: 'fault-failed' });
  });

  test('has a random tag', () => {
    expect(newTag()).toMatch(/^[0-9a-f]{8}$/);
    expect(newTag()).not.toBe(newTag());
  });
});
