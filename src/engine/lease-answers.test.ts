import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { ExecResult, Host } from '../core/host.ts';
import { armAutoRevert, renewAutoRevert } from '../faults/lib/auto-revert.ts';
import { lostAnswer, unkindHost } from '../extension/conformance/disturbance.ts';
import { faultContext } from '../faults/testing/fault-context.ts';
import { runCommand } from '../hosts/run-command.ts';
import { neverFollowed } from '../hosts/testing/never-followed.ts';

// The scripts of a lease run in a real shell, with fake systemd programs that keep units as files. A command may
// be killed before or after any of its steps, or its answer may be lost. The next attempt must still be correct.

const folder = mkdtempSync(join(tmpdir(), 'lease-'));
const units = join(folder, 'units');
const undone = join(folder, 'undone');
afterAll(() => rmSync(folder, { recursive: true }));

/** Each call is one step. `CUT` names the step before or after which the calling script is killed. */
const step = `#!/bin/sh
cd ${units}
read -r count <../steps
count=$((count + 1)); echo $count >../steps
[ "$CUT" = "before $count" ] && kill -KILL $SCRIPT
[ "$CUT" = "after $count" ] && trap 'kill -KILL $SCRIPT' EXIT
`;
program(
  'systemd-run',
  `${step}
for word in "$@"; do case $word in --unit=*) unit=\${word#--unit=} ;; esac; done
while [ "$1" != /bin/sh ]; do shift; done
[ -e "$unit.timer" ] && { echo "Unit $unit.timer already exists" >&2; exit 1; }
echo "$3" | sed 's/\\$\\$/$/g' >"$unit.timer"
`,
);
program(
  'systemctl',
  `${step}
verb=$1; shift
case $verb in
  stop)
    for unit in "$@"; do
      case $unit in
        *'*'*) rm -f $unit ;;
        *) [ -e "$unit" ] || { echo "Failed to stop $unit: Unit $unit not loaded." >&2; exit 5; }; rm -f "$unit" ;;
      esac
    done ;;
  list-units)
    for pattern in "$@"; do case $pattern in firedrill-*) for unit in $pattern; do
      [ -e "$unit" ] && echo "$unit loaded active waiting x"; done ;; esac; done ;;
  is-active) [ -e "$2" ] || exit 3 ;;
esac
exit 0
`,
);

function program(name: string, text: string): void {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, 0o755);
}

const run = async (argv: readonly string[], cut: string): Promise<ExecResult> => {
  const path = `${folder}:${process.env['PATH']}`;
  writeFileSync(join(folder, 'steps'), '0\n');
  const outcome = await runCommand({
    argv: ['env', `PATH=${path}`, `CUT=${cut}`, 'sh', '-c', 'SCRIPT=$$ exec "$@"', 'sh', ...argv],
    timeoutMs: 60_000,
    signal: new AbortController().signal,
  });
  if (outcome.kind !== 'exited') throw new Error(outcome.kind);
  return outcome;
};

/** The host; `cut` names the step at which its command is killed, or `answer` if only the answer is lost. */
const host = (cut = ''): Host => {
  const shell: Host = {
    name: 'alpha',
    transport: 'shell',
    follow: neverFollowed,
    exec: async (argv) => {
      const result = await run(argv, cut);
      if (result.exitCode === 137) throw lostAnswer();
      return result;
    },
  };
  return unkindHost(shell, () => (cut === 'answer' ? 'lost after' : undefined));
};

const autoRevert = { tag: 'ab12cd34', leaseMs: 30_000, undo: `x=undone\necho "$x" >>${undone} || exit` };
const renew = (attempt: number, cut?: string): Promise<void> =>
  renewAutoRevert(faultContext(host(cut)), autoRevert, { attempt, timeoutMs: 10_000 });
const timers = (): string[] => readdirSync(units).sort();

/** Runs the timer's script, as if its lease ran out. */
async function fire(unit: string): Promise<void> {
  await run(['sh', '-c', `cd ${units}; mv ${unit} ../fired; . ../fired`], '');
}

beforeEach(async () => {
  rmSync(units, { recursive: true, force: true });
  rmSync(undone, { force: true });
  mkdirSync(units);
  await armAutoRevert(faultContext(host()), autoRevert);
});

/** Each step of a renewal, killed before and after it, and a lost answer. */
const cuts = [1, 2, 3, 4, 5].flatMap((number) => [`before ${number}`, `after ${number}`]).concat('answer');

describe('a renewal', () => {
  test('replaces the previous timer', async () => {
    await renew(1);
    expect(timers()).toEqual(['firedrill-ab12cd34-2.timer']);
    // The cuts below cover all of the steps.
    expect(readFileSync(join(folder, 'steps'), 'utf8')).toBe('5\n');
  });

  test.each(cuts)('with a lost answer (%s) ends no lease: the next one renews it', async (cut) => {
    await expect(renew(1, cut)).rejects.toMatchObject({ code: 'host-unreachable' });
    expect(timers()).not.toEqual([]);
    await renew(2);
    expect(timers()).toEqual(['firedrill-ab12cd34-3.timer']);
    expect(existsSync(undone)).toBe(false);
  });

  test.each(['after 1', 'answer'])('after several lost answers (%s) still succeeds', async (cut) => {
    for (const attempt of [1, 2, 3])
      await expect(renew(attempt, cut)).rejects.toMatchObject({ code: 'host-unreachable' });
    await renew(4);
    expect(timers()).toEqual(['firedrill-ab12cd34-5.timer']);
  });

  test('after the end of the lease fails', async () => {
    await fire('firedrill-ab12cd34-1.timer');
    expect(existsSync(undone)).toBe(true);
    await expect(renew(1)).rejects.toMatchObject({
      code: 'fault-failed',
      message:
        'alpha: cannot renew the auto-revert timer firedrill-ab12cd34: no older timer is left: one has fired',
    });
    expect(timers()).toEqual([]);
  });

  test.each(cuts)('after a lost answer (%s) detects that one of its timers has fired', async (cut) => {
    await expect(renew(1, cut)).rejects.toMatchObject({ code: 'host-unreachable' });
    const [oldest = ''] = timers();
    await fire(oldest);
    expect(timers()).toEqual([]);
    await expect(renew(2)).rejects.toMatchObject({ code: 'fault-failed' });
    expect(timers()).toEqual([]);
  });

  test('fails while one of its timers undoes the fault', async () => {
    writeFileSync(join(units, 'firedrill-ab12cd34-1.service'), '');
    await expect(renew(1)).rejects.toMatchObject({ code: 'fault-failed' });
    expect(timers()).toEqual(['firedrill-ab12cd34-1.service']);
  });
});
