import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { seeded } from '../../src/analysis/testing/log-builder.ts';
import { createSystemClock } from '../../src/engine/system-clock.ts';
import { createBench, must } from '../firedrill.ts';
import { keepReport } from '../lab/lib/keep-report.ts';
import { killedLog } from '../lab/lib/killed-log.ts';
import { labOf } from '../lab/lib/ssh-target.ts';

// Kills the harness (SIGKILL) at random moments after the gate in drills of the reference stacks, and then runs `heal`. Proof of
// the heal: the next drill reaches its steady gate, and firedrill left nothing on the machines. The last drill of each stack
// runs to its end.
const seed = Number(process.env['STORM_SEED'] ?? 4713);
const reportPath = join(import.meta.dirname, '../../reports/storm/stacks.md');
const random = seeded(seed);
const clock = createSystemClock();
const bench = createBench();
const signal = AbortSignal.timeout(7_200_000);

interface Stack {
  readonly stack: string;
  /** Maximum time from the gate to the kill, ms. */
  readonly withinMs: number;
  readonly drills: readonly (readonly string[])[];
}

const stacks: readonly Stack[] = [
  {
    stack: 'certlocker',
    withinMs: 45_000,
    drills: [
      ['postgres-crash'],
      ['container-crash', '--var', 'container=ui', '--var', 'on=standby'],
      ['compose-down'],
      ['router-crash'],
      ['partition'],
      ['node-poweroff-hard'],
      ['container-crash', '--var', 'container=haproxy', '--var', 'on=active'],
      ['isolation'],
      ['postgres-crash'],
      ['compose-down'],
    ],
  },
  {
    stack: 'keepalived-docker',
    withinMs: 25_000,
    drills: [
      ['container-down'],
      ['docker-stop'],
      ['keepalived-kill'],
      ['keepalived-stop'],
      ['link-down'],
      ['node-poweroff'],
      ['vrrp-partition'],
      ['app-unhealthy'],
      ['docker-stop'],
      ['link-down'],
    ],
  },
  {
    stack: 'wazuh-lb',
    withinMs: 15_000,
    drills: [
      ['nginx-crash'],
      ['nginx-stop'],
      ['keepalived-kill'],
      ['keepalived-stop'],
      ['keepalived-crash'],
      ['node-poweroff'],
      ['pause-restart'],
      ['pause-remove'],
      ['nginx-stop'],
      ['keepalived-stop'],
    ],
  },
];

interface Kill {
  readonly stack: string;
  readonly scenario: string;
  readonly last: string;
  readonly open: boolean;
  readonly healed: boolean;
  readonly tornBytes: number;
}
const done: Kill[] = [];

afterAll(() => {
  bench.remove();
  keepReport(reportPath, done, report);
});

/** Runs a drill until `afterMs` after its steady gate, then kills it and runs `heal` twice. */
async function killOne(stack: string, drill: readonly string[], afterMs: number) {
  const [name, ...rest] = drill;
  const out = join(bench.out, `${stack}-${done.length}`);
  const child = bench.start('run', `scenarios/${stack}/${name}.yaml`, ...rest, '--out', out);
  const output: string[] = [];
  child.all.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  const gate = () =>
    killedLog(out).events.find((event) => event.type === 'gate' || event.type === 'run.ended');
  await vi.waitFor(() => expect(gate(), output.join('')).toMatchObject({ type: 'gate', state: 'met' }), {
    timeout: 300_000,
    interval: 200,
  });
  await clock.sleep(afterMs, signal);
  child.kill('SIGKILL');
  await child;
  const { last, tornBytes } = killedLog(out);
  const open = (await bench.start('status')).exitCode === 4;
  const heal = await bench.start('heal');
  const again = await bench.start('heal');
  rmSync(out, { recursive: true });
  return { last, tornBytes, open, heal, again, output: output.join('') };
}

/** firedrill's packet rules and timers on a stack's machines, by container. */
async function traces(stack: string): Promise<Record<string, string>> {
  const script =
    "iptables-save | grep -i firedrill; systemctl list-units --all --plain --no-legend --type=timer,service 'firedrill-*'; true";
  const { manifest } = await labOf(stack);
  const of: Record<string, string> = {};
  for (const { container } of manifest.vms)
    of[container] = await must(['docker', 'exec', container, 'sh', '-c', script]);
  return of;
}

describe.each(stacks)('$stack', ({ stack, withinMs, drills }) => {
  let untouched: Record<string, string>;
  beforeAll(async () => {
    await bench.labUp(stack);
    untouched = await traces(stack);
  });
  afterAll(async () => {
    await bench.start('lab', 'down', '--stack', stack);
  });

  test.each(drills.map((drill) => ({ scenario: drill.join(' '), drill })))(
    'killed during $scenario',
    async ({ scenario, drill }) => {
      const { last, tornBytes, open, heal, again, output } = await killOne(stack, drill, random() * withinMs);
      const kill = { stack, scenario, last, open, tornBytes };
      const before = done.push({ ...kill, healed: false });
      expect(heal.exitCode, `${output}\n${heal.all}`).toBe(0);
      expect(again.stdout).toContain('no open faults');
      expect(await traces(stack)).toEqual(untouched);
      done[before - 1] = { ...kill, healed: true };
    },
  );

  test('a complete drill passes after all kills', async () => {
    const [drill = []] = drills;
    const [name, ...rest] = drill;
    const { exitCode, all } = await bench.start(
      'run',
      `scenarios/${stack}/${name}.yaml`,
      ...rest,
      '--out',
      bench.out,
    );
    expect(exitCode, all).toBe(0);
  });
});

function report(): string {
  const healed = done.filter((kill) => kill.healed).length;
  return [
    '# Storm: the reference stacks',
    '',
    `${done.length} drills were killed (SIGKILL) at random moments after their gate (seed ${seed}). ${healed} of ${done.length} were healed: \`heal\``,
    'proved it, a second `heal` found nothing to do, no packet rule or timer of firedrill was left, and the next drill reached its',
    `steady gate. ${done.filter(({ open }) => open).length} of the drills had an open fault, ${done.filter(({ tornBytes }) => tornBytes > 0).length} had a torn last line in the log.`,
    '',
    '| stack | scenario | last step in the log | fault open | healed |',
    '| --- | --- | --- | --- | --- |',
    ...done.map(
      ({ stack, scenario, last, open, healed: is }) =>
        `| ${stack} | ${scenario} | ${last} | ${open ? 'yes' : 'no'} | ${is ? 'yes' : 'no'} |`,
    ),
  ].join('\n');
}
