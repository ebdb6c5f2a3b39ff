import { durationText } from '../core/format-duration.ts';
import type { Predicted } from '../core/summary.ts';
import type { DurationMs } from '../core/time.ts';
import { aligned, plain } from './text.ts';

/** One line of a prediction: a stage or a total, and the same with the file's own settings. */
export interface WhatIfLine {
  readonly name: string;
  /** null: the models do not predict it. */
  readonly predicted: Predicted | null;
  readonly why?: string;
  /** The prediction with the file's own settings; only if settings were changed. */
  readonly unchanged?: Predicted | null;
}

/** The predictions for one drill. */
export interface WhatIf {
  readonly scenario: string;
  readonly title: string;
  readonly target: string;
  readonly lines: readonly WhatIfLine[];
}

/** Output of `firedrill model --json`. */
export interface WhatIfReport {
  readonly schemaVersion: 1;
  readonly trials: number;
  readonly seed: number;
  /** `before` is null if the file uses the default. */
  readonly settings: readonly { readonly name: string; readonly before: unknown; readonly after: unknown }[];
  readonly drills: readonly WhatIf[];
}

/** The report as text: a table for each drill; ends with a newline. */
export function renderWhatIf({ trials, seed, settings, drills }: WhatIfReport): string {
  const changes = settings.map(
    ({ name, before, after }) =>
      `${name}: ${before === null ? 'its default' : valueText(before)} -> ${valueText(after)}`,
  );
  return `${[
    `${trials} trials, seed ${seed}`,
    ...changes.map((change) => `with ${plain(change)}`),
    ...drills.flatMap((drill) => ['', ...drillLines(drill, settings.length > 0)]),
    ...(drills.some(({ lines }) => lines.some(isMeasured))
      ? [
          '',
          '* Includes times that no setting determines. They were measured, so the bounds are only as good as that measurement.',
        ]
      : []),
  ].join('\n')}\n`;
}

function isMeasured({ predicted }: WhatIfLine): boolean {
  return predicted?.measured === true;
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function drillLines({ scenario, title, target, lines }: WhatIf, compared: boolean): string[] {
  const head = [`${plain(scenario)}: ${plain(title)} (${plain(target)})`];
  if (lines.length === 0) return [...head, '  no stage has a prediction'];
  const rows = lines.map((line) => {
    const { name, predicted, why, unchanged } = line;
    const unknown = Array.from({ length: compared ? 6 : 5 }, () => '');
    if (predicted === null) return [`  ${plain(name)}`, ...unknown, plain(why ?? 'unknown')];
    const { minMs, p5Ms, medianMs, p95Ms, maxMs } = predicted;
    const figures = [p5Ms, medianMs, p95Ms, minMs, maxMs].map(durationText);
    const change = !compared ? [] : [unchanged == null ? '' : changeText(medianMs - unchanged.medianMs)];
    return [`  ${plain(name)}`, ...figures, ...change, isMeasured(line) ? '*' : ''];
  });
  const names = ['', 'p5', 'median', 'p95', 'min', 'max', ...(compared ? ['median changes by'] : []), ''];
  return [...head, ...aligned([names, ...rows], [1, 2, 3, 4, 5, ...(compared ? [6] : [])])];
}

function changeText(ms: DurationMs): string {
  const words = durationText(Math.abs(ms));
  return ms === 0 ? '0 ms' : `${ms > 0 ? '+' : '-'}${words}`;
}
