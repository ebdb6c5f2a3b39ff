import { describe, expect, test } from 'vitest';
import { networkDelay } from './network.delay.ts';
import { faultContext } from './testing/fault-context.ts';
import { linuxHost } from './testing/linux-host.ts';

const params = networkDelay.params.parse({ delay: '100ms', variation: '10ms' });
const before = {
  tag: 'ab12cd34',
  state: { interface: 'eth0', handle: '2b13:', netem: ['delay', '100ms', '10ms'] },
};
const plain = { kind: 'noqueue', handle: '0:', root: true };
const ours = { kind: 'netem', handle: '2b13:', root: true };

/** A Linux host with these qdiscs on eth0, with or without netem. */
const host = (qdiscs: readonly object[] = [plain], netem = true) =>
  linuxHost((argv) => {
    if (argv[0] === 'unshare' && !netem) {
      return { exitCode: 2, stderr: 'Error: Specified qdisc kind is unknown.\n' };
    }
    return argv.includes('-j') && argv[0] === 'tc' ? { stdout: JSON.stringify(qdiscs) } : undefined;
  });

describe('network.delay', () => {
  test('tries netem in a temporary network namespace', async () => {
    const linux = host();
    const { tag, state } = await networkDelay.before(params, faultContext(linux));
    expect(linux.commands).toContain('unshare --net tc qdisc add dev lo root netem delay 1ms');
    expect(state).toMatchObject({ interface: 'eth0', netem: ['delay', '100ms', '10ms'] });
    const major = Number.parseInt(state.handle, 16);
    expect(major).toBe((Number.parseInt(tag.slice(0, 4), 16) % 0x7fff) + 1);
  });

  test('reports a kernel without netem', async () => {
    await expect(networkDelay.before(params, faultContext(host([plain], false)))).rejects.toMatchObject({
      code: 'fault-failed',
      message: 'alpha: cannot delay packets: tc netem does not work: Error: Specified qdisc kind is unknown.',
      hint: expect.stringContaining('sch_netem') as string,
    });
  });

  test('does not replace a configured qdisc', async () => {
    const shaped = host([{ kind: 'htb', handle: '1:', root: true }]);
    await expect(networkDelay.before(params, faultContext(shaped))).rejects.toMatchObject({
      code: 'fault-failed',
      message: 'alpha: cannot delay the packets of eth0: it already has a qdisc: htb 1:',
    });
  });

  test('adds a qdisc with its own handle, and removes it by that handle', async () => {
    const linux = host();
    await networkDelay.inject(params, before, faultContext(linux));
    expect(linux.commands).toEqual(['tc qdisc add dev eth0 root handle 2b13: netem delay 100ms 10ms']);
    expect(networkDelay.undo?.(params, before)).toBe(`tc qdisc del dev eth0 root handle 2b13:
left=$(tc qdisc show dev eth0) || exit
case $left in *" netem 2b13: root"*) exit 1 ;; esac`);
  });

  test('is in force while a qdisc has that handle', async () => {
    await expect(networkDelay.effect(params, before, faultContext(host([ours])))).resolves.toBe(true);
    await expect(networkDelay.effect(params, before, faultContext(host()))).resolves.toBe(false);
    await expect(networkDelay.healed(params, before, faultContext(host([ours])))).resolves.toBe(false);
    const other = host([{ ...ours, handle: '7:' }]);
    await expect(networkDelay.healed(params, before, faultContext(other))).resolves.toBe(true);
    await networkDelay.heal(params, before, faultContext(other));
    expect(other.commands.some((command) => command.startsWith('/bin/sh'))).toBe(false);
  });
});
