import { LogBuilder, planWith, probeOf } from '../../analysis/testing/log-builder.ts';

/** Texts that a target, a host, or a file may send, and that a page without escaping would execute. */
export const hostileTexts: readonly string[] = [
  '</style><script>globalThis.pwned = 1</script>',
  '" onload="globalThis.pwned = 2" x="',
  "' onmouseover='globalThis.pwned = 3' style='background:url(//evil.example/a)",
  '<img src=//evil.example/b onerror=globalThis.pwned=4>',
  '</title></pre></svg><iframe src="//evil.example/c">',
  '<!-- ]]> --><base href="//evil.example/">',
  '&lt;b&gt; &#x3c;script&#x3e;',
  'javascript:globalThis.pwned=5',
  '${globalThis.pwned = 6} {{7*7}}',
  'unbroken'.repeat(40),
  'left\u202eright\u2066 \u200ball\u0000\u001b[31m\ud800 end',
];

const hostile = hostileTexts.join(' ');

/** A drill in which every external text is hostile, and some texts are 100 kB long. */
export function hostileDrill(): LogBuilder {
  const host = `node-1 ${hostile}`;
  const long = `${hostile}${'<x> & "y" '.repeat(10_000)}`;
  const plan = planWith({
    probes: [
      probeOf('health'),
      {
        ...probeOf('role'),
        id: `role@${host}`,
        host,
        kind: hostile,
        params: { password: 'hunter2', query: long },
      },
    ],
    scenario: {
      name: hostile,
      title: hostile,
      path: hostile,
      sha256: hostile,
      variables: { [hostile]: hostile, long },
    },
    target: { name: hostile, environment: hostile, path: hostile, sha256: hostile },
    roles: { [hostile]: { probe: 'role', is: [hostile] } },
    ownership: { [hostile]: { [hostile]: { probe: 'role', is: [hostile] } } },
    stages: [
      { name: hostile, until: { kind: 'mark', probe: 'health', mark: 'done', excludeFaultHost: false } },
      { name: long, until: { kind: 'recovered' } },
    ],
    checks: [
      { kind: 'rto', name: hostile, maxMs: 1 },
      { kind: 'role-moved', name: long, role: hostile },
    ],
    faults: [{ id: 'fault-1', kind: hostile, on: { host }, atMs: 0, params: {} }],
  });
  const isDown = (ms: number) => ms >= 10_500 && ms < 20_000;
  return new LogBuilder(plan)
    .at(0, { type: 'phase.started', phase: 'steady' })
    .probing('health', 0, 40_000, 1000, (sendMs) => ({
      status: isDown(sendMs) ? 'fail' : 'ok',
      finishMs: sendMs + 5,
      ...(isDown(sendMs) ? { cause: 'error' as const, message: long } : { value: hostile }),
    }))
    .probing(`role@${host}`, 0, 40_000, 1000, (sendMs) => ({
      status: 'ok',
      finishMs: sendMs + 5,
      value: sendMs < 15_000 ? hostile : long,
    }))
    .fault(10_000, { kind: hostile, host, healedMs: 30_000 })
    .at(15_000, { type: 'mark', probe: 'health', host, name: 'done', atMs: 15_000, text: long })
    .at(16_000, { type: 'log', level: 'warn', text: long })
    .at(39_000, { type: 'run.aborted', reason: hostile })
    .at(40_000, { type: 'run.ended' });
}
