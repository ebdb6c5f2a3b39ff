import { describe, expect, test } from 'vitest';
import { DrillError } from '../core/errors.ts';
import { scriptedHost } from '../faults/testing/scripted-host.ts';
import { healFault } from './heal.ts';
import { createSystemClock } from './system-clock.ts';
import { undoRecord } from './testing/undo-record.ts';

const record = undoRecord({
  params: { run: ['touch', '/x'], undo: ['rm', '/x'], undone: ['test', '!', '-e', '/x'], timeout: 1000 },
  lease: { tag: 'ab12cd34', ms: 30_000 },
  machine: { id: 'm1', bootId: 'b1' },
});

/** A machine with the file of the fault on it, and its timer. */
function machine(id: string) {
  let there = true;
  let armed = true;
  return scriptedHost((argv) => {
    const command = argv.join(' ');
    if (argv[0] === 'cat') return { stdout: `${id}\nb2\n` };
    if (command === 'test ! -e /x') return { exitCode: there ? 1 : 0 };
    if (command === 'rm /x') there = false;
    if (command.startsWith('systemctl stop')) armed = false;
    if (command.startsWith('systemctl list-units')) return { stdout: armed ? 'a timer\n' : '' };
    return {};
  });
}

const heal = (host: ReturnType<typeof machine>, beforeLeaseEnds?: () => Promise<void>) =>
  healFault(record, { host, server: undefined }, createSystemClock(), beforeLeaseEnds);

describe('healFault', () => {
  test('undoes, proves it, and stops the timer last', async () => {
    const host = machine('m1');
    const seen: string[] = [];
    await heal(host, async () => {
      seen.push(...host.commands.filter((command) => !command.startsWith('cat')));
    });
    expect(seen).toEqual(['test ! -e /x', 'test ! -e /x', 'rm /x', 'test ! -e /x']);
    expect(host.commands).toContain('systemctl stop firedrill-ab12cd34-*.timer');
  });

  test('does nothing the second time', async () => {
    const host = machine('m1');
    await heal(host);
    const before = host.commands.filter((command) => command === 'rm /x').length;
    await heal(host);
    expect(host.commands.filter((command) => command === 'rm /x')).toHaveLength(before);
  });

  test('does not want to know the machine of a host that does not answer: its power may be what is gone', async () => {
    const host = machine('m1');
    const exec = host.exec.bind(host);
    host.exec = (argv, options) =>
      argv[0] === 'cat' ? Promise.reject(new DrillError('host-unreachable', 'gone')) : exec(argv, options);
    await heal(host);
    expect(host.commands).toContain('rm /x');
  });

  test('acts on no other machine that has taken the place', async () => {
    const host = machine('m2');
    await expect(heal(host)).rejects.toMatchObject({
      code: 'heal-failed',
      message: 'alpha is another machine now (machine-id m2, the fault was made on m1)',
    });
    expect(host.commands).toEqual(['cat /etc/machine-id /proc/sys/kernel/random/boot_id']);
  });
});
