import { expect, test } from 'vitest';
import type { AnyFaultKind } from '../core/kinds.ts';
import { faultKind } from '../faults/catalog.ts';
import { probeKinds } from '../probes/catalog.ts';
import { faultFacts, laneIn, plannedExtension } from './facts.ts';

const module = { entry: './a.ts', file: 'drills/a.ts' };
const kind = (name: string, of: string): AnyFaultKind => ({ ...faultKind(of)!, kind: name });
const planned = plannedExtension({
  module,
  faults: [kind('acme.off', 'power.cut'), kind('acme.cut', 'network.partition'), kind('acme.x', 'command')],
  probes: [{ ...probeKinds[0]!, kind: 'acme.ask' }],
  writers: [],
  transports: [],
});
const plan = { extensions: [JSON.parse(JSON.stringify(planned)) as typeof planned] };

test.each([
  ['acme.off', 'power.cut'],
  ['acme.cut', 'network.partition'],
  ['acme.x', 'command'],
])('a stored plan has the same facts about %s as the code about %s', (name, builtIn) => {
  expect(faultFacts(plan, name)).toEqual(faultFacts({}, builtIn));
});

test('facts about kinds', () => {
  expect(faultFacts({}, 'power.cut')).toEqual({ takesPower: true, untilHealed: true });
  expect(faultFacts({}, 'network.partition')).toEqual({ untilHealed: true, changesNetwork: true });
  expect(faultFacts(plan, 'acme.gone')).toEqual({});
  expect(faultFacts(plan, 'constructor')).toEqual({});
  expect([laneIn(plan, 'acme.ask'), laneIn(plan, 'icmp'), laneIn(plan, 'tcp')]).toEqual([
    'network',
    'host',
    'network',
  ]);
});
