import { describe, expect, it } from 'vitest';
import { DrillError } from '../core/errors.ts';
import type { ExecResult, Host } from '../core/host.ts';
import type { Observation } from '../core/sample.ts';
import { neverFollowed } from '../hosts/testing/never-followed.ts';
import { containerLog } from './container-log.ts';
import { observeTimes, openProbe } from './testing/attempt.ts';

const marks = [
  { name: 'promoted', match: 'promoted' },
  { name: 'state', match: 'state (?<value>[A-Z]+)' },
];

/** A section of the script's output. */
function log(name: string, lines: readonly string[], exitCode = 0): string {
  return ['log of ' + name, ...lines, `log ended ${exitCode}`, ''].join('\n');
}

const at = (second: number, text: string, zone = 'Z'): string =>
  `2026-11-30T03:04:${String(second).padStart(2, '0')}.250000000${zone} ${text}`;
const wall = (second: number): number => Date.UTC(2026, 10, 30, 3, 4, second, 250);

/** A host that returns these outputs in turn. The first output is for the check before the run. */
function host(...outputs: (string | Partial<ExecResult> | Error)[]): { host: Host; asked: string[][] } {
  const asked: string[][] = [];
  return {
    asked,
    host: {
      name: 'node-1',
      transport: 'fake',
      follow: neverFollowed,
      exec: async (argv) => {
        asked.push(argv.slice(4));
        const output = outputs.shift() ?? '';
        if (output instanceof Error) throw output;
        return {
          exitCode: 0,
          stderr: '',
          stdout: '',
          ...(typeof output === 'string' ? { stdout: output } : output),
        };
      },
    },
  };
}

async function attempts(
  count: number,
  on: Host,
  containers: readonly string[] = ['web'],
): Promise<Observation[]> {
  const session = await openProbe(containerLog, { containers, marks }, { host: on });
  return observeTimes(session, count);
}

const there = log('web', []);

describe('container-log probe', () => {
  it('starts after the newest line, and reports each new matching line once', async () => {
    const { host: on, asked } = host(
      there,
      log('web', [at(1, 'state OLD')]),
      log('web', [at(1, 'state OLD'), at(2, 'promoted')]),
      log('web', [at(2, 'promoted'), at(3, 'state MASTER')]),
    );
    const seen = await attempts(3, on);
    expect(seen).toEqual([
      { status: 'ok', marks: [] },
      { status: 'ok', marks: [{ name: 'promoted', wallMs: wall(2), text: 'promoted' }] },
      { status: 'ok', marks: [{ name: 'state', wallMs: wall(3), text: 'state MASTER', value: 'MASTER' }] },
    ]);
    expect(asked.slice(1)).toEqual([
      ['web', ''],
      ['web', '2026-11-30T03:04:00.250Z'],
      ['web', '2026-11-30T03:04:01.250Z'],
    ]);
  });

  it('reports a line that arrives late with an earlier timestamp', async () => {
    const { host: on } = host(
      there,
      log('web', [at(1, 'x')]),
      log('web', [at(3, 'on stdout')]),
      log('web', ['2026-11-30T03:04:03.200000000Z promoted', at(3, 'on stdout')]),
    );
    expect((await attempts(3, on))[2]).toMatchObject({ marks: [{ name: 'promoted' }] });
  });

  it('reads an initially empty log from its start, with podman’s timestamps', async () => {
    const { host: on, asked } = host(there, there, log('web', [at(5, 'promoted', '+01:00')]));
    expect((await attempts(2, on))[1]).toMatchObject({ marks: [{ wallMs: wall(5) - 3_600_000 }] });
    expect(asked[2]).toEqual(['web', '1970-01-01T00:00:00Z']);
  });

  it('reads containers separately, and reports marks when all could be read', async () => {
    const gone = 'Error response from daemon: No such container: db';
    const { host: on } = host(
      there + log('db', []),
      log('web', [at(1, 'x')]) + log('db', [at(1, 'x')]),
      log('web', [at(2, 'promoted')]) + log('db', [gone], 1),
      log('web', []) + log('db', [at(3, 'state MASTER')]),
    );
    const seen = await attempts(3, on, ['web', 'db']);
    expect(seen[1]).toEqual({ status: 'unknown', message: `docker logs of db: exit 1: ${gone}` });
    expect(seen[2]).toMatchObject({ status: 'ok', marks: [{ name: 'promoted' }, { name: 'state' }] });
  });

  it('continues after the last complete line of a truncated output', async () => {
    const cut = `log of web\n${at(2, 'promoted')}\n${at(3, 'prom')}`;
    const { host: on, asked } = host(
      there,
      log('web', [at(1, 'x')]),
      { stdout: cut, truncated: true },
      { stdout: `log of web\n${at(2, 'promoted')}\n${at(3, 'prom')}`, truncated: true },
      log('web', [at(2, 'promoted'), at(3, 'promoted again')]),
    );
    const seen = await attempts(4, on);
    expect(seen[1]).toMatchObject({ marks: [{ text: 'promoted' }] });
    expect(seen[2]).toMatchObject({ marks: [] });
    // The output contained only known lines, so the next sample reads without overlap.
    expect(asked[4]).toEqual(['web', '2026-11-30T03:04:02.250000000Z']);
    expect(seen[3]).toMatchObject({ marks: [{ text: 'promoted again' }] });
  });

  it('is unknown if the script did not run or the host is unreachable, and keeps its position', async () => {
    const { host: on } = host(
      there,
      log('web', [at(1, 'x')]),
      { stdout: 'Your password has expired.\n' },
      new DrillError('host-unreachable', 'node-1: not running'),
      log('web', [at(2, 'promoted')]),
    );
    const seen = await attempts(4, on);
    expect(seen.map(({ status }) => status)).toEqual(['ok', 'unknown', 'unknown', 'ok']);
    expect(seen[1]).toMatchObject({ message: 'docker logs did not run: Your password has expired.' });
    expect(seen[3]).toMatchObject({ marks: [{ name: 'promoted' }] });
  });

  it.each([
    ['Error response from daemon: No such container: web', 'node-1 has no container web'],
    [
      'Error response from daemon: configured logging driver does not support reading',
      'cannot read the log of container web on node-1: Error response from daemon: configured logging driver does not support reading',
    ],
  ])('refuses a container without a readable log: %s', async (words, message) => {
    await expect(attempts(0, host(log('web', [words], 1)).host)).rejects.toMatchObject({
      code: 'invalid-input',
      message,
    });
  });

  it('opens before the engine answers, and requires a host', async () => {
    await expect(
      attempts(0, host(log('web', ['Cannot connect to the Docker daemon'], 1)).host),
    ).resolves.toEqual([]);
    await expect(openProbe(containerLog, { containers: ['web'], marks })).rejects.toThrow('needs `on:`');
  });
});
