import { parentPort, workerData } from 'node:worker_threads';
import * as fc from 'fast-check';
import { nearest } from '../../../src/scenario/suggest.ts';
import { edited, edits } from './edits.ts';
import type { FuzzCounts, FuzzOrder } from './fuzz.ts';
import { judge } from './judge.ts';
import { fieldsOf, slips, typoIn } from './typos.ts';
import { validInputs } from './valid-inputs.ts';

const { seed, mutants, typos, progress } = workerData as FuzzOrder;
const counter = new Int32Array(progress, 0, 2);
const current = new Uint8Array(progress, 8);
const inputs = validInputs();
const fields = new Map(inputs.map((valid) => [valid, fieldsOf(valid)] as const));
const counts: FuzzCounts = { taken: 0, refused: 0, typos: 0, slowestMs: 0 };
const inputIndex = fc.nat({ max: inputs.length - 1 });

/** Shares the current file with the main thread, which prints it if the read hangs. */
function report(path: string, text: string): void {
  counter[1] = new TextEncoder().encodeInto(`${path}\n${text}`, current).written;
  Atomics.add(counter, 0, 1);
}

function mutantIsJudged(index: number, all: Parameters<typeof edited>[1]): void {
  const valid = inputs[index];
  if (valid === undefined) throw new Error(`no input ${index}`);
  const text = edited(valid.text, all);
  report(valid.path, text);
  const startMs = performance.now();
  counts[judge(valid, text).taken ? 'taken' : 'refused']++;
  counts.slowestMs = Math.max(counts.slowestMs, performance.now() - startMs);
}

function typoIsFound(index: number, slip: Parameters<typeof typoIn>[2]): void {
  const valid = inputs[index];
  const typo = valid === undefined ? undefined : typoIn(valid, fields.get(valid) ?? [], slip);
  if (valid === undefined || typo === undefined) return;
  report(valid.path, typo.text);
  counts.typos++;
  const verdict = judge(valid, typo.text);
  const problems = verdict.taken ? [] : verdict.problems;
  const said = `${typo.place} unknown field "${typo.typed}"; did you mean "`;
  const meant = problems.find((problem) => problem.startsWith(said))?.slice(said.length, -2);
  if (meant !== undefined && (meant === typo.key || meant === nearest(typo.typed, typo.here))) return;
  throw new Error(
    `"${typo.typed}" for "${typo.key}": expected ${said}…"?, found\n${problems.join('\n') || 'nothing'}`,
  );
}

const check = <T>(property: fc.IProperty<T>, numRuns: number): string | undefined => {
  const details = fc.check(property, { seed, numRuns });
  if (!details.failed) return undefined;
  const { errorInstance: error } = details;
  return `${fc.defaultReportMessage(details)}\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
};
const failed =
  check(fc.property(inputIndex, edits, mutantIsJudged), mutants) ??
  check(fc.property(inputIndex, slips, typoIsFound), typos);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort?.postMessage({ failed, counts });
