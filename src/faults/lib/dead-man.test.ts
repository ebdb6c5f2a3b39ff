import { describe, expect, test } from 'vitest';
import { faultContext } from '../testing/fault-context.ts';
import { scriptedHost } from '../testing/scripted-host.ts';
import { armDeadMan, disarmDeadMan, isArmed, newTag, requireSystemd } from './dead-man.ts';

describe('dead man', () => {
  test('is a transient timer on the host, its script out of reach of systemd', async () => {
    const words: string[] = [];
    const host = scriptedHost((argv) => {
      words.push(...argv);
      return {};
    });
    await armDeadMan(faultContext(host), { tag: 'ab12cd34', leaseMs: 1500.4, undo: "echo '$1'\ntrue" });
    expect(words).toEqual([
      'systemd-run',
      '--unit=firedrill-ab12cd34',
      '--on-active=1500ms',
      '--timer-property=AccuracySec=100ms',
      '/bin/sh',
      '-c',
      "echo '$$1'\ntrue",
    ]);
  });

  test('is disarmed although nothing is left of it', async () => {
    const host = scriptedHost(() => ({ exitCode: 5, stderr: 'not loaded' }));
    await disarmDeadMan(faultContext(host), 'ab12cd34');
    expect(host.commands).toEqual([
      'systemctl stop firedrill-ab12cd34.timer',
      'systemctl reset-failed firedrill-ab12cd34.timer firedrill-ab12cd34.service',
    ]);
  });

  test.each([
    ['active', true],
    ['failed', true],
    ['inactive', false],
  ])('a timer that is %s: armed %s', async (state, armed) => {
    const host = scriptedHost(() => ({ stdout: `${state}\n` }));
    await expect(isArmed(faultContext(host), 'ab12cd34')).resolves.toBe(armed);
  });

  test('needs systemd', async () => {
    const host = scriptedHost(() => ({ exitCode: 1 }));
    await expect(requireSystemd(faultContext(host))).rejects.toMatchObject({ code: 'fault-failed' });
  });

  test('has a name of its own', () => {
    expect(newTag()).toMatch(/^[0-9a-f]{8}$/);
    expect(newTag()).not.toBe(newTag());
  });
});
