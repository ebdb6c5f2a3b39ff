import { describe, expect, test } from 'vitest';
import type { Check, Plan } from '../core/plan.ts';
import type { Summary } from '../core/summary.ts';
import { summarize } from './summarize.ts';
import { type Answer, probeOf, readLines } from './testing/log-builder.ts';
import { type LossVariant, nodeLoss, truth } from './testing/node-loss.ts';

const dual: Check = {
  kind: 'never',
  name: 'never two primaries',
  condition: { probe: 'pg-role', is: ['primary'], count: { min: 2, max: 2 } },
  toleranceMs: 0,
};

/** The drill with every sample of `pg-role` (of these hosts) replaced by a failure. */
function failing(
  check: Check,
  failure: string,
  { hosts = 'node-[12]', ...variant }: LossVariant & { readonly hosts?: string } = {},
): Summary {
  const sample = new RegExp(`"probe":"pg-role@${hosts}","slot".*"status":"`);
  const lines = nodeLoss({ ...variant, checks: [check] })
    .lines()
    .map((line) =>
      sample.test(line) ? line.replace(/"status":"(ok|fail)".*\}/, `"status":"fail",${failure}}`) : line,
    );
  return summarize(readLines(lines));
}

const wrongUser = '"cause":"error","message":"28P01 password authentication failed for user \\"x\\""';
const wrongPort = '"cause":"refused","message":"connect ECONNREFUSED 198.18.0.11:5433"';

describe('a check whose probe has no good sample', () => {
  test.each([
    ['a wrong SQL user', wrongUser],
    ['a wrong URL', '"cause":"http-other","message":"status 404"'],
    // Although `onFailure` declares that refused means "down".
    ['a refused port', wrongPort],
    ['a command that exits 1 each time', '"cause":"error","message":"exit 1: no such file"'],
    ['timeouts', '"cause":"timeout","message":"no answer within 900 ms"'],
  ])('is inconclusive: %s', (_, failure) => {
    const { verdict, checks } = failing(dual, failure, { kind: 'process.kill' });
    expect(checks[0]).toMatchObject({ status: 'inconclusive', observed: 'not measured: no good sample' });
    expect(verdict).toBe('inconclusive');
  });

  test('names the probe, the number of samples, and the last error', () => {
    const { reasons } = failing(dual, wrongUser, { kind: 'process.kill' });
    expect(reasons.find((reason) => reason.startsWith('never two'))).toMatch(
      /^never two primaries: not judged: pg-role@node-1 gave no good sample \(\d\d sent, last error: 28P01 password authentication failed for user "x"\) and pg-role@node-2 gave no good sample \(\d\d sent, .*\); correct the settings of the probe, and check its samples with `firedrill watch`$/,
    );
  });

  test.each<Check>([
    {
      kind: 'happens',
      name: 'c',
      condition: { probe: 'pg-role', is: ['primary'], count: { min: 2 } },
      minMs: 0,
    },
    { kind: 'finally', name: 'c', condition: { probe: 'pg-role', is: ['standby'], count: { min: 1 } } },
    { kind: 'finally', name: 'c', condition: { probe: 'pg-role', count: { min: 0, max: 0 } } },
    { kind: 'never', name: 'c', condition: { probe: 'pg-role', count: { min: 2 } }, toleranceMs: 0 },
    { kind: 'downtime', name: 'c', probe: 'pg-role@node-1', minMs: 1 },
    { kind: 'role-stays', name: 'c', role: 'db-primary' },
    { kind: 'role-moved', name: 'c', role: 'db-primary' },
  ])('is inconclusive, whatever its kind: %j', (check) => {
    expect(failing(check, wrongUser, { kind: 'process.kill' }).checks[0]?.status).toBe('inconclusive');
  });

  test('is judged if the fault itself had taken the power', () => {
    const condition = { probe: 'pg-role', host: 'node-1', is: ['primary'] };
    const off: Check = { ...dual, condition, toleranceMs: 2000 };
    const silent = '"status":"fail","cause":"timeout"}';
    const lines = nodeLoss({ checks: [off], unproven: true })
      .lines()
      .map((line) => {
        const isLater = line.includes('"probe":"pg-role@node-1","slot"') && sentMs(line) >= truth.bootedMs;
        return isLater ? line.replace(/"status":"ok".*\}/, silent) : line;
      });
    expect(summarize(readLines(lines)).checks[0]?.status).toBe('pass');
  });
});

function sentMs(line: string): number {
  return Number(/"sendMs":([\d.]+)/.exec(line)?.[1] ?? Number.NaN);
}

describe('a check with an instance that has no good sample', () => {
  test('is inconclusive if it depends on that instance, and names it', () => {
    const { checks, reasons } = failing(dual, wrongUser, { hosts: 'node-1', kind: 'process.kill' });
    expect(checks[0]?.status).toBe('inconclusive');
    expect(reasons.join('\n')).toMatch(
      /pg-role@node-1 gave no value in \d\d of \d\d samples: last error: 28P01 .*; if a failure with cause `error` shows a state of the target, declare that state in the probe's `onFailure`/,
    );
    // A shorter interval would only give more failed samples.
    expect(reasons.join('\n')).toContain(
      'samples in that time failed, and a failed sample has no value; pg-role',
    );
    expect(reasons.join('\n')).not.toContain('shorter `interval`');
  });

  test('ignores its `onFailure`: a wrong port is refused, too', () => {
    expect(failing(dual, wrongPort, { hosts: 'node-1', kind: 'process.kill' }).checks[0]?.status).toBe(
      'inconclusive',
    );
  });

  test('passes if the other instances rule it out', () => {
    const { checks } = failing(dual, wrongUser, { hosts: 'node-1', kind: 'process.kill', stuck: true });
    expect(checks[0]?.status).toBe('pass');
  });
});

describe('a killed process behind a probe', () => {
  test('is not primary if `onFailure` declares a state for refused, and is unknown otherwise', () => {
    const killed: LossVariant = { kind: 'process.kill', silence: 'refused', checks: [dual] };
    expect(summarize(nodeLoss(killed).read()).checks[0]?.status).toBe('pass');
    const probes = ['health', 'pg-role@node-1', 'pg-role@node-2'].map((id) => probeOf(id));
    const undeclared = nodeLoss({ ...killed, plan: { probes } });
    expect(summarize(undeclared.read()).checks[0]?.status).toBe('inconclusive');
  });
});

describe('a condition that combines probes', () => {
  const both: Check = {
    ...dual,
    condition: { ...dual.condition, and: [{ probe: 'container', is: ['running'] }] },
  };

  /** node-1's database does not answer from the fault on; its container has the given state. */
  function drill(check: Check, state: (ms: number) => Partial<Answer>): Summary {
    const hosts = ['node-1', 'node-2'];
    const plan: Partial<Plan> = {
      probes: [
        probeOf('health', { intervalMs: 200 }),
        ...hosts.map((host) => probeOf(`pg-role@${host}`)),
        ...hosts.map((host) => probeOf(`container@${host}`)),
      ],
    };
    const log = nodeLoss({ kind: 'process.kill', checks: [check], plan });
    const up = (ms: number): Answer => ({ status: 'ok', value: 'running', finishMs: ms + 5 });
    log.probing('container@node-1', 200, truth.endMs, 1000, (ms) => ({ ...up(ms), ...state(ms) }));
    log.probing('container@node-2', 300, truth.endMs, 1000, up);
    return summarize(log.read());
  }

  const exited = (ms: number): Partial<Answer> =>
    ms > truth.faultMs && ms < truth.bootedMs - 2000 ? { value: 'exited' } : {};

  test('excludes a host that one of them rules out', () => {
    expect(drill(dual, exited).checks[0]?.status).toBe('inconclusive');
    expect(drill(both, exited).checks[0]?.status).not.toBe('fail');
    const tolerant: Check = { ...both, toleranceMs: 5000 };
    expect(drill(tolerant, exited).checks[0]?.status).toBe('pass');
  });

  test('is inconclusive if none of them has a value', () => {
    expect(drill({ ...both, toleranceMs: 5000 }, () => ({})).checks[0]?.status).toBe('inconclusive');
  });
});

describe('redundancy that no sample shows', () => {
  const check: Check = { kind: 'redundancy', name: 'whole again', maxMs: 20_000 };

  /** The wait for redundancy ends at 54 s; from the fault on, samples of node-1's role fail with `failure`. */
  function notRestored(failure: string): Summary {
    const lines = nodeLoss({ kind: 'process.kill', checks: [check] })
      .lines()
      .map((line) => {
        if (line.includes('"gate":"redundancy"'))
          return line.replace('"state":"met","unmet":[]', '"state":"timeout","unmet":["pg-role"]');
        const isLost = line.includes('"probe":"pg-role@node-1","slot"') && sentMs(line) >= truth.faultMs;
        return isLost ? line.replace(/"status":"(ok|fail)".*\}/, `"status":"fail",${failure}}`) : line;
      });
    return summarize(readLines(lines));
  }

  test('is inconclusive if the missing part did not answer, and fails if it is known to be down', () => {
    const silent = notRestored('"cause":"timeout","message":"no answer within 900 ms"');
    expect(silent.checks[0]?.status).toBe('inconclusive');
    expect(silent.reasons[0]).toContain('pg-role@node-1 gave no value in');
    expect(notRestored('"cause":"refused"').checks[0]?.status).toBe('fail');
  });
});

describe('a role without an observed holder', () => {
  const moved: Check = { kind: 'role-moved', name: 'moves', role: 'main' };

  test.each([
    ['timeout', 'inconclusive'],
    ['refused', 'fail'],
  ])('of a probe without `is`: after %s it is %s', (cause, status) => {
    const plan: Partial<Plan> = { roles: { main: { probe: 'router' } } };
    const log = nodeLoss({ kind: 'process.kill', checks: [moved], plan: { ...plan, probes: routers } });
    for (const host of ['node-1', 'node-2'])
      log.probing(`router@${host}`, 300, truth.endMs, 1000, (ms) =>
        host === 'node-1' && ms < truth.faultMs
          ? { status: 'ok', finishMs: ms + 5 }
          : {
              status: 'fail',
              cause: host === 'node-1' && cause === 'timeout' ? cause : 'refused',
              finishMs: ms + 900,
            },
      );
    expect(summarize(log.read()).checks[0]?.status).toBe(status);
  });
});

const routers = ['health', 'pg-role@node-1', 'pg-role@node-2', 'router@node-1', 'router@node-2'].map((id) =>
  probeOf(id, id.startsWith('pg-role') ? { onFailure: { refused: 'down' } } : {}),
);
