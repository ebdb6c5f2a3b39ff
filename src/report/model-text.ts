import { durationWords } from '../core/format-duration.ts';
import type { Predicted } from '../core/summary.ts';
import { aligned, plain } from './text.ts';

/** One line of a prediction: a stage or a whole, and the same with the settings as they are in the file. */
export interface WhatIfLine {
  readonly name: string;
  /** null: does not follow from the models. */
  readonly predicted: Predicted | null;
  readonly why?: string;
  /** Only where settings were changed. */
  readonly unchanged?: Predicted | null;
}

/** What the models say of one drill. */
export interface WhatIf {
  readonly scenario: string;
  readonly title: string;
  readonly target: string;
  readonly lines: readonly WhatIfLine[];
}

/** What `firedrill model` says, for other programs. */
export interface WhatIfReport {
  readonly schemaVersion: 1;
  readonly trials: number;
  readonly seed: number;
  /** `before` is null where the file leaves it to its default. */
  readonly settings: readonly { readonly name: string; readonly before: unknown; readonly after: unknown }[];
  readonly drills: readonly WhatIf[];
}

/** The report in words: a table for each drill; ends with a newline. */
export function renderWhatIf({ trials, seed, settings, drills }: WhatIfReport): string {
  const changes = settings.map(
    ({ name, before, after }) =>
      `${name}: ${before === null ? 'its default' : valueWords(before)} -> ${valueWords(after)}`,
  );
  return `${[
    `${trials} trials, seed ${seed}`,
    ...changes.map((change) => `with ${plain(change)}`),
    ...drills.flatMap((drill) => ['', ...drillLines(drill, settings.length > 0)]),
    ...(drills.some(({ lines }) => lines.some(isMeasured))
      ? ['', '* Some of it follows from no setting and was measured: the bounds hold as far as that does.']
      : []),
  ].join('\n')}\n`;
}

function isMeasured({ predicted }: WhatIfLine): boolean {
  return predicted?.measured === true;
}

function valueWords(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function drillLines({ scenario, title, target, lines }: WhatIf, compared: boolean): string[] {
  const head = [`${plain(scenario)}: ${plain(title)} (${plain(target)})`];
  if (lines.length === 0) return [...head, '  no stage of it has a prediction'];
  const rows = lines.map((line) => {
    const { name, predicted, why, unchanged } = line;
    const unknown = Array.from({ length: compared ? 6 : 5 }, () => '');
    if (predicted === null) return [`  ${plain(name)}`, ...unknown, plain(why ?? 'not known')];
    const { minMs, p5Ms, medianMs, p95Ms, maxMs } = predicted;
    const figures = [p5Ms, medianMs, p95Ms, minMs, maxMs].map(durationWords);
    const change = !compared ? [] : [unchanged == null ? '' : changeWords(medianMs - unchanged.medianMs)];
    return [`  ${plain(name)}`, ...figures, ...change, isMeasured(line) ? '*' : ''];
  });
  const names = ['', 'p5', 'median', 'p95', 'min', 'max', ...(compared ? ['median changes by'] : []), ''];
  return [...head, ...aligned([names, ...rows], [1, 2, 3, 4, 5, ...(compared ? [6] : [])])];
}

function changeWords(ms: number): string {
  const words = durationWords(Math.abs(ms));
  return ms === 0 ? '0 ms' : `${ms > 0 ? '+' : '-'}${words}`;
}
