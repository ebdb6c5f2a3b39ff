import type { Json } from '../../../../src/core/plan.ts';

/** A fault during which the harness is killed. */
export interface StormFault {
  readonly name: string;
  readonly fault: Readonly<Record<string, Json>>;
  /** Whether a timer on its host undoes the fault without the harness. */
  readonly hasAutoRevert: boolean;
  /** Changed fields for machines that are accessed over SSH on their only interface; null: the fault would cut that connection and is refused. */
  readonly overSsh?: Readonly<Record<string, Json>> | null;
}

const lease = '3s';

/** Every kind that acts on a host of the target. Kinds of a cloud have their own tests. */
export const stormFaults: readonly StormFault[] = [
  leased('network.partition', { on: 'a', peers: ['${address.b}'] }),
  { ...leased('network.isolate', { on: 'a', allow: ['198.18.65.13'] }), overSsh: { allow: ['198.18.65.1'] } },
  { ...leased('network.loss', { on: 'a', percent: 50 }), overSsh: { peers: ['198.18.65.12'] } },
  { ...leased('network.link-down', { on: 'a' }), overSsh: null },
  leased('service.stop', { on: 'a', units: ['drowse.service'] }),
  leased('container.stop', { on: 'engine', container: 'guest', graceSeconds: 0 }),
  leased('container.kill', { on: 'engine', container: 'guest' }),
  leased('container.pause', { on: 'engine', container: 'holder' }),
  leased('container.remove', { on: 'engine', container: 'spare', projectDirectory: '/opt/app' }),
  leased('compose.down', { on: 'engine', projectDirectory: '/opt/storm' }),
  leased('command', {
    on: 'a',
    run: ['touch', '/run/storm of words'],
    effect: ['test', '-e', '/run/storm of words'],
    undo: ['rm', '-f', '/run/storm of words'],
    undone: ['test', '!', '-e', '/run/storm of words'],
  }),
  {
    name: 'service.restart',
    fault: { kind: 'service.restart', on: 'a', units: ['drowse.service'] },
    hasAutoRevert: false,
  },
  {
    name: 'container.restart',
    fault: { kind: 'container.restart', on: 'engine', container: 'guest', graceSeconds: 0 },
    hasAutoRevert: false,
  },
  {
    name: 'process.kill',
    fault: { kind: 'process.kill', on: 'a', process: 'drowse', unit: 'drowse.service' },
    hasAutoRevert: false,
  },
  { name: 'power.cut', fault: { kind: 'power.cut', on: 'b' }, hasAutoRevert: false },
];

function leased(kind: string, fields: Readonly<Record<string, Json>>): StormFault {
  return { name: kind, fault: { kind, ...fields, lease }, hasAutoRevert: true };
}

/** The scenario of one fault; JSON is YAML. */
export function stormScenario({ name, fault }: StormFault, target: string): string {
  return JSON.stringify({
    name: `storm-${name.replaceAll('.', '-')}`,
    title: name,
    target,
    faults: [fault],
    recovery: { probe: 'echo', within: '5s', stableFor: '500ms', quietFor: '500ms' },
    redundancy: { for: '200ms', within: '30s' },
    checks: [{ kind: 'rto', max: '30s' }],
  });
}
