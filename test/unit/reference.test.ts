import { describe, expect, test } from 'vitest';
import {
  checkExamples,
  exampleScenario,
  exampleTarget,
  faultExamples,
  modelExamples,
  probeExamples,
  writerExamples,
} from '../../scripts/docs/examples.ts';
import { costsOfKind, costsSection, readSampleCosts } from '../../scripts/docs/sample-costs.ts';
import { fieldTable } from '../../scripts/docs/schema-table.ts';
import type { SampleCosts } from '../../bench/observer/sample-costs.ts';
import { planTarget } from '../../src/scenario/target-planner.ts';
import { makePlans, openScenario } from '../../src/scenario/planner.ts';
import { inputOf } from '../../src/scenario/testing/corpus.ts';

const target = inputOf('target.yaml', exampleTarget);

describe('an example of the reference', () => {
  test('exists for each probe, writer, and model, and is planned', () => {
    const { probes, writers, models } = planTarget(target);
    const kinds = (list: readonly { readonly kind: string }[]) =>
      [...new Set(list.map(({ kind }) => kind))].sort();
    expect(kinds(probes)).toEqual(Object.keys(probeExamples).sort());
    expect(kinds(writers)).toEqual(Object.keys(writerExamples).sort());
    expect(kinds(Object.values(models))).toEqual(Object.keys(modelExamples).sort());
  });

  test.each(Object.entries(faultExamples))('fault %s is planned', (kind, text) => {
    const scenario = inputOf('s.yaml', exampleScenario(text, checkExamples['rto'] ?? ''));
    const [plan] = makePlans(openScenario(scenario), () => target);
    expect(plan?.faults.map((fault) => fault.kind)).toEqual([kind]);
  });

  test.each(Object.entries(checkExamples))('check %s is planned', (kind, text) => {
    const scenario = inputOf('s.yaml', exampleScenario(faultExamples['service.stop'] ?? '', text));
    const [plan] = makePlans(openScenario(scenario), () => target);
    expect(plan?.checks.map((check) => check.kind)).toEqual([kind]);
  });
});

describe('a table of fields', () => {
  test('has types, defaults, required fields, and nested fields', () => {
    const text = fieldTable({
      required: ['a'],
      properties: {
        a: { type: 'string', description: 'One | two.' },
        b: { type: 'integer', minimum: 1, maximum: 9_007_199_254_740_991, default: 2, description: 'B.' },
        c: {
          description: 'C.',
          anyOf: [
            { type: 'string', pattern: '^(\\d+)(ms|s|m|h)$' },
            { type: 'object', required: ['d'], properties: { d: { enum: ['x', 'y'], description: 'D.' } } },
          ],
        },
        e: {
          type: 'array',
          description: 'E.',
          items: {
            oneOf: [
              {
                required: ['k'],
                properties: {
                  k: { const: 'p', description: 'P.' },
                  l: { type: 'boolean', description: 'L.' },
                },
              },
              { required: ['k'], properties: { k: { const: 'q', description: 'Q.' } } },
            ],
          },
        },
      },
    });
    expect(text.split('\n').slice(2, -1)).toEqual([
      '| `a` | text | required | One \\| two. |',
      '| `b` | whole number from 1 | `2` | B. |',
      '| `c` | duration or map |  | C. |',
      '| `c.d` | `x` or `y` | required | D. |',
      '| `e` | list of anything |  | E. |',
      '| `e[].k` | `p` or `q` | required | P. Q. |',
      '| `e[].l` | true or false |  | L. |',
    ]);
  });
});

describe('the cost of a sample', () => {
  const row = { kind: 'sql', peer: false, hostCpuMs: null, processes: 0 };
  const costs: SampleCosts = {
    conditions: {
      date: '2026-11-29',
      cores: 2,
      cpu: 'AMD EPYC',
      memoryGib: null,
      system: null,
      kernel: null,
      node: '24.21',
      loadBefore: 10,
      cpuPressureBefore: null,
    },
    samples: 200,
    rows: [
      { ...row, what: 'a kept session', proberCpuMs: 0.4, hostCpuMs: 0.1 },
      { ...row, what: 'psql in a loop', peer: true, proberCpuMs: 22.384, processes: 2.04 },
    ],
    absent: [{ kind: 'icmp', why: 'there was no ping' }],
    countedAlone: true,
    postgres: null,
  };

  test('is a table per kind, which includes comparable tools', () => {
    expect(costsOfKind(costs, 'sql').split('\n').slice(2)).toEqual([
      '| a kept session | 0.40 | 0.10 | 0 |',
      '| psql in a loop | 22.38 | not measured | 2 |',
    ]);
  });

  test('is "not measured" for a kind without a figure', () => {
    expect(costsOfKind(costs, 'icmp')).toBe(
      'CPU time and processes were not measured: on that machine there was no ping.',
    );
    expect(costsOfKind(costs, 'arp')).toBe('CPU time and processes were not measured.');
    const peersOnly = { ...costs, rows: costs.rows.filter(({ peer }) => peer) };
    expect(costsOfKind(peersOnly, 'sql')).toContain('not measured.');
  });

  test('includes the recorded conditions', () => {
    const text = costsSection(costs);
    expect(text).toContain('on 2026-11-29: 2 cores (AMD EPYC), Node 24.21.');
    expect(text).toContain('Other work ran on the machine (load average 10).');
    const quiet = {
      ...costs,
      postgres: '15.1',
      conditions: { ...costs.conditions, memoryGib: 24, loadBefore: 0.2, cpuPressureBefore: 0.014 },
    };
    expect(costsSection(quiet)).toContain('(AMD EPYC), 24 GiB, Node 24.21, PostgreSQL 15.1 without TLS.');
    expect(costsSection(quiet)).toContain(
      'No other work ran on the machine (load average 0.2, CPU pressure 1 %).',
    );
  });

  test('is listed only for existing kinds of probes', () => {
    const { rows, absent } = readSampleCosts();
    const kinds = [...rows, ...absent].map(({ kind }) => kind);
    expect(kinds.filter((kind) => !(kind in probeExamples))).toEqual([]);
  });
});
