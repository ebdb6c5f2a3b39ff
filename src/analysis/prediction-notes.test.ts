import { describe, expect, test } from 'vitest';
import type { Model, Plan, StageRule } from '../core/plan.ts';
import { renderMarkdown } from '../report/markdown.ts';
import { renderVerdictText } from '../report/verdict-text.ts';
import { nextToPrediction } from './prediction-notes.ts';
import { summarize } from './summarize.ts';
import { crashDrill } from './testing/postgres-crash.ts';

test('a time is outside its prediction if all of its bounds are', () => {
  const predicted = { minMs: 2000, maxMs: 3000 };
  expect(nextToPrediction({ minMs: 3001, maxMs: 3500 }, predicted)).toBe('longer');
  expect(nextToPrediction({ minMs: 2999, maxMs: 3500 }, predicted)).toBeUndefined();
  expect(nextToPrediction({ minMs: 1000, maxMs: 1999 }, predicted)).toBe('shorter');
});

describe('a measured time outside its prediction', () => {
  const notices = (ms: number): { rules: readonly StageRule[]; models: Plan['models'] } => {
    const lb: Model = { kind: 'fixed', timeMs: ms };
    return {
      models: { lb },
      rules: [
        {
          name: 'LB notices',
          until: {
            kind: 'condition',
            condition: { probe: 'lb-backend', is: ['DOWN'], count: { min: 1 } },
            excludeFaultHost: false,
          },
          predicted: { model: 'lb' },
        },
        { name: 'rest', until: { kind: 'recovered' } },
      ],
    };
  };
  const drill = (ms: number) => {
    const { rules, models } = notices(ms);
    return summarize(crashDrill({ stages: rules, plan: { models } }).read());
  };

  test('gives a note with its side', () => {
    const short = drill(2000);
    expect(short.notes).toEqual([
      'stage LB notices took 3.69 s (3.16 s to 4.22 s), longer than predicted (2.00 s)',
    ]);
    expect(renderVerdictText(short)).toContain('predicted 2.00 s: it was longer');
    expect(renderMarkdown(short)).toContain('| 2.00 s: it was longer |');
    expect(drill(6000).notes.join()).toContain('shorter than predicted (6.00 s)');
  });

  test('gives no note if the bounds overlap', () => {
    expect(drill(4000).notes).toEqual([]);
  });
});
