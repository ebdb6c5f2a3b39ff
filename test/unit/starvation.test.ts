import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { onceMoreIfStarved, starvedReason } from '../starvation.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const degraded = 'web may have been down for up to 2.0 s: the prober was degraded for 3.2 s';

describe('a drill on an overloaded machine', () => {
  test.each([
    ['inconclusive', [degraded], degraded],
    ['inconclusive', ['gate not met', degraded], degraded],
    ['inconclusive', ['no effect was seen'], undefined],
    // A decided verdict counts.
    ['fail', [degraded], undefined],
    ['pass', [], undefined],
  ] as const)('is recognized: %s, %j', (verdict, reasons, reason) => {
    expect(starvedReason({ verdict, reasons })).toBe(reason);
  });

  let out: string;
  beforeEach(() => {
    out = temporaryFolder();
    vi.stubEnv('FIREDRILL_STARVED_NOTE', join(out, 'note'));
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  /** Writes a run with the next reason at each call. Returns the number of calls. */
  function drills(...outcomes: readonly string[]) {
    let calls = 0;
    const run = async (): Promise<number> => {
      const folder = join(out, `run-${calls}`);
      mkdirSync(folder);
      const reason = outcomes[calls] ?? '';
      const summary = { verdict: 'inconclusive', reasons: [reason], scenario: { name: 'crash' } };
      writeFileSync(join(folder, 'summary.json'), JSON.stringify(summary));
      calls += 1;
      return calls;
    };
    return onceMoreIfStarved(out, run);
  }

  test('runs a second time, with a note; the second outcome counts', async () => {
    const reported = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    expect(await drills(degraded, degraded)).toBe(2);
    expect(reported).toHaveBeenCalledWith(
      `crash: run again, because the machine was too busy: ${degraded}\n`,
    );
    reported.mockRestore();
    expect(readFileSync(join(out, 'note'), 'utf8')).toBe(`crash: ${degraded}\n`);
  });

  test('does not run a second time if it is inconclusive for another reason', async () => {
    expect(await drills('no effect was seen')).toBe(1);
  });
});
