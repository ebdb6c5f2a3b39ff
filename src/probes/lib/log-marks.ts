import { z } from 'zod';
import type { LogMark } from '../../core/sample.ts';
import { shorten } from '../../core/shorten.ts';
import type { WallMs } from '../../core/time.ts';
import { regex, requireRegex } from '../../net/text-params.ts';

/** Longest text of a mark and longest value, in characters. */
const textLimit = 300;
const valueLimit = 200;

/** The parameter `marks` of probes that read a log. */
export const logMarks = z
  .array(
    z.strictObject({
      name: z.string().min(1).describe('Name of the mark. Stages and checks refer to it.'),
      match: regex.describe(
        'Regular expression that a line must match. Groups named `host` and `value` give the mark’s host (the probe’s by default) and value.',
      ),
    }),
  )
  .min(1);

/** The time at which a line was logged, in ms since the Unix epoch on its host's clock. */
export interface LogTime {
  readonly wallMs: WallMs;
  /** Bounds of `wallMs`, unless it is an exact timestamp. */
  readonly bounds?: { readonly minMs: WallMs; readonly maxMs: WallMs };
}

/** Returns the marks that a line matches. */
export type MarkLine = (text: string, at: LogTime) => LogMark[];

/** Compiles the parameter `marks`. @throws DrillError `invalid-input` */
export function markFinder(marks: z.output<typeof logMarks>): MarkLine {
  const rules = marks.map(({ name, match }) => ({ name, pattern: requireRegex(match) }));
  return (text, { wallMs, bounds }) =>
    rules.flatMap(({ name, pattern }) => {
      const match = pattern.exec(text);
      if (match === null) return [];
      const { host, value } = match.groups ?? {};
      return {
        name,
        wallMs,
        ...(bounds === undefined ? {} : { bounds }),
        text: shorten(text).slice(0, textLimit),
        ...(host === undefined ? {} : { host }),
        ...(value === undefined ? {} : { value: value.slice(0, valueLimit) }),
      };
    });
}
