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
import { fieldTable } from '../../scripts/docs/schema-table.ts';
import { planTarget } from '../../src/scenario/target-planner.ts';
import { makePlans, openScenario } from '../../src/scenario/planner.ts';
import { inputOf } from '../../src/scenario/testing/corpus.ts';

const target = inputOf('target.yaml', exampleTarget);

describe('an example of the reference', () => {
  test('of each probe, writer and model is read and planned', () => {
    const { probes, writers, models } = planTarget(target);
    const kinds = (list: readonly { readonly kind: string }[]) =>
      [...new Set(list.map(({ kind }) => kind))].sort();
    expect(kinds(probes)).toEqual(Object.keys(probeExamples).sort());
    expect(kinds(writers)).toEqual(Object.keys(writerExamples).sort());
    expect(kinds(Object.values(models))).toEqual(Object.keys(modelExamples).sort());
  });

  test.each(Object.entries(faultExamples))('fault %s is read and planned', (kind, text) => {
    const scenario = inputOf('s.yaml', exampleScenario(text, checkExamples['rto'] ?? ''));
    const [plan] = makePlans(openScenario(scenario), () => target);
    expect(plan?.faults.map((fault) => fault.kind)).toEqual([kind]);
  });

  test.each(Object.entries(checkExamples))('check %s is read and planned', (kind, text) => {
    const scenario = inputOf('s.yaml', exampleScenario(faultExamples['service.stop'] ?? '', text));
    const [plan] = makePlans(openScenario(scenario), () => target);
    expect(plan?.checks.map((check) => check.kind)).toEqual([kind]);
  });
});

describe('a table of fields', () => {
  test('tells types, defaults, what is required, and what stands within', () => {
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
